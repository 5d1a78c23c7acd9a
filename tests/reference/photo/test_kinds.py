"""Raw files are refused by name, and plain photos that look like them are read. All are written here."""

import contextlib
import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from portraiture.reference.errors import InputError
from portraiture.reference.photo.kinds import foreign_kind, tiff_pixels
from portraiture.reference.photo.read import read_photo

RGB = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
THUMBNAIL = RGB[:16, :16]
SENSOR = np.random.default_rng(1).integers(0, 4096, (64, 96), np.uint16)
CFA = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
RAW_REMEDY = "; develop it and export it as JPEG"


def make(name):
    return [(271, "s", 0, name, True)] if name else []


def thumbnail_raw(maker, byteorder="<", sensor=True):
    """As NEF, ARW and SRW: a thumbnail, and the sensor's data in a directory within the thumbnail's."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder=byteorder) as tiff:
        tiff.write(THUMBNAIL, photometric="rgb", subfiletype=1, subifds=1, extratags=make(maker), metadata=None)
        if sensor:
            tiff.write(SENSOR, photometric="cfa", extratags=CFA, metadata=None)
        else:
            tiff.write(RGB, photometric="rgb", metadata=None)
    return file.getvalue()


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def pages(*written):
    """A TIFF of several pages, each pixels and options; two axes are sensor data, three RGB."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for pixels, options in written:
            writer.write(pixels, photometric="cfa" if pixels.ndim == 2 else "rgb", metadata=None, **options)
    return file.getvalue()


def ftyp(major, *compatible):
    brands = major + b"\0\0\0\0" + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + struct.pack(">I", 500) + b"meta" + bytes(492)


def pillow_bytes(kind, **options):
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, kind, **options)
    return file.getvalue()


def tiff_with_pixels_first(start):
    """A plain TIFF whose pixels stand at byte 8, before its directory, and begin with ``start``."""
    pixels = np.frombuffer(start.ljust(RGB.size, b"\x80"), np.uint8).reshape(RGB.shape)
    behind = 8 + pixels.nbytes  # bits per sample, then the directory
    tags = [(256, 4, 1, 48), (257, 4, 1, 32), (258, 3, 3, behind), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 8)]
    tags += [(277, 3, 1, 3), (278, 4, 1, 32), (279, 4, 1, pixels.nbytes)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    header = b"II*\0" + struct.pack("<I", behind + 6)
    return header + pixels.tobytes() + struct.pack("<3H", 8, 8, 8) + directory, pixels


def refused(path, data):
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_photo(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a JPEG, PNG, TIFF, WebP, BMP, HEIC or AVIF photo, found ")
    assert "\n" not in message
    return message.partition(", found ")[2]


@pytest.mark.parametrize("name", ["photo.tif", "photo.JPG", "photo"])
@pytest.mark.parametrize(("maker", "kind"), [
    ("NIKON CORPORATION", "a Nikon"), ("SONY", "a Sony"), ("SAMSUNG", "a Samsung"), ("EASTMAN KODAK", "a Kodak"),
    ("SEIKO EPSON CORP.", "an Epson"), ("RICOH PENTAX", "a Pentax"), ("Nobody", "a camera's"), ("", "a camera's"),
])  # fmt: skip
@pytest.mark.parametrize("byteorder", "<>")
def test_a_raw_tiff_is_named_by_its_content(tmp_path, name, maker, kind, byteorder):
    assert refused(tmp_path / name, thumbnail_raw(maker, byteorder)) == f"{kind} raw file{RAW_REMEDY}"


RAW_BY_CONTENT = {
    "thumbnail, no sensor data known": (lambda: thumbnail_raw("NIKON", sensor=False), "a Nikon"),
    "sensor data first, as PEF": (lambda: tiff(SENSOR, photometric="cfa", extratags=CFA + make("PENTAX")), "a Pentax"),
    "sensor data in a later page": (lambda: pages((RGB, {}), (SENSOR, {"extratags": CFA})), "a camera's"),
    "DNG": (
        lambda: tiff(RGB, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True), *make("Apple")]),
        "a DNG",
    ),
    "CR2": (lambda: b"II*\0\x10\0\0\0CR\x02\0" + tiff(RGB, photometric="rgb")[12:], "a Canon"),
    "CRW": (lambda: b"II\x1a\0\0\0HEAPCCDR" + bytes(100), "a Canon"),
    "CR3": (lambda: ftyp(b"crx ", b"crx ", b"isom"), "a Canon"),
    "RAF": (lambda: b"FUJIFILMCCD-RAW 0201" + pillow_bytes("JPEG"), "a Fujifilm"),
    "ORF": (lambda: b"IIRO" + tiff(RGB, photometric="rgb")[4:], "an Olympus"),
    "ORF, older": (lambda: b"MMOR" + bytes(100), "an Olympus"),
    "RW2": (lambda: b"IIU\0" + tiff(RGB, photometric="rgb")[4:], "a Panasonic"),
    "X3F": (lambda: b"FOVb" + bytes(100), "a Sigma"),
    "MRW": (lambda: b"\0MRM" + bytes(100), "a Minolta"),
    "IIQ": (lambda: b"II*\0\x08\0\0\0IIII\x08waR" + bytes(100), "a Phase One"),
}


@pytest.mark.parametrize("case", RAW_BY_CONTENT)
def test_raw_by_content(tmp_path, case):
    write, kind = RAW_BY_CONTENT[case]
    assert refused(tmp_path / "photo.tif", write()) == f"{kind} raw file{RAW_REMEDY}"


@pytest.mark.parametrize(("suffix", "kind"), [
    (".nef", "a Nikon"), (".NRW", "a Nikon"), (".arw", "a Sony"), (".cr2", "a Canon"), (".cr3", "a Canon"),
    (".dng", "a DNG"), (".orf", "an Olympus"), (".rw2", "a Panasonic"), (".rwl", "a Leica"), (".raf", "a Fujifilm"),
    (".pef", "a Pentax"), (".srw", "a Samsung"), (".3fr", "a Hasselblad"), (".raw", "a camera's"),
])  # fmt: skip
@pytest.mark.parametrize("data", [tiff(RGB, photometric="rgb"), b"", b"unknown"], ids=["tiff", "empty", "unknown"])
def test_raw_by_suffix(tmp_path, suffix, kind, data):
    assert refused(tmp_path / f"photo{suffix}", data) == f"{kind} raw file{RAW_REMEDY}"


@pytest.mark.parametrize("suffix", [".nef", ".dng", ".heic"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_a_plain_photo_is_read_under_any_name(tmp_path, suffix, kind):
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(pillow_bytes(kind, lossless=True))
    np.testing.assert_array_equal(read_photo(path), RGB)


def test_a_film_is_no_photo_of_a_phone(tmp_path):
    assert refused(tmp_path / "a.mov", ftyp(b"qt  ")) == "another content; export it as JPEG"


@pytest.mark.parametrize("data", [
    pages((THUMBNAIL, {"subfiletype": 1, "subifds": 1}), (RGB, {})), pages((THUMBNAIL, {"subfiletype": 1}), (RGB, {})),
], ids=["within", "before"])  # fmt: skip
def test_a_thumbnail_before_its_picture(tmp_path, data):
    expected = "a TIFF that begins with a thumbnail; export its full picture as JPEG"
    assert refused(tmp_path / "photo.tif", data) == expected


@pytest.mark.parametrize("data", [
    pages((RGB, {"extratags": make("NIKON CORPORATION")})),
    pages((RGB, {"subifds": 1, "extratags": make("Canon")}), (THUMBNAIL, {"subfiletype": 1})),
    pages((RGB, {"extratags": make("SONY")}), (THUMBNAIL, {"subfiletype": 1})),
    pages((RGB, {"subfiletype": 2}), (THUMBNAIL, {"subfiletype": 2})),
    pages((RGB, {"subfiletype": 1, "extratags": make("SONY")})),
    tiff(RGB, photometric="rgb", bigtiff=True),
    tiff(RGB, photometric="rgb", byteorder=">"),
], ids=["of a camera", "pyramid", "thumbnail behind", "two pages", "alone", "BigTIFF", "big-endian"])  # fmt: skip
def test_a_plain_tiff_is_read(tmp_path, data):
    (tmp_path / "photo.tif").write_bytes(data)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.tif"), RGB)


@pytest.mark.parametrize("start", [b"CR", b"CR\x02\0", b"IIII", b"MMMM", b"FUJIFILMCCD-RAW", b"ftypcrx "])
def test_pixels_that_look_like_a_mark_are_read(tmp_path, start):
    data, pixels = tiff_with_pixels_first(start)
    (tmp_path / "photo.tif").write_bytes(data)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.tif"), pixels)


def test_a_harmed_file_never_ends_in_another_error(tmp_path):
    """Bytes of a raw TIFF are changed at random: whatever comes of it is a kind, a photo or an InputError."""
    rng, sound = np.random.default_rng(0), np.frombuffer(thumbnail_raw("SONY")[:2000], np.uint8)
    kinds = set()
    for _ in range(300):
        harmed = sound.copy()
        harmed[rng.integers(0, 300, 6)] = rng.integers(0, 256, 6)
        data = harmed.tobytes()[: int(rng.integers(8, 2000))]
        kinds.add(foreign_kind(data, ".tif"))
        assert tiff_pixels(data) is None or "-bit" in tiff_pixels(data)
        (tmp_path / "photo.tif").write_bytes(data)
        with contextlib.suppress(InputError):
            read_photo(tmp_path / "photo.tif")
    assert len(kinds) > 1


def test_directories_in_a_circle_end():
    circle = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 262, 3, 1, 2, 8)
    assert foreign_kind(circle, ".tif") is None
    assert tiff_pixels(circle) == "1-bit RGB"


def test_one_sample_has_no_planes_that_could_be_separate():
    file = io.BytesIO()
    Image.fromarray(RGB[..., 0]).save(file, "TIFF", tiffinfo={284: 2})
    assert tiff_pixels(file.getvalue()) == "8-bit gray"


def test_a_big_tiff_whose_offset_no_file_can_have_is_refused(tmp_path):
    """Found by ``make fuzz``."""
    (tmp_path / "a.tif").write_bytes(b"II+\0\x08\0\0\0" + b"\xff" * 8 + bytes(64))
    with pytest.raises(InputError, match="; "):
        read_photo(tmp_path / "a.tif")
