"""Colours that a HEIC or AVIF names by numbers: read by their primaries and curve, and kept."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from portraiture.reference.photo.cicp import icc_profile
from portraiture.reference.photo.read import open_photo
from portraiture.reference.srgb import to_linear, to_srgb

CODES = np.array([[[200, 60, 50], [60, 180, 90]], [[40, 80, 220], [128, 128, 128]]], np.uint8)
PICTURE = CODES.repeat(24, axis=0).repeat(32, axis=1)
SEEN = np.s_[12::24, 16::32]

TO_XYZ = {
    1: [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    9: [[0.6370, 0.1446, 0.1689], [0.2627, 0.6780, 0.0593], [0.0000, 0.0281, 1.0610]],
    12: [[0.4866, 0.2657, 0.1982], [0.2290, 0.6917, 0.0793], [0.0000, 0.0451, 1.0439]],
}
"""Of BT.709 (IEC 61966-2-1), BT.2020 and Display P3, all with the white D65."""


def light_of(transfer, codes):
    """H.273, table 3; television cameras' curves (1, 6, 14, 15) count as sRGB's."""
    v = codes / 255
    return v if transfer == 8 else to_linear(v)


def expected(primaries, transfer, codes):
    """sRGB of 8 bits, cut where sRGB has no such colour."""
    xyz = light_of(transfer, codes) @ np.array(TO_XYZ[primaries]).T
    return 255 * to_srgb(np.clip(xyz @ np.linalg.inv(TO_XYZ[1]).T, 0, 1))


def heic(primaries, transfer, matrix=6):
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PICTURE)).save(
        file, quality=100, chroma=444, color_primaries=primaries, transfer_characteristics=transfer,
        matrix_coefficients=matrix, full_range_flag=1,
    )  # fmt: skip
    return file.getvalue()


def avif(primaries, transfer):
    """Pillow writes sRGB's numbers; others are put in their place."""
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "AVIF", quality=100, subsampling="4:4:4")
    own = bytes((0, 1, 0, 13))
    assert file.getvalue().count(b"nclx" + own) == 1
    return file.getvalue().replace(b"nclx" + own, b"nclx" + bytes((0, primaries, 0, transfer)))


@pytest.mark.parametrize("write", [heic, avif])
@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 13), (9, 14), (1, 8), (12, 1)])
def test_numbers_are_read_by_primaries_and_curve(tmp_path, write, primaries, transfer):
    (tmp_path / "a.heic").write_bytes(write(primaries, transfer))
    photo = open_photo(tmp_path / "a.heic")
    np.testing.assert_allclose(photo.own[SEEN].astype(int), CODES, rtol=0, atol=3)  # a wide gamut stays
    seen = expected(primaries, transfer, photo.own[SEEN].astype(float))
    np.testing.assert_allclose(photo.rgb[SEEN].astype(int), seen, rtol=0, atol=2)
    assert ImageCms.ImageCmsProfile(io.BytesIO(photo.icc)).profile.version == pytest.approx(4.3)


@pytest.mark.parametrize("transfer", [1, 6, 13])
def test_bt709_of_a_photo_is_srgb(tmp_path, transfer):
    (tmp_path / "a.heic").write_bytes(heic(1, transfer))
    photo = open_photo(tmp_path / "a.heic")
    np.testing.assert_allclose(photo.rgb[SEEN].astype(int), CODES, rtol=0, atol=3)
    assert not photo.icc


@pytest.mark.parametrize("matrix", [1, 9])
def test_the_matrix_is_the_one_that_is_named(tmp_path, matrix):
    (tmp_path / "a.heic").write_bytes(heic(9, 13, matrix))
    np.testing.assert_allclose(open_photo(tmp_path / "a.heic").own[SEEN].astype(int), CODES, rtol=0, atol=3)


@pytest.mark.parametrize("write", [heic, avif])
def test_srgbs_own_numbers_change_nothing(tmp_path, write):
    (tmp_path / "a.heic").write_bytes(write(1, 13))
    photo = open_photo(tmp_path / "a.heic")
    assert photo.icc == b""
    assert photo.own is photo.rgb


def test_a_profile_goes_before_numbers(tmp_path):
    file = io.BytesIO()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PICTURE).save(file, "AVIF", quality=100, subsampling="4:4:4", icc_profile=srgb)
    data = file.getvalue().replace(b"nclx\0\x02", b"nclx\0\x0c").replace(b"nclx\0\x01", b"nclx\0\x0c")
    assert b"nclx\0\x0c" in data
    (tmp_path / "a.avif").write_bytes(data)
    np.testing.assert_allclose(open_photo(tmp_path / "a.avif").rgb[SEEN].astype(int), CODES, rtol=0, atol=3)


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.58069), (18, 0.74988)])
def test_of_hdr_203_nits_become_white(transfer, white):
    """BT.2408: 58 % of PQ and 75 % of HLG."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(9, transfer)))
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    codes = [round(255 * white * share) for share in (0.8, 0.98, 1.02)]
    gray = Image.fromarray(np.array([[[c] * 3 for c in codes]], np.uint8))
    low, near, above = np.asarray(ImageCms.applyTransform(gray, transform))[0, :, 0]
    assert low < 220
    assert 235 < near < 255
    assert above >= 254


@pytest.mark.parametrize("numbers", [(2, 2), (1, 13), (200, 13), (1, 99), (0, 0)])
def test_numbers_that_say_nothing_give_no_profile(numbers):
    assert icc_profile(*numbers) == b""
