"""Reads photos, and what the camera wrote beside them. Whatever is wrong with a photo ends in one InputError line."""

import io
import os
import warnings
from importlib.metadata import version
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from portraiture.reference.arrays import Bytes
from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes
from portraiture.reference.photo.decode import UnknownPixelsError, decode
from portraiture.reference.photo.kinds import DAMAGE, foreign_kind, is_iso_photo, tiff_pixels

MAX_PIXELS = 200_000_000
"""The largest sensors of phones have this many; chosen, not measured."""


MIN_SIDE_PX = 16
"""A smaller picture is no photo; chosen, not measured."""


_PLAIN, _ISO = ("JPEG", "PNG", "TIFF", "WEBP", "BMP"), ("AVIF", "HEIF")  # the MPO of many phones is opened as JPEG

FORMATS = _PLAIN + _ISO

_BASE, _IFD = ExifTags.Base, ExifTags.IFD

_KEPT = (
    _BASE.ImageDescription, _BASE.Make, _BASE.Model, _BASE.DateTime, _BASE.Artist, _BASE.HostComputer, _BASE.Copyright,
    _BASE.Rating,
)  # fmt: skip
"""Of the first directory; its other tags describe how the photo's own pixels are stored."""

# a maker's note holds offsets into the file that it was written in; the sizes and the colours are the portrait's own
_LEFT_OUT = (_BASE.MakerNote, _IFD.Interop, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ColorSpace)

_SRGB = 1

_MOST_BYTES = 60_000
"""A JPEG's segment holds 65,533 bytes."""


def read_photo(path: str | os.PathLike[str]) -> Bytes:
    """Reads a photo as 8-bit sRGB.

    JPEG, PNG, TIFF (its first page), WebP, BMP, HEIC, HEIF and AVIF (the primary picture); gray, palette, CMYK and
    16-bit files are converted (16 bits are rounded to 8; those of CMYK are cut to 8; 10 and 12 bits are cut too). The
    EXIF orientation, or that of XMP, is applied; of HEIC and AVIF the container's. A transparent photo is composited on
    white and its alpha dropped. Colours of an embedded ICC profile become sRGB; a broken profile is ignored.

    Args:
        path: the file.

    Returns:
        HxWx3 uint8 RGB.

    Raises:
        InputError: no such file, a folder, a camera's raw file, another format, damaged, below 16x16 or above 200
            megapixels.
    """
    path = Path(path)
    data = read_bytes(path, "a photo")
    if kind := foreign_kind(data, path.suffix):
        raise _refusal(path, kind.name, kind.remedy)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of size; size is checked here
            with opened(data) as image:
                _check_size(path, image.size)
                return decode(image, data)
    except (UnidentifiedImageError, UnknownPixelsError):
        if is_iso_photo(data):
            raise _damage(path, "a HEIC or AVIF photo that does not open") from None
        pixels = tiff_pixels(data)
        found = f"a TIFF of {pixels}, which is not supported" if pixels else "another content"
        raise _refusal(path, found, "export it as JPEG") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "more") from None
    except DAMAGE as error:
        raise _damage(path, " ".join(str(error).split()) or type(error).__name__) from None


def portrait_exif(path: str | os.PathLike[str], shape: tuple[int, int], location: bool = True) -> bytes:
    """The EXIF block of a photo as its portrait carries it: upright, in sRGB, of its own size, without a thumbnail.

    Kept are description, camera, dates, author and rights, how the photo was taken, and where. Left out are the maker's
    note and whatever cannot be read.

    Args:
        path: the photo, one that :func:`read_photo` reads.
        shape: height and width of the portrait in pixels.
        location: keep the position, height and direction (GPS).

    Returns:
        The block with its mark ``Exif``; empty where the photo has none.
    """
    data = read_bytes(Path(path), "a photo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd tags
            with opened(data) as image:
                exif = image.getexif()
                return _written(exif, shape, location) if len(exif) else b""
    except (*DAMAGE, Image.DecompressionBombError):
        return b""


def _written(exif: Image.Exif, shape: tuple[int, int], location: bool) -> bytes:
    own = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            own[tag] = exif[tag]
    own[_BASE.Software] = f"portraiture {version('portraiture')}"
    taken = own.get_ifd(_IFD.Exif)
    taken.update({tag: value for tag, value in exif.get_ifd(_IFD.Exif).items() if tag not in _LEFT_OUT})
    taken.update({_BASE.ExifImageHeight: shape[0], _BASE.ExifImageWidth: shape[1], _BASE.ColorSpace: _SRGB})
    if location and (place := exif.get_ifd(_IFD.GPSInfo)):
        own.get_ifd(_IFD.GPSInfo).update(place)
    block = own.tobytes()
    return block if len(block) <= _MOST_BYTES else b""


def opened(data: bytes) -> Image.Image:
    """The photo as Pillow opens it, not yet loaded."""
    if not is_iso_photo(data):
        return Image.open(io.BytesIO(data), formats=_PLAIN)
    from portraiture.reference.photo.iso import has_plain_items, register_heif  # only what needs it pays for it

    if not has_plain_items(data):
        raise ValueError("an item without a name")
    register_heif()
    return Image.open(io.BytesIO(data), formats=_ISO)


def _refusal(path: Path, found: str, remedy: str) -> InputError:
    return InputError(f"{path}: expected a JPEG, PNG, TIFF, WebP, BMP, HEIC or AVIF photo, found {found}; {remedy}")


def _damage(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: expected a whole photo, found a damaged file ({reason}); copy or export it again")


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if min(width, height) < MIN_SIDE_PX:
        least = f"{MIN_SIDE_PX}x{MIN_SIDE_PX} pixels or more"
        raise InputError(f"{path}: expected {least}, found {width}x{height}; use a larger photo")
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width}x{height}")


def _too_large(path: Path, found: str) -> InputError:
    most = f"at most {MAX_PIXELS // 10**6} megapixels"
    return InputError(f"{path}: expected {most}, found {found}; make the photo smaller")
