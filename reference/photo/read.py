"""Reads photos. Whatever is wrong with a photo ends in one InputError line."""

import io
import os
import warnings
from dataclasses import replace
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from portraiture.reference.arrays import Bytes
from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes
from portraiture.reference.photo.decode import Photo, UnknownPixelsError, decode
from portraiture.reference.photo.kinds import DAMAGE, foreign_kind, is_iso_photo, tiff_pixels

MAX_PIXELS = 200_000_000
"""The largest sensors of phones have this many; chosen, not measured."""


MIN_SIDE_PX = 16
"""A smaller picture is no photo; chosen, not measured."""


_PLAIN, _ISO = ("JPEG", "PNG", "TIFF", "WEBP", "BMP"), ("AVIF", "HEIF")  # the MPO of many phones is opened as JPEG

FORMATS = _PLAIN + _ISO


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
    return open_photo(path).rgb


def open_photo(path: str | os.PathLike[str]) -> Photo:
    """Reads a photo as ``read_photo`` does, and as it is coded: up to 16 bits, in the RGB of its own profile.

    Raises:
        InputError: as ``read_photo``.
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
                bare = _is_bare(image)
                return replace(decode(image, data), bare=bare, data=b"" if bare else data)
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


_BESIDE = {"exif", "xmp", "XML:com.adobe.xmp", "icc_profile", "photoshop", "mp", "comment"}
"""Keys of Pillow's ``info`` for what stands beside the pixels; "mp" lists the further pictures of a JPEG."""


def _is_bare(image: Image.Image) -> bool:
    """Whether a photo is of a kind that says all that stands beside its pixels, and nothing does."""
    simple = image.format in ("JPEG", "PNG", "WEBP", "BMP")
    return simple and not (_BESIDE & image.info.keys()) and not len(image.getexif())


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
