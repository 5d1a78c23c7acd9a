"""What ``write_photo`` writes, read back by Pillow and, where it is installed, by exiftool."""

import json
import shutil
import subprocess

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from portraiture.reference.errors import InputError
from portraiture.reference.photo import write
from portraiture.reference.photo.decode import Metadata
from portraiture.reference.photo.metadata import has_gain_map
from portraiture.reference.photo.read import open_photo, read_photo
from portraiture.reference.photo.write import PICTURE_SUFFIXES, write_photo

pillow_heif.register_heif_opener()  # to read back with another reader than the project's

H, W = 65, 47  # odd: no format may need even sides
ROWS, COLUMNS = np.mgrid[0:H, 0:W]
PICTURE = np.stack([ROWS * 3 + 20, COLUMNS * 4 + 30, 200 - ROWS - COLUMNS], axis=-1).astype(np.uint8)
FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".avif": "AVIF", ".heic": "HEIF", ".heif": "HEIF",
}  # fmt: skip
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Credit="whose"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
IPTC = b"\x1c\x02\x50\x00\x06author"


def beside(icc=b""):
    exif = Image.Exif()
    exif[0x010F], exif[0x0131] = "Maker", "portraiture"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 6.0)})
    return Metadata(exif.tobytes(), XMP, IPTC, icc)


def test_the_list_is_complete():
    assert set(PICTURE_SUFFIXES) == set(FORMATS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_suffix_is_its_format_with_all_that_stands_beside(tmp_path, p3, suffix):
    path = tmp_path / f"o{suffix}"
    write_photo(path, PICTURE, beside(p3.icc))
    with Image.open(path) as image:
        assert (image.format, image.size) == (FORMATS[suffix], (W, H))
        image.load()
        assert image.info["icc_profile"] == p3.icc
        assert image.getexif()[0x010F] == "Maker"
        assert dict(image.getexif().get_ifd(0x8825)) == {1: "N", 2: (48.0, 8.0, 6.0)}
        xmp = image.info["xmp"]
        assert (xmp.encode() if isinstance(xmp, str) else xmp) == XMP
    error = np.abs(open_photo(path).own.astype(int) - PICTURE)
    assert error.max() <= (0 if suffix == ".png" else 12)
    assert error.mean() < 1.5
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".heic"])
def test_exiftool_reads_it_too(tmp_path, p3, suffix):
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool, which is not installed here")
    path = tmp_path / f"o{suffix}"
    write_photo(path, PICTURE, beside(p3.icc))
    asked = ["exiftool", "-json", "-G", "-warning", "-error", "-all", path]
    done = subprocess.run(asked, capture_output=True, check=True)
    found = json.loads(done.stdout)[0]
    assert not [name for name in found if "Warning" in name or "Error" in name], found
    assert found["EXIF:Make"] == "Maker"
    assert found["XMP:Credit"] == "whose"
    assert found["ICC_Profile:ProfileDescription"] == "wide"
    assert ("IPTC:By-line" in found) == (suffix == ".jpg")


@pytest.mark.parametrize("suffix", FORMATS)
def test_without_metadata_there_is_none(tmp_path, suffix):
    path = tmp_path / f"o{suffix}"
    write_photo(path, PICTURE)
    with Image.open(path) as image:
        image.load()
        assert not image.info.get("icc_profile")
        assert not len(image.getexif())
        assert not image.info.get("xmp")


def test_16_bits_stay_in_a_png_and_are_rounded_elsewhere(tmp_path):
    deep = PICTURE.astype(np.uint16) * 257 + 100
    write_photo(tmp_path / "o.png", deep)
    np.testing.assert_array_equal(open_photo(tmp_path / "o.png").own, deep)
    read = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., ::-1], deep)
    write_photo(tmp_path / "deep.jpg", deep)
    write_photo(tmp_path / "o.jpg", PICTURE)  # 100 of 257 rounds down
    np.testing.assert_array_equal(read_photo(tmp_path / "deep.jpg"), read_photo(tmp_path / "o.jpg"))


def test_a_profile_of_many_segments_is_whole(tmp_path):
    large = bytes(np.random.default_rng(0).integers(0, 256, 150_000, dtype=np.uint8))
    write_photo(tmp_path / "o.jpg", PICTURE, Metadata(icc=large))
    with Image.open(tmp_path / "o.jpg") as image:
        assert image.info["icc_profile"] == large
    marks = [part[:2] for part in (tmp_path / "o.jpg").read_bytes().split(b"ICC_PROFILE\0")[1:]]
    assert marks == [b"\x01\x03", b"\x02\x03", b"\x03\x03"]


def test_what_a_format_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"o\.webp: expected to write 20000x2 pixels, found: .*; write it as \.png"):
        write_photo(tmp_path / "o.webp", np.zeros((2, 20_000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_heic_without_its_package_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"o\.heic: expected pillow-heif to write HEIC, found none; pip install"):
        write_photo(tmp_path / "o.heic", PICTURE)
    write_photo(tmp_path / "o.avif", PICTURE)


@pytest.mark.parametrize("mark", ["hdr-gain-map/1.0/", "HDRGainMap/1.0/", "iso:ts:21496:-1", "aux:hdrgainmap"])
def test_a_gain_map_is_seen_by_each_mark(tmp_path, mark):
    marks = {"hdr": "http://ns.adobe.com/", "HDR": "http://ns.apple.com/", "iso": "urn:iso:std:",
             "aux": "urn:com:apple:photo:2020:"}  # fmt: skip
    write_photo(tmp_path / "plain.jpg", PICTURE)
    data = (tmp_path / "plain.jpg").read_bytes()
    (tmp_path / "hdr.jpg").write_bytes(data + (marks[mark[:3]] + mark).encode())
    assert has_gain_map((tmp_path / "hdr.jpg").read_bytes())
    assert not has_gain_map((tmp_path / "plain.jpg").read_bytes())


def test_a_heif_of_two_pictures_and_a_tone_map_has_a_gain_map(tmp_path):
    brands = b"".join((b"mif1", b"\0\0\0\0", b"mif1", b"tmap"))
    (tmp_path / "a.heic").write_bytes((8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands)
    assert has_gain_map((tmp_path / "a.heic").read_bytes())
