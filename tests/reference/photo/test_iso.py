"""HEIC and AVIF: upright, in sRGB, refused in one line where they are damaged. All are written here."""

import contextlib
import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from portraiture.reference.errors import InputError
from portraiture.reference.photo.folder import photos_in
from portraiture.reference.photo.iso import has_plain_items
from portraiture.reference.photo.kinds import is_iso_photo
from portraiture.reference.photo.read import read_photo

CORNERS = np.array([[[200, 90, 70], [60, 160, 80]], [[40, 100, 220], [90, 190, 190]]], np.uint8)
UPRIGHT = CORNERS.repeat(24, axis=0).repeat(32, axis=1)
NEAR = {"rtol": 0, "atol": 6}
"""Both formats lose a little."""


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def heic(pixels, orientation=1, **options):
    """A HEIC whose container says how it is turned, as phones write it."""
    file = io.BytesIO()
    picture = pillow_heif.from_pillow(Image.fromarray(pixels))
    picture.save(file, quality=95, chroma=444, exif=exif_of(orientation), **options)
    return file.getvalue()


def avif(pixels, orientation=1, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "AVIF", quality=95, subsampling="4:4:4", exif=exif_of(orientation), **options)
    return file.getvalue()


def stored(upright, orientation):
    """The pixels as a camera in this orientation stores them (EXIF 2.32, 4.6.4 A)."""
    rows = upright[::-1] if orientation in (3, 4, 7, 8) else upright
    flipped = rows[:, ::-1] if orientation in (2, 3, 6, 7) else rows
    return np.ascontiguousarray(flipped.swapaxes(0, 1) if orientation > 4 else flipped)


def read(path, data):
    path.write_bytes(data)
    return read_photo(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [heic, avif])
def test_a_photo_is_upright(tmp_path, write, orientation):
    data = write(stored(UPRIGHT, orientation), orientation)
    np.testing.assert_allclose(read(tmp_path / "a.heic", data).astype(int), UPRIGHT, **NEAR)


@pytest.mark.parametrize("write", [heic, avif])
@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "photo.avif", "photo.jpg", "photo"])
def test_the_content_decides(tmp_path, write, name):
    data = write(UPRIGHT)
    assert is_iso_photo(data)
    np.testing.assert_allclose(read(tmp_path / name, data).astype(int), UPRIGHT, **NEAR)


@pytest.mark.parametrize("write", [heic, avif])
def test_colours_of_a_profile_become_srgb(tmp_path, write):
    """sRGB with red and green exchanged: the photo is seen with them exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {bytes(profile[k : k + 4]): k for k in range(132, 132 + 12 * profile[131], 12)}
    red, green = (profile[at[name] + 4 : at[name] + 12] for name in (b"rXYZ", b"gXYZ"))
    profile[at[b"rXYZ"] + 4 : at[b"rXYZ"] + 12], profile[at[b"gXYZ"] + 4 : at[b"gXYZ"] + 12] = green, red
    found = read(tmp_path / "a.heic", write(UPRIGHT, icc_profile=bytes(profile)))
    np.testing.assert_allclose(found.astype(int), UPRIGHT[..., [1, 0, 2]], **NEAR)


def test_ten_bits_are_read(tmp_path):
    file = io.BytesIO()
    deep = pillow_heif.from_bytes("RGB;16", UPRIGHT.shape[1::-1], (UPRIGHT.astype(np.uint16) * 257).tobytes())
    deep.save(file, quality=95, chroma=444)
    found = read(tmp_path / "a.heic", file.getvalue())
    np.testing.assert_allclose(found.astype(int), UPRIGHT, **NEAR)


def test_transparency_is_composited_on_white(tmp_path):
    clear = np.dstack([UPRIGHT, np.full(UPRIGHT.shape[:2], 255, np.uint8)])
    clear[:, 32:, 3] = 0
    found = read(tmp_path / "a.heic", heic(clear))
    np.testing.assert_allclose(found[:, :30].astype(int), UPRIGHT[:, :30], **NEAR)
    assert found[:, 34:].min() > 248


@pytest.mark.parametrize("write", [heic, avif])
@pytest.mark.parametrize("kept", [24, 200, 0.5, 0.95])
def test_a_cut_photo_is_refused_in_one_line(tmp_path, write, kept):
    data = write(UPRIGHT)
    with pytest.raises(InputError, match="expected a whole photo, found a damaged file") as caught:
        read(tmp_path / "a.heic", data[: kept if isinstance(kept, int) else int(kept * len(data))])
    assert "\n" not in str(caught.value)


def test_an_item_whose_type_is_no_text_does_not_crash_the_reader(tmp_path):
    """pi_heif 1.4.0 ends the whole process on such a file."""
    data = heic(UPRIGHT)
    assert has_plain_items(data)
    harmed = data.replace(b"Exif", b"Exi\x94", 1)
    assert not has_plain_items(harmed)
    with pytest.raises(InputError, match="found a damaged file"):
        read(tmp_path / "a.heic", harmed)


def test_an_item_whose_kind_is_no_text_does_not_crash_the_reader(tmp_path):
    """So it does on the media type of notes; ``make fuzz`` found it."""
    data = heic(UPRIGHT, xmp=b"<x/>")
    harmed = data.replace(b"application/rdf", b"appl\xff\xfftion/rdf", 1)
    assert harmed != data
    with pytest.raises(InputError, match="found a damaged file"):
        read(tmp_path / "a.heic", harmed)


@pytest.mark.parametrize("write", [heic, avif])
def test_a_harmed_photo_never_ends_in_another_error(tmp_path, write):
    data, rng, path = write(UPRIGHT), np.random.default_rng(0), tmp_path / "a.heic"
    lines = []
    for _ in range(150):
        harmed = bytearray(data)
        for place in rng.integers(0, len(harmed), rng.choice([1, 4, 30])):
            harmed[place] = rng.integers(256)
        with contextlib.suppress(InputError):
            read(path, bytes(harmed))
            continue
        with pytest.raises(InputError) as caught:
            read_photo(path)
        lines.append(str(caught.value))
    assert 0 < len(lines) < 150
    assert not any("\n" in line for line in lines)


def test_a_folder_lists_them(tmp_path):
    for name in ("a.heic", "b.HEIF", "c.avif", "d.mov"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.name for p in photos_in(tmp_path, "--photos")] == ["a.heic", "b.HEIF", "c.avif"]
