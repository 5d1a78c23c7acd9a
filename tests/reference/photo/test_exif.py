"""What a portrait keeps of a photo's EXIF, written by Pillow and read from the file that is written."""

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from portraiture.reference.photo.metadata import portrait_metadata
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo

EXIF, GPS = 0x8769, 0x8825
DATE = "2026:05:04 03:02:01"
PLACE = {1: "N", 2: (48.0, 8.0, 6.0), 3: "E", 4: (11.0, 34.0, 0.0)}
PORTRAIT = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def written_by_a_phone():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132], exif[0x8298] = 6, "Maker", DATE, "whose it is"
    exif[0x0100], exif[0x0103] = 4000, 6  # width and compression of the thumbnail, as some phones have it
    taken = {0x9003: DATE, 0x829A: (1, 125), 0x920A: 85.0, 0x927C: b"maker's note", 0xA001: 65535, 0xA002: 4000}
    exif.get_ifd(EXIF).update(taken)
    exif.get_ifd(GPS).update(PLACE)
    return exif


def photo(path, kind, exif=None):
    exif = written_by_a_phone() if exif is None else exif
    light = Image.fromarray(np.full((48, 64, 3), 128, np.uint8))
    if kind == "HEIF":
        pillow_heif.from_pillow(light).save(path, exif=exif.tobytes())
    elif kind == "TIFF":
        light.save(path, kind, exif=exif, tiffinfo={0x0112: 6})
    else:
        light.save(path, kind, exif=exif)
    return path


def test_a_tag_of_another_type_is_left_out_and_the_others_stay(tmp_path):
    """Found by ``make fuzz``: a text that a damaged file calls a fraction."""
    source = photo(tmp_path / "a.jpg", "JPEG")
    data = bytearray(source.read_bytes())
    (at,) = [k for k in range(len(data)) if bytes(data[k : k + 4]) in (b"\x01\x32\0\x02", b"\x32\x01\x02\0")]
    data[at + 2 : at + 4] = data[at + 2 : at + 4].replace(b"\x02", b"\x05")  # DateTime as a rational
    block = portrait_metadata(bytes(data), (64, 48)).exif
    assert block
    found = Image.Exif()
    found.load(block)
    assert (found[0x010F], found.get_ifd(EXIF)[0x9003]) == ("Maker", DATE)
    assert 0x0132 not in found


def kept(path):
    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        return exif, dict(exif.get_ifd(EXIF)), dict(exif.get_ifd(GPS))


@pytest.mark.parametrize("target", ["portrait.jpg", "portrait.png", "portrait.webp", "portrait.avif", "portrait.heic"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_portrait_says_when_where_and_how_it_was_taken(tmp_path, kind, target):
    source = photo(tmp_path / "a", kind)
    write_photo(tmp_path / target, PORTRAIT, portrait_metadata(source.read_bytes(), PORTRAIT.shape[:2]))
    first, taken, place = kept(tmp_path / target)
    assert (first[0x010F], first[0x0132], first[0x8298]) == ("Maker", DATE, "whose it is")
    assert first[0x0131].startswith("portraiture ")
    assert (taken[0x9003], float(taken[0x920A])) == (DATE, 85.0)
    assert (taken[0xA002], taken[0xA003], taken[0xA001]) == (48, 64, 1), "its own size, in sRGB"
    assert place == PLACE
    assert not {0x0112, 0x0100, 0x0103} & set(first), "turned already, and no tag of other pixels"
    assert 0x927C not in taken
    np.testing.assert_array_equal(read_photo(tmp_path / target).shape, PORTRAIT.shape)


@pytest.mark.parametrize("target", ["portrait.jpg", "portrait.png"])
def test_the_pixels_are_those_of_a_portrait_without_exif(tmp_path, target):
    write_photo(tmp_path / f"bare_{target}", PORTRAIT)
    write_photo(tmp_path / target, PORTRAIT, portrait_metadata(photo(tmp_path / "a", "JPEG").read_bytes(), (64, 48)))
    bare, whole = (tmp_path / f"bare_{target}").read_bytes(), (tmp_path / target).read_bytes()
    assert len(whole) > len(bare)
    np.testing.assert_array_equal(*(cv2.imread(str(tmp_path / n)) for n in (target, f"bare_{target}")))


def test_the_place_can_be_left_out(tmp_path):
    source = photo(tmp_path / "a.jpg", "JPEG")
    write_photo(tmp_path / "p.jpg", PORTRAIT, portrait_metadata(source.read_bytes(), (64, 48), location=False))
    first, taken, place = kept(tmp_path / "p.jpg")
    assert place == {}
    assert GPS not in first
    assert taken[0x9003] == DATE


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0" + bytes(40)])
def test_a_photo_without_exif_or_with_a_broken_one_gives_none(tmp_path, exif):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    assert portrait_metadata((tmp_path / "a.jpg").read_bytes(), (64, 48)).exif == b""


def test_a_block_that_is_too_large_is_left_out(tmp_path):
    exif = written_by_a_phone()
    exif[0x010E] = "x" * 61_000
    assert portrait_metadata(photo(tmp_path / "a.jpg", "JPEG", exif).read_bytes(), (64, 48)).exif == b""
