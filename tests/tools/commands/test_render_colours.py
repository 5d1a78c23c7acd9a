"""``render`` keeps a photo's colours, bits and notes: profiles, 16 bits, XMP, IPTC, and no stale gain map."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from click.testing import CliRunner, Result
from PIL import Image, ImageCms

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.metadata import IPTC_RESOURCE
from portraiture.reference.photo.read import open_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.commands import render

RED = (255, 10, 10)
"""Of Display P3: sRGB has no such red."""

IPTC = b"\x1c\x02\x50\x00\x06author\x1c\x02\x5a\x00\x06Munich"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Credit="whose"'
    b' photoshop:City="Munich" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def p3_profile() -> bytes:
    """sRGB's profile with the colorants of Display P3, adapted to D50."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", profile[128:132])
    places = {bytes(profile[at : at + 4]): struct.unpack(">I", profile[at + 4 : at + 8])[0]
              for at in range(132, 132 + 12 * count, 12)}  # fmt: skip
    colorants = {b"rXYZ": (0.51512, 0.24120, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189),
                 b"bXYZ": (0.15710, 0.06657, 0.78407)}  # fmt: skip
    for name, xyz in colorants.items():
        profile[places[name] + 8 : places[name] + 20] = struct.pack(">3i", *(round(v * 65536) for v in xyz))
    return bytes(profile)


@pytest.fixture(scope="module")
def pixels(astronaut: np.ndarray) -> np.ndarray:
    """The astronaut as Display P3, red patches on the suit and at the left rim."""
    small = cv2.resize(astronaut, (96, 128), interpolation=cv2.INTER_AREA)
    small[100:110, 40:50] = small[60:80, :8] = RED
    return small


def run(photo: Path, target: Path, *options: object) -> Result:
    arguments = [str(photo), "-o", str(target), *map(str, options)]
    return CliRunner().invoke(render.command, arguments, catch_exceptions=False)


@pytest.mark.parametrize("renderer", ["rnn", "crf"])
@pytest.mark.parametrize("deep", [False, True])
def test_colours_that_srgb_has_not_survive(tmp_path: Path, pixels: np.ndarray, renderer: str, deep: bool) -> None:
    icc = p3_profile()
    codes = pixels.astype(np.uint16) * 256 + 77 if deep else pixels
    if deep:
        tifffile.imwrite(tmp_path / "me.tif", codes, photometric="rgb", iccprofile=icc, metadata=None)
    else:
        Image.fromarray(codes).save(tmp_path / "me.tif", icc_profile=icc)
    person = np.zeros((128, 96), np.uint8)
    person[30:, 15:85] = 255
    write_photo(tmp_path / "mask.png", person)
    options = ("--renderer", renderer, "--aperture", 0.03, "--mask", tmp_path / "mask.png")
    run(tmp_path / "me.tif", tmp_path / "out.png", *options)
    found, source = open_photo(tmp_path / "out.png"), open_photo(tmp_path / "me.tif")
    assert found.icc == icc
    assert found.own.dtype == codes.dtype
    np.testing.assert_array_equal(found.own[102:108, 42:48], codes[102:108, 42:48])  # sharp: the very codes
    assert (source.rgb[62:78, 1:5, 0] == 255).all(), "clipped, as sRGB shows it"
    most = np.iinfo(codes.dtype).max
    blurred = found.own[66:74, 5:8] / most
    assert not np.array_equal(blurred, codes[66:74, 5:8] / most)
    assert blurred[..., 0].min() > 0.5, "red light spreads"


def test_the_same_picture_in_srgb_and_in_its_own_profile(tmp_path: Path, astronaut: np.ndarray) -> None:
    """Colours within sRGB: the portrait of the P3 photo shows what that of the sRGB photo shows."""
    small = Image.fromarray(astronaut).resize((96, 128))
    srgb, wide = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(p3_profile()))
    small.save(tmp_path / "srgb.png")
    converted = ImageCms.profileToProfile(small, srgb, wide)
    assert converted is not None
    converted.save(tmp_path / "wide.png", icc_profile=p3_profile())
    for name in ("srgb", "wide"):
        run(tmp_path / f"{name}.png", tmp_path / f"{name}_out.png", "--aperture", 0.03)
    plain, own = (open_photo(tmp_path / f"{name}_out.png") for name in ("srgb", "wide"))
    assert own.icc
    assert not plain.icc
    error = np.abs(plain.rgb.astype(int) - own.rgb)
    assert np.quantile(error, 0.99) <= 4
    assert error.mean() < 1


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray) -> Path:
    """A JPEG with EXIF, XMP that tells of a gain map, and IPTC."""
    path = tmp_path_factory.mktemp("rich") / "me.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 6.0)})
    block = b"Photoshop 3.0\08BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(IPTC)) + IPTC
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    Image.fromarray(pixels).save(path, exif=exif, xmp=XMP, extra=segment, quality=95)
    return path


def kept(path: Path) -> tuple[Image.Exif, str, bytes]:
    with Image.open(path) as image:
        image.load()
        xmp = image.info.get("xmp", b"")
        resources = image.info.get("photoshop") or {}
        return image.getexif(), xmp.decode() if isinstance(xmp, bytes) else xmp, resources.get(IPTC_RESOURCE, b"")


@pytest.mark.parametrize("location", [True, False])
def test_notes_are_kept_and_the_gain_map_is_not(tmp_path: Path, rich: Path, location: bool) -> None:
    result = run(rich, tmp_path / "out.jpg", *(() if location else ("--strip-location",)))
    assert "its gain map (HDR) is dropped" in result.stderr
    assert result.stderr.count("\n") == 1
    exif, xmp, iptc = kept(tmp_path / "out.jpg")
    assert exif[0x0131].endswith(": background blurred, RNN renderer, aperture 0.016")
    assert 'Credit="whose"' in xmp
    assert "hdr-gain-map" not in xmp
    assert b"hdr-gain-map" not in (tmp_path / "out.jpg").read_bytes()
    assert iptc.startswith(b"\x1c\x02\x50\x00\x06author")
    assert ("Munich" in xmp) is (b"Munich" in iptc) is bool(exif.get_ifd(0x8825)) is location


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".heic"])
def test_the_ending_says_the_format(tmp_path: Path, rich: Path, suffix: str) -> None:
    pillow_heif.register_heif_opener()
    result = run(rich, tmp_path / f"out{suffix}")
    assert f"its IPTC is dropped, {suffix} has no place for it; write a .jpg to keep it" in result.stderr
    exif, xmp, _ = kept(tmp_path / f"out{suffix}")
    assert exif[0x010F] == "Maker"
    assert 'Credit="whose"' in xmp


@pytest.mark.parametrize("name", ["out.bmp", "out.tif", "out.gif"])
def test_another_ending_is_refused_with_the_list(tmp_path: Path, rich: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"one of \.png, \.jpg, \.jpeg, \.webp, \.avif, \.heic, \.heif, or a folder"):
        run(rich, tmp_path / name)


def test_heic_without_its_package_is_refused_before_work(
    tmp_path: Path, rich: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portraiture.reference.photo import write

    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install 'portraiture\\[heic\\]'"):
        run(rich, tmp_path / "out.heic")


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.heic", "out.avif", "out.webp"])
def test_colours_named_by_numbers_stay_wide(tmp_path: Path, pixels: np.ndarray, name: str) -> None:
    """A HEIC that says Display P3 by its numbers alone: the red that sRGB has not is still there."""
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(
        tmp_path / "me.heic", quality=100, chroma=444, color_primaries=12, transfer_characteristics=13,
        matrix_coefficients=6, full_range_flag=1,
    )  # fmt: skip
    run(tmp_path / "me.heic", tmp_path / name, "--aperture", 0)
    source, found = open_photo(tmp_path / "me.heic"), open_photo(tmp_path / name)
    assert found.icc == source.icc != b""
    sharp = np.s_[101:109, 42:48]
    np.testing.assert_allclose(found.own[sharp].astype(int).mean((0, 1)), RED, rtol=0, atol=6)
    assert found.rgb[sharp][..., 1].max() < 8  # beyond sRGB
