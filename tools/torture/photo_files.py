"""Small sound photos of each kind that is read, with all that may stand beside pixels. All are made here."""

import base64
import hashlib
import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms

from portraiture.reference.photo.apple_depth import DEPTH_URN, HAIR_URN, PORTRAIT_URN
from portraiture.reference.photo.apple_write import depth_picture, made_auxiliary
from portraiture.reference.photo.decode import IPTC_RESOURCE, Metadata
from portraiture.reference.photo.google_write import with_dynamic_depth
from portraiture.reference.photo.jpeg_parts import EXTENDED_MARK, XMP_MARK
from portraiture.reference.photo.stored_depth import stored_depth

HEIGHT, WIDTH = 48, 64

_RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" %s/></rdf:RDF></x:xmpmeta>'
)

XMP = (
    _RDF % 'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="made" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    ' tiff:Orientation="6" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
).encode()

_IPTC = b"\x1c\x02\x50\x00\x06author\x1c\x02\x5a\x00\x06Munich"


def picture() -> np.ndarray:
    """Soft colours and an edge, HxWx3 uint8."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    soft = np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
    soft[10:40, 20:44] = soft[10:40, 20:44] // 2
    return soft


def exif() -> Image.Exif:
    """A camera's: orientation, lens, dates, place, and a maker's note."""
    found = Image.Exif()
    found[0x0112], found[0x010F], found[0x0132] = 6, "Maker", "2026:01:01 00:00:00"
    found.get_ifd(0x8769).update({0x829D: 1.8, 0x920A: 6.9, 0xA405: 26, 0x927C: b"note" * 8, 0xA002: WIDTH})
    found.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 6.0)})
    return found


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _jpeg(**options: Any) -> bytes:
    """With EXIF, XMP, IPTC and a profile."""
    block = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(_IPTC)) + _IPTC
    return _saved(Image.fromarray(picture()), "JPEG", exif=exif(), xmp=XMP, icc_profile=_srgb(),
                  extra=_segment(0xED, block), **options)  # fmt: skip


def _mpo() -> bytes:
    image = Image.fromarray(picture())
    return _saved(image, "MPO", save_all=True, append_images=[image.rotate(180)], exif=exif())


def _png(deep: bool) -> bytes:
    if deep:
        return bytes(cv2.imencode(".png", picture().astype(np.uint16) * 257)[1])
    image = Image.fromarray(np.dstack([picture(), np.full((HEIGHT, WIDTH), 200, np.uint8)]))
    return _saved(image, "PNG", exif=exif(), icc_profile=_srgb())


def _tiff(deep: bool) -> bytes:
    if deep:
        return bytes(cv2.imencode(".tif", picture().astype(np.uint16) * 257)[1])
    return _saved(Image.fromarray(picture()), "TIFF", compression="tiff_lzw", icc_profile=_srgb(), exif=exif())


def _depth() -> np.ndarray:
    """1 / distance, 1/m."""
    return np.linspace(0.2, 2, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)


def _dynamic_depth() -> bytes:
    beside, depth = with_dynamic_depth(Metadata(xmp=XMP), stored_depth(_depth()))
    return _saved(Image.fromarray(picture()), "JPEG", xmp=beside.xmp, exif=exif()) + depth


def _gdepth() -> bytes:
    """In extended XMP, of two parts."""
    space = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
    codes = _saved(Image.fromarray(stored_depth(_depth()).codes), "PNG")
    extended = (_RDF % f'{space} GDepth:Data="{base64.b64encode(codes).decode()}"').encode()
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"'
    own = _RDF % f'{space} {note} GDepth:Format="RangeLinear" GDepth:Near="0.5" GDepth:Far="5" GDepth:Mime="image/png"'
    parts, half = [], len(extended) // 2
    for start, part in ((0, extended[:half]), (half, extended[half:])):
        place = struct.pack(">II", len(extended), start)
        parts.append(_segment(0xE1, EXTENDED_MARK + guid.encode() + place + part))
    data = _saved(Image.fromarray(picture()), "JPEG", exif=exif())
    return data[:2] + _segment(0xE1, XMP_MARK + own.encode()) + b"".join(parts) + data[2:]


def _heic(**options: Any) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture())).save(file, exif=exif().tobytes(), xmp=XMP, **options)
    return file.getvalue()


def _portrait() -> bytes:
    import pillow_heif

    matte = Image.fromarray(np.where(picture()[..., 0] > 100, 255, 0).astype(np.uint8))
    further = [depth_picture(stored_depth(_depth())), *(pillow_heif.from_pillow(matte)[0] for _ in range(2))]
    data = _heic(append_images=further, primary_index=0)
    return made_auxiliary(data, (DEPTH_URN, PORTRAIT_URN, HAIR_URN))


def _avif() -> bytes:
    """Display P3 by its numbers."""
    data = _saved(Image.fromarray(picture()), "AVIF", exif=exif(), xmp=XMP)
    return data.replace(b"nclx\0\x01", b"nclx\0\x0c", 1)


PHOTOS: dict[str, Callable[[], bytes]] = {
    "photo.jpg": _jpeg,
    "progressive.jpg": lambda: _jpeg(progressive=True),
    "cmyk.jpg": lambda: _saved(Image.fromarray(picture()).convert("CMYK"), "JPEG"),
    "mpo.jpg": _mpo,
    "dynamic_depth.jpg": _dynamic_depth,
    "gdepth.jpg": _gdepth,
    "alpha.png": lambda: _png(deep=False),
    "deep.png": lambda: _png(deep=True),
    "palette.png": lambda: _saved(Image.fromarray(picture()).convert("P"), "PNG", transparency=3),
    "lzw.tif": lambda: _tiff(deep=False),
    "deep.tif": lambda: _tiff(deep=True),
    "photo.webp": lambda: _saved(Image.fromarray(picture()), "WEBP", exif=exif(), xmp=XMP, icc_profile=_srgb()),
    "photo.bmp": lambda: _saved(Image.fromarray(picture()), "BMP"),
    "photo.heic": _heic,
    "p3.heic": lambda: _heic(color_primaries=12, transfer_characteristics=13, matrix_coefficients=6, full_range_flag=1),
    "portrait.heic": _portrait,
    "p3.avif": _avif,
}
"""How each kind is made, by its file's name."""


@cache
def sound_photo(kind: str) -> bytes:
    """The sound photo of a kind, a key of ``PHOTOS``."""
    return PHOTOS[kind]()


def write_whole_photos(folder: Path) -> None:
    """Write the sound photo of each kind, as ``readers.WHOLE_PHOTOS`` names them."""
    for kind in PHOTOS:
        (folder / f"whole_{kind}").write_bytes(sound_photo(kind))
