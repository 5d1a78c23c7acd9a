"""A depth in a picture's file: read back by exiftool, by pillow-heif and by our own reader; long XMP is kept whole."""

import io
import json
import shutil
import subprocess

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from portraiture.reference.errors import InputError
from portraiture.reference.lens.metres import MIDDLE_M, depth_of_inverse, inverse_of_depth
from portraiture.reference.photo import stored_depth
from portraiture.reference.photo.apple_write import made_auxiliary
from portraiture.reference.photo.decode import NOTHING, Metadata
from portraiture.reference.photo.embedded import embedded_maps
from portraiture.reference.photo.iso_items import items_of
from portraiture.reference.photo.jpeg_parts import end_of_picture, xmp_packets
from portraiture.reference.photo.metadata import portrait_metadata
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import PICTURE_SUFFIXES, write_photo

RNG = np.random.default_rng(0)
PICTURE = cv2.resize(RNG.integers(0, 256, (12, 16, 3), np.uint8), (128, 96), interpolation=cv2.INTER_CUBIC)
DEPTH = np.linspace(0.15, 0.95, 96 * 128).reshape(96, 128)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:my="http://example.com/my/"'
    b' dc:source="kept" %s/></rdf:RDF></x:xmpmeta>'
)
exiftool = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(exiftool is None, reason="no exiftool (Debian: libimage-exiftool-perl)")


def written(path, depth=DEPTH, beside=NOTHING):
    write_photo(path, PICTURE, beside, inverse_of_depth(depth))
    return path.read_bytes()


def read_back(data):
    found = embedded_maps(data)
    return depth_of_inverse(found.inverse, found.span)


@pytest.mark.parametrize("name", ["o.jpg", "o.jpeg", "o.heic", "o.heif"])
@pytest.mark.parametrize("low", [0.15, 0.55])
def test_our_own_reader_gets_the_depth_back(tmp_path, name, low):
    depth = low + (DEPTH - DEPTH.min()) * (0.95 - low) / 0.8
    found = read_back(written(tmp_path / name, depth))
    np.testing.assert_allclose(found, depth, rtol=0, atol=0.012)
    assert np.all(np.diff(found.ravel()[:: 96 * 8]) > 0)
    assert stored_depth.ANCHOR == 1 / MIDDLE_M


@pytest.mark.parametrize("name", ["o.jpg", "o.heic"])
def test_the_picture_is_what_it_is_without_a_depth(tmp_path, name):
    written(tmp_path / name)
    write_photo(tmp_path / f"plain_{name}", PICTURE)
    np.testing.assert_array_equal(read_photo(tmp_path / name), read_photo(tmp_path / f"plain_{name}"))


def test_pillow_heif_sees_one_picture_with_a_depth(tmp_path):
    icc = b""
    written(tmp_path / "o.heic", beside=Metadata(xmp=XMP % b"", icc=icc))
    file = pillow_heif.open_heif(tmp_path / "o.heic")
    assert len(file) == 1
    (depth,) = file.info["depth_images"]
    codes = np.asarray(depth.to_pillow())
    assert codes.shape == (96, 128)
    items = items_of((tmp_path / "o.heic").read_bytes())
    (number,) = items.pointing(b"auxl", items.primary)
    assert b"infe\2\0\0\1" + number.to_bytes(2, "big") in items.data, "hidden: readers of top pictures skip it"
    assert codes[0, 0] > 250 > 5 > codes[-1, -1]  # Apple's is larger where it is nearer
    assert b"kept" in file.info["xmp"]


@needs_exiftool
@pytest.mark.parametrize("name", ["o.jpg", "o.heic"])
def test_exiftool_reads_it(tmp_path, name):
    written(tmp_path / name)
    done = subprocess.run([exiftool, "-j", "-G1", "-validate", "-warning", "-a", "-all", str(tmp_path / name)],
                          capture_output=True, text=True, check=True)  # fmt: skip
    (found,) = json.loads(done.stdout)
    near, far = (float(1 / inverse_of_depth(np.array(d))) for d in (DEPTH.min(), DEPTH.max()))
    assert found["ExifTool:Validate"] == "OK"
    if name == "o.heic":
        assert found["QuickTime:AuxiliaryImageType"] == "urn:mpeg:hevc:2015:auxid:2"
        assert found["XMP-apdi:AuxiliaryImageType"] == "disparity"
        assert found["XMP-apdi:FloatMaxValue"] == pytest.approx(1 / near, rel=1e-4)
        assert found["XMP-apdi:FloatMinValue"] == pytest.approx(1 / far, rel=1e-4)
        return
    assert found["XMP-Device:ProfileType"] == "DepthPhoto"
    assert found["XMP-Device:CameraDepthMapFormat"] == found["XMP-GDepth:Format"] == "RangeInverse"
    for tag in ("XMP-Device:CameraDepthMap{}", "XMP-GDepth:{}"):
        assert found[tag.format("Near")] == pytest.approx(near, rel=1e-4)
        assert found[tag.format("Far")] == pytest.approx(far, rel=1e-4)
    assert found["XMP-Device:CameraDepthMapDepthURI"] == found["XMP-Device:ContainerDirectoryItemDataURI"][1]
    data, length = (tmp_path / name).read_bytes(), found["XMP-Device:ContainerDirectoryItemLength"][1]
    whole = subprocess.run(
        [exiftool, "-b", "-XMP-GDepth:DepthImage", str(tmp_path / name)], capture_output=True, check=True
    )
    assert whole.stdout == data[-length:] == data[end_of_picture(data) :]


def test_the_prefixes_are_those_of_the_specification_whatever_the_photo_calls_its_own(tmp_path):
    """Not all readers of today are readers of XML."""
    written(tmp_path / "o.jpg", beside=Metadata(xmp=(XMP % b'Item:a="b"').replace(b"xmlns:my", b"xmlns:Item")))
    packet, _ = xmp_packets((tmp_path / "o.jpg").read_bytes())
    for mark in (b"<Container:Item Item:Mime=", b"DepthMap:Near=", b"GDepth:Data=", b"<Device:Container"):
        assert mark in packet
    assert b'source="kept"' in packet


def test_a_reader_of_gdepth_alone_finds_the_same_depth(tmp_path):
    data = written(tmp_path / "o.jpg")
    both, alone = embedded_maps(data), embedded_maps(data[: end_of_picture(data)])
    assert (both.kind, alone.kind) == ("Dynamic Depth", "GDepth")
    np.testing.assert_array_equal(both.inverse, alone.inverse)


@pytest.mark.parametrize("suffix", [s for s in PICTURE_SUFFIXES if s not in (".jpg", ".jpeg", ".heic", ".heif")])
def test_other_formats_refuse_in_one_line(tmp_path, suffix):
    with pytest.raises(
        InputError, match=r"expected a file that can hold a depth \(\.jpg: Dynamic Depth, \.heic: Apple's\)"
    ):
        written(tmp_path / f"o{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["o.jpg", "o.heic"])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_depth_stays_flat(tmp_path, name, value):
    found = read_back(written(tmp_path / name, np.full((96, 128), value)))
    assert np.ptp(found) < 0.01


def test_a_large_depth_is_stored_smaller(tmp_path):
    written(tmp_path / "o.jpg", cv2.resize(DEPTH, (1600, 1200)))
    assert max(embedded_maps((tmp_path / "o.jpg").read_bytes()).inverse.shape) == stored_depth.MOST_PX


def test_a_file_of_another_form_is_not_changed_into_nonsense():
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PICTURE)).save(file)
    with pytest.raises(ValueError, match="another form"):
        made_auxiliary(file.getvalue())


LONG = b" ".join(b'my:n%d="%s"' % (k, b"abc" * 3000) for k in range(10))
LONG += b">" + b"".join(b"<my:n%d>%s</my:n%d>" % (k, b"abc" * 3000, k) for k in range(10, 20))
LONG += b"</rdf:Description><rdf:Description"


@pytest.mark.parametrize(
    ("name", "depth"),
    [*((f"o.{end}", False) for end in ("jpg", "png", "webp", "avif", "heic")), ("o.jpg", True), ("o.heic", True)],
)
def test_xmp_beyond_a_segment_is_kept(tmp_path, name, depth):
    beside = Metadata(xmp=portrait_metadata_of(tmp_path, XMP % LONG))
    assert len(beside.xmp) > 180_000
    if depth:
        written(tmp_path / name, beside=beside)
    else:
        write_photo(tmp_path / name, PICTURE, beside)
    again = portrait_metadata((tmp_path / name).read_bytes(), (96, 128)).xmp
    for k in range(20):
        assert b'n%d="abcabc' % k in again or b"n%d>abcabc" % k in again
    assert b'source="kept"' in again
    assert (embedded_maps((tmp_path / name).read_bytes()) is not None) is depth


def portrait_metadata_of(folder, xmp):
    """The notes of a PNG, which holds XMP of any length."""
    write_photo(folder / "long.png", PICTURE, Metadata(xmp=xmp))
    return portrait_metadata((folder / "long.png").read_bytes(), (96, 128)).xmp


def test_one_property_beyond_a_segment_is_kept_in_parts(tmp_path):
    write_photo(tmp_path / "o.jpg", PICTURE, Metadata(xmp=XMP % (b'my:note="%s"' % (b"x" * 150_000))))
    data = (tmp_path / "o.jpg").read_bytes()
    packet, extended = xmp_packets(data)
    assert b"HasExtendedXMP" in packet
    assert b"x" * 150_000 in extended
    assert data.count(b"http://ns.adobe.com/xmp/extension/\0") == 3
    with Image.open(tmp_path / "o.jpg") as image:
        image.load()
