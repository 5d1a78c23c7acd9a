"""Photos stored on their side, with and without a colour profile. Expected pixels come from the EXIF table alone."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from portraiture.reference.photo.read import open_photo, read_photo

# EXIF 2.32, 4.6.4 A: the side of the upright photo at which the stored row 0 lies, and that of column 0
STORED_SIDES = {
    1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
    5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
}  # fmt: skip
H, W = 48, 64
COLOURS = np.array([[[200, 90, 70], [60, 160, 80]], [[40, 100, 220], [90, 190, 190]]], np.uint8)
UPRIGHT = COLOURS.repeat(H // 2, axis=0).repeat(W // 2, axis=1)
GRAYS = np.array([[40, 90], [140, 200]], np.uint8).repeat(H // 2, axis=0).repeat(W // 2, axis=1)
ALPHA = np.full((H, W), 255, np.uint8)
ALPHA[: H // 2, W // 2 :] = 0  # the upper right corner becomes white


def stored(upright, orientation):
    """The pixels as a file of this orientation stores them, from the pixels as they are seen."""
    row_side, column_side = STORED_SIDES[orientation]
    pixels = upright[::-1] if "bottom" in (row_side, column_side) else upright
    pixels = pixels[:, ::-1] if "right" in (row_side, column_side) else pixels
    return np.ascontiguousarray(pixels.swapaxes(0, 1) if row_side in ("left", "right") else pixels)


def deep(pixels):
    """8-bit codes as 16-bit ones."""
    return pixels.astype(np.uint16) * 257


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def xmp_of(orientation):
    description = f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
    rdf = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{description}</rdf:RDF>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta>'.encode()


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_bytes(pixels, before=b"", after=b""):
    """A PNG of HxW or HxWxC uint8 or uint16, with chunks of ours before and after its pixels."""
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[planes.shape[2]]
    rows = planes.astype(planes.dtype.newbyteorder(">"))
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8 * rows.itemsize, colour_type, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    body = before + chunk(b"IDAT", zlib.compress(lines)) + after
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def exif_chunk(orientation):
    return chunk(b"eXIf", exif_of(orientation).removeprefix(b"Exif\0\0"))


def icc_chunk(icc):
    return chunk(b"iCCP", b"wide\0\0" + zlib.compress(icc)) if icc else b""


def tiff_bytes(pixels, orientation=None, xmp=b"", **options):
    """A TIFF by tifffile; ``options`` are those of its ``imwrite``."""
    tags = [] if orientation is None else [(274, 3, 1, orientation, True)]
    tags += [(700, 1, len(xmp), xmp, True)] if xmp else []
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, extratags=tags + options.pop("extratags", []), metadata=None, **options)
    return file.getvalue()


def pillow_bytes(pixels, kind, **options):
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, kind, **{name: value for name, value in options.items() if value is not None})
    return file.getvalue()


def jpeg(pixels, orientation, icc):
    options = {"exif": exif_of(orientation), "icc_profile": icc, "quality": 98, "subsampling": 0}
    return pillow_bytes(pixels, "JPEG", **options)


def mpo(pixels, orientation, icc):
    second = Image.fromarray(255 - pixels)
    options = {"exif": exif_of(orientation), "icc_profile": icc, "quality": 98, "subsampling": 0}
    return pillow_bytes(pixels, "MPO", save_all=True, append_images=[second], **options)


def png(pixels, orientation, icc):
    return pillow_bytes(pixels, "PNG", exif=exif_of(orientation), icc_profile=icc)


def png16(pixels, orientation, icc):
    return png_bytes(deep(pixels), icc_chunk(icc) + exif_chunk(orientation))


def late_png16(pixels, orientation, icc):
    return png_bytes(deep(pixels), icc_chunk(icc), after=exif_chunk(orientation))


def late_png(pixels, orientation, icc):
    return png_bytes(pixels, icc_chunk(icc), after=exif_chunk(orientation))


def palette_png(pixels, orientation, icc):
    colours, indices = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(indices.reshape(pixels.shape[:2]).astype(np.uint8)).convert("P")
    image.putpalette(colours.ravel().tolist())
    return pillow_bytes(image, "PNG", exif=exif_of(orientation), icc_profile=icc)


def webp(pixels, orientation, icc):
    options = {"exif": exif_of(orientation), "icc_profile": icc, "lossless": True}
    return pillow_bytes(pixels, "WEBP", **options)


def tiff(pixels, orientation, icc):
    return tiff_bytes(pixels, orientation, iccprofile=icc, photometric="rgb")


def packed_tiff(pixels, orientation, icc):
    options = {"compression": "tiff_lzw", "tiffinfo": {274: orientation}, "icc_profile": icc}
    return pillow_bytes(pixels, "TIFF", **options)


def tiff16(pixels, orientation, icc):
    return tiff_bytes(deep(pixels), orientation, iccprofile=icc, photometric="rgb")


def pages_tiff16(pixels, orientation, icc):
    pages = deep(np.stack([pixels, 255 - pixels]))
    return tiff_bytes(pages, orientation, iccprofile=icc, photometric="rgb")


def check(path, data, expected, atol):
    path.write_bytes(data)
    found = read_photo(path)
    assert found.shape == expected.shape
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found.astype(float), expected, atol=atol)


RGB_WRITERS = [jpeg, mpo, png, late_png, png16, late_png16, palette_png, webp, tiff, packed_tiff, tiff16, pages_tiff16]


def test_the_scene_can_tell_a_fault(p3):
    """Every turn differs from every other, and the profile changes colours by more than any tolerance here."""
    turned = [stored(UPRIGHT, orientation) for orientation in STORED_SIDES]
    assert len({(pixels.tobytes(), pixels.shape) for pixels in turned}) == 8
    assert np.abs(p3.to_srgb(UPRIGHT) - UPRIGHT).max(axis=2).min() > 8


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("write", RGB_WRITERS)
def test_orientation_and_profile(tmp_path, write, rgb_profile, orientation):
    data = write(stored(UPRIGHT, orientation), orientation, rgb_profile.icc)
    atol = 4 if write in (jpeg, mpo) else 1.5 if rgb_profile.icc else 0
    check(tmp_path / "a.img", data, rgb_profile.to_srgb(UPRIGHT), atol)


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("write", [png, png16, webp])
def test_orientation_and_profile_with_alpha(tmp_path, write, rgb_profile, orientation):
    data = write(stored(np.dstack([UPRIGHT, ALPHA]), orientation), orientation, rgb_profile.icc)
    expected = np.where(ALPHA[..., None] == 0, 255, rgb_profile.to_srgb(UPRIGHT))
    check(tmp_path / "a.img", data, expected, 1.5 if rgb_profile.icc else 0)


def gray_tiff(pixels, orientation, icc):
    return tiff_bytes(pixels, orientation, iccprofile=icc, photometric="minisblack")


def gray_tiff16(pixels, orientation, icc):
    return gray_tiff(deep(pixels), orientation, icc)


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("write", [jpeg, png, png16, gray_tiff, gray_tiff16])
def test_gray(tmp_path, write, gray_profile, orientation):
    data = write(stored(GRAYS, orientation), orientation, gray_profile.icc)
    expected = np.repeat(gray_profile.to_srgb(GRAYS)[..., None], 3, axis=2)
    assert not gray_profile.icc or np.abs(expected - GRAYS[..., None]).min() > 8
    check(tmp_path / "a.img", data, expected, atol=3 if write is jpeg else 1.5 if gray_profile.icc else 0)


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("write", [png, png16])
def test_gray_with_alpha(tmp_path, write, gray_profile, orientation):
    data = write(stored(np.dstack([GRAYS, ALPHA]), orientation), orientation, gray_profile.icc)
    expected = np.where(ALPHA == 0, 255, gray_profile.to_srgb(GRAYS))
    check(tmp_path / "a.png", data, np.repeat(expected[..., None], 3, axis=2), 1.5 if gray_profile.icc else 0)


@pytest.mark.parametrize("orientation", STORED_SIDES)
def test_cmyk_jpeg_ignores_a_profile_of_another_kind(tmp_path, rgb_profile, orientation):
    cmyk = Image.fromarray(stored(UPRIGHT, orientation)).convert("CMYK")
    options = {"exif": exif_of(orientation), "quality": 98, "subsampling": 0}
    check(tmp_path / "c.jpg", pillow_bytes(cmyk, "JPEG", icc_profile=rgb_profile.icc, **options), UPRIGHT, atol=4)


def xmp_chunk(xmp):
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)


XMP_WRITERS = {
    "jpeg": lambda p, xmp, icc: pillow_bytes(p, "JPEG", xmp=xmp, icc_profile=icc, quality=98, subsampling=0),
    "webp": lambda p, xmp, icc: pillow_bytes(p, "WEBP", xmp=xmp, icc_profile=icc, lossless=True),
    "png": lambda p, xmp, icc: png_bytes(p, icc_chunk(icc) + xmp_chunk(xmp)),
    "late png": lambda p, xmp, icc: png_bytes(p, icc_chunk(icc), after=xmp_chunk(xmp)),
    "png16": lambda p, xmp, icc: png_bytes(deep(p), icc_chunk(icc) + xmp_chunk(xmp)),
    "tiff": lambda p, xmp, icc: tiff_bytes(p, xmp=xmp, iccprofile=icc, photometric="rgb"),
    "tiff16": lambda p, xmp, icc: tiff_bytes(deep(p), xmp=xmp, iccprofile=icc, photometric="rgb"),
}


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("kind", XMP_WRITERS)
def test_orientation_by_xmp(tmp_path, kind, p3, orientation):
    data = XMP_WRITERS[kind](stored(UPRIGHT, orientation), xmp_of(orientation), p3.icc)
    check(tmp_path / "a.img", data, p3.to_srgb(UPRIGHT), atol=4 if kind == "jpeg" else 1.5)


@pytest.mark.parametrize("depth", [8, 16])
def test_exif_wins_over_xmp(tmp_path, depth):
    pixels = stored(UPRIGHT, 6) if depth == 8 else deep(stored(UPRIGHT, 6))
    check(tmp_path / "a.tif", tiff_bytes(pixels, 6, xmp_of(3), photometric="rgb"), UPRIGHT, 0)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
@pytest.mark.parametrize("write", [jpeg, png, png16, webp, tiff, tiff16])
def test_an_orientation_outside_the_table_changes_nothing(tmp_path, write, orientation):
    check(tmp_path / "a.img", write(UPRIGHT, orientation, None), UPRIGHT, atol=4 if write is jpeg else 0)


@pytest.mark.parametrize("orientation", STORED_SIDES)
@pytest.mark.parametrize("write", [png, png16, webp, tiff, tiff16, palette_png])
def test_own_pixels_are_upright_and_as_they_are_coded(tmp_path, write, rgb_profile, orientation):
    (tmp_path / "a.img").write_bytes(write(stored(UPRIGHT, orientation), orientation, rgb_profile.icc))
    found = open_photo(tmp_path / "a.img")
    expected = deep(UPRIGHT) if write in (png16, tiff16) else UPRIGHT
    assert found.own.dtype == expected.dtype
    assert found.own.flags.c_contiguous
    np.testing.assert_array_equal(found.own, expected)
    assert found.icc == (rgb_profile.icc or b"")
    np.testing.assert_allclose(found.rgb.astype(float), rgb_profile.to_srgb(UPRIGHT), atol=1.5)
    assert (found.own is found.rgb) == (expected.dtype == np.uint8 and not rgb_profile.icc)


@pytest.mark.parametrize("write", [png, png16, gray_tiff16])
def test_a_gray_photo_with_a_profile_is_srgb(tmp_path, write, gray_profile):
    (tmp_path / "a.img").write_bytes(write(GRAYS, 1, gray_profile.icc))
    found = open_photo(tmp_path / "a.img")
    assert found.icc == b""
    if gray_profile.icc:
        assert found.own is found.rgb
    else:
        codes = deep(GRAYS) if write is not png else GRAYS
        np.testing.assert_array_equal(found.own, np.repeat(codes[..., None], 3, axis=2))
