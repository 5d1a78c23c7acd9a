"""Kinds of pixels: BMP, transparent and 16-bit TIFFs and PNGs, pages, planes. All files are written here."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo

H, W = 24, 32
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (H, W, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (H, W, 1), np.uint8)


def random16(*shape):
    return RNG.integers(0, 65536, shape).astype(np.uint16)


def read(path, data):
    path.write_bytes(data)
    return read_photo(path).astype(int)


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def on_white(colours, alpha):
    """0..1 of straight colours and alpha, as codes."""
    return np.broadcast_to(np.rint((colours * alpha + 1 - alpha) * 255), (H, W, 3))


def pillow_bmp(image):
    file = io.BytesIO()
    image.save(file, "BMP")
    return file.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp(tmp_path, mode):
    image = Image.fromarray(RGB)
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    np.testing.assert_array_equal(read(tmp_path / "a.bmp", pillow_bmp(image)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("height", [H, -H])
def test_a_bmp_of_32_bits_from_either_end(tmp_path, height):
    """BITMAPV4HEADER with masks for red, green, blue and alpha; a negative height stores the top row first."""
    rows = np.dstack([RGB[..., ::-1], ALPHA])[:: -1 if height > 0 else 1]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, W, height, 1, 32, 3, rows.nbytes, 2835, 2835, 0, 0) + masks
    header = header.ljust(108, b"\0")
    data = b"BM" + struct.pack("<IHHI", 14 + 108 + rows.nbytes, 0, 0, 14 + 108) + header + rows.tobytes()
    assert np.abs(read(tmp_path / "a.bmp", data) - on_white(RGB / 255, ALPHA / 255)).max() <= 1


def test_a_cut_bmp_is_damaged(tmp_path):
    with pytest.raises(InputError, match="found a damaged file"):
        read(tmp_path / "a.bmp", pillow_bmp(Image.fromarray(RGB))[:-100])


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_8_bit_tiff_with_alpha(tmp_path, alpha, channels):
    colours, share = RGB[..., :channels] / 255, ALPHA / 255
    stored = np.rint(colours * (share if alpha == "assocalpha" else 1) * 255)
    data = tiff(
        np.dstack([stored, ALPHA]).astype(np.uint8),
        photometric="rgb" if channels == 3 else "minisblack",
        extrasamples=[alpha],
        planarconfig="contig",
    )
    # Pillow divides by alpha and rounds before it multiplies again
    found, expected = read(tmp_path / "a.tif", data), on_white(colours, share)
    assert np.abs(found - expected).max() <= (1 if alpha == "unassalpha" else 2)


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha", "unspecified"])
def test_a_16_bit_rgba_tiff(tmp_path, alpha):
    """A fourth channel of unspecified meaning is no transparency."""
    colours, share = random16(H, W, 3) / 65535, random16(H, W, 1) / 65535
    stored = np.rint(np.dstack([colours * (share if alpha == "assocalpha" else 1), share]) * 65535)
    data = tiff(stored.astype(np.uint16), photometric="rgb", extrasamples=[alpha])
    expected = np.rint(colours * 255) if alpha == "unspecified" else on_white(colours, share)
    found = read(tmp_path / "a.tif", data)
    assert np.abs(found - expected).max() <= (0 if alpha == "unspecified" else 1)
    assert (found != expected).mean() < 0.001


def test_a_16_bit_gray_png_with_alpha(tmp_path):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    pixels = random16(H, W, 2)
    rows = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 4, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    found, expected = read(tmp_path / "a.png", data), on_white(pixels[..., :1] / 65535, pixels[..., 1:] / 65535)
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.001


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_gray_tiff_whose_zero_is_white(tmp_path, dtype):
    stored = RGB[..., 0].astype(dtype) * (257 if dtype == np.uint16 else 1)
    expected = np.repeat(255 - RGB[..., :1].astype(int), 3, axis=2)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", tiff(stored, photometric="miniswhite")), expected)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", "<>")
def test_a_16_bit_cmyk_tiff_is_cut_to_8_bits(tmp_path, byteorder, compression):
    cmyk = random16(H, W, 4)
    data = tiff(cmyk, photometric="separated", byteorder=byteorder, compression=compression)
    inks = (cmyk >> 8) / 255
    expected = (1 - inks[..., :3]) * (1 - inks[..., 3:]) * 255
    assert np.abs(read(tmp_path / "a.tif", data) - expected).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_first_page_of_a_tiff_is_read(tmp_path, dtype):
    first = np.full((H, W, 3), (10, 200, 90), np.uint8)
    pages = np.stack([first, RGB]).astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", tiff(pages, photometric="rgb")), first)


def test_lab_is_converted(tmp_path):
    lab = np.zeros((H, W, 3), np.uint8)
    lab[:] = (136, 81, 70)  # L* 53.3, a* 81, b* 70: near the red of sRGB, which has 54.3, 80.8, 69.9
    assert np.abs(read(tmp_path / "a.tif", tiff(lab, photometric="cielab")) - (255, 0, 0)).max() <= 6


@pytest.mark.parametrize(("pixels", "options", "name"), [
    (random16(H, W, 2), {"photometric": "minisblack", "extrasamples": ["unassalpha"], "planarconfig": "contig"},
     "16-bit gray with alpha"),
    (random16(H, W, 5), {"photometric": "rgb", "extrasamples": ["unspecified"] * 2, "planarconfig": "contig"},
     "16-bit RGB with 2 more channels"),
    (random16(3, H, W), {"photometric": "rgb", "planarconfig": "separate"}, "16-bit RGB in separate planes"),
    (random16(3, H, W), {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib"},
     "16-bit RGB in separate planes"),
    (random16(4, H, W), {"photometric": "separated", "planarconfig": "separate"}, "16-bit CMYK in separate planes"),
    (random16(H, W, 3), {"photometric": "cielab"}, "16-bit Lab"),
    (RGB.astype(np.float32), {"photometric": "rgb"}, "32-bit float RGB"),
    (RGB[..., 0].astype(np.float32), {"photometric": "minisblack"}, "32-bit float gray"),
    (RGB[..., 0].astype(np.float16), {"photometric": "minisblack"}, "16-bit float gray"),
    (RGB[..., 0].astype(np.int16), {"photometric": "minisblack"}, "16-bit signed gray"),
    (RGB[..., 0].astype(np.uint32), {"photometric": "minisblack"}, "32-bit gray"),
])  # fmt: skip
def test_pixels_that_are_not_supported_are_named(tmp_path, pixels, options, name):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.tif", tiff(pixels, **options))
    assert str(caught.value).endswith(f"found a TIFF of {name}, which is not supported; export it as JPEG")


def test_a_compression_that_is_not_supported_is_named(tmp_path):
    data = bytearray(tiff(RGB, photometric="rgb"))
    entry = data.find(struct.pack("<HHI", 259, 3, 1))
    data[entry + 8 : entry + 10] = struct.pack("<H", 34712)  # JPEG 2000
    with pytest.raises(InputError, match="a TIFF of 8-bit RGB in compression 34712, which is not supported"):
        read(tmp_path / "a.tif", bytes(data))


def test_8_bit_planes_are_read(tmp_path):
    data = tiff(np.ascontiguousarray(RGB.transpose(2, 0, 1)), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read(tmp_path / "a.tif", data), RGB)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0"])
def test_broken_exif_is_ignored(tmp_path, kind, exif):
    file = io.BytesIO()
    flat = np.full((H, W, 3), 90, np.uint8)
    Image.fromarray(flat).save(file, kind, exif=exif, lossless=True)
    np.testing.assert_array_equal(read(tmp_path / "a.img", file.getvalue()), flat)


def test_a_file_of_opencv_is_read(tmp_path):
    _, encoded = cv2.imencode(".bmp", RGB[..., ::-1])
    np.testing.assert_array_equal(read(tmp_path / "a.bmp", encoded.tobytes()), RGB)
