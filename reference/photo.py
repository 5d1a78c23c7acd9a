"""Reading photos and maps, writing results. Whatever a file gets wrong ends in one InputError line."""

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from portraiture.reference.arrays import AnyArray, Bytes, Floats
from portraiture.reference.decode import UnknownPixelsError, decode
from portraiture.reference.errors import InputError
from portraiture.reference.file_kinds import DAMAGE, foreign_kind, tiff_pixels

MAX_PIXELS = 200_000_000
MIN_SIDE_PX = 16
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")  # the MPO of many phones is opened as JPEG
_ENCODINGS = {
    # the first level with one filter takes half the time of OpenCV's own choice, for files as small
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
}
_ENCODINGS[".jpeg"] = _ENCODINGS[".jpg"]
PICTURE_SUFFIXES = tuple(_ENCODINGS)
"""What ``write_photo`` writes, by the end of the file's name."""


def read_photo(path: str | os.PathLike[str]) -> Bytes:
    """Reads a photo as 8-bit sRGB.

    JPEG, PNG, TIFF (its first page), WebP, BMP; gray, palette, CMYK and 16-bit files are converted (16 bits are
    rounded to 8; those of CMYK are cut to 8). The EXIF orientation, or that of XMP, is applied. A transparent photo
    is composited on white and its alpha dropped. An embedded ICC profile other than sRGB is converted; a broken
    profile is ignored.

    Args:
        path: the file.

    Returns:
        HxWx3 uint8 RGB.

    Raises:
        InputError: no such file, a folder, a camera's raw file, another format, damaged, below 16x16 or above 200
            megapixels.
    """
    path = Path(path)
    data = _read_bytes(path, "a photo")
    if kind := foreign_kind(data, path.suffix):
        raise _refusal(path, kind.name, kind.remedy)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of size; size is checked here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(path, image.size)
                return decode(image, data)
    except (UnidentifiedImageError, UnknownPixelsError):
        pixels = tiff_pixels(data)
        found = f"a TIFF of {pixels}, which is not supported" if pixels else "another content"
        raise _refusal(path, found, "export it as JPEG") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "more") from None
    except DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: expected a whole photo, found a damaged file ({reason}); copy or export it again"
        ) from None


def read_map(path: str | os.PathLike[str], shape: tuple[int, int]) -> Floats:
    """Reads a mask or a depth.

    Args:
        path: a gray PNG of 8 or 16 bits (divided by 255 or 65535), or a .npy of float32 or float64 in 0..1.
        shape: (H, W) of the photo it belongs to.

    Returns:
        HxW float64 in 0..1.

    Raises:
        InputError: no such file, another format, another shape, a value not finite or outside 0..1.
    """
    path = Path(path)
    data = _read_bytes(path, "a map")
    array = _parse_npy(path, data) if path.suffix.lower() == ".npy" else _parse_gray_png(path, data)
    if array.shape != tuple(shape) or array.size == 0:
        raise InputError(f"{path}: expected the photo's shape {shape}, found {array.shape}; resize the map")
    low, high = float(array.min()), float(array.max())  # NaN fails the comparison
    if not (low >= 0 and high <= 1):
        raise InputError(f"{path}: expected finite values in 0..1, found {low:.6g}..{high:.6g}; rescale it")
    return array.astype(np.float64)


def write_photo(path: str | os.PathLike[str], image: AnyArray) -> None:
    """Writes an 8-bit picture as its suffix says, PNG or JPEG (quality 95, colour at full resolution).

    The file appears whole or not at all.

    Args:
        path: the file, ``.png``, ``.jpg`` or ``.jpeg``, in a folder that exists.
        image: HxWx3 RGB or HxW gray, uint8.

    Raises:
        InputError: another suffix, shape or type, or the folder cannot be written.
    """
    options = _ENCODINGS.get(Path(path).suffix.lower())
    if options is None:
        raise InputError(f"{path}: expected a file name with one of {', '.join(_ENCODINGS)}; name it so")
    if image.dtype != np.uint8 or image.size == 0 or image.ndim < 2 or image.shape[2:] not in ((), (3,)):
        found = f"{image.dtype} of shape {image.shape}"
        raise InputError(f"{path}: expected an HxWx3 or HxW uint8 image, found {found}; convert it first")
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else np.ascontiguousarray(image)
    _, encoded = cv2.imencode(Path(path).suffix.lower(), bgr, options)
    _write_atomic(Path(path), lambda file: file.write(encoded.data))


def write_npy(path: str | os.PathLike[str], array: AnyArray) -> None:
    """Writes a .npy; the file appears whole or not at all.

    Args:
        path: the file, in a folder that exists; the name is kept as given.
        array: any array without objects.

    Raises:
        InputError: the folder cannot be written.
    """
    _write_atomic(Path(path), lambda file: np.save(file, array, allow_pickle=False))


def _read_bytes(path: Path, what: str) -> bytes:
    if path.is_dir():
        raise InputError(f"{path}: expected {what}, found a folder; name a file inside it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected {what}, found no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: expected {what}, found: {error.strerror}; check its rights") from None


def _refusal(path: Path, found: str, remedy: str) -> InputError:
    return InputError(f"{path}: expected a JPEG, PNG, TIFF, WebP or BMP photo, found {found}; {remedy}")


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


def _parse_npy(path: Path, data: bytes) -> AnyArray:
    try:
        if not data.startswith(b"\x93NUMPY"):
            raise ValueError("no .npy, perhaps an archive")
        array = np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
    except (ValueError, EOFError, OSError, SyntaxError, KeyError):
        raise InputError(
            f"{path}: expected a .npy array without objects, found another content; write it with numpy.save"
        ) from None
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"{path}: expected float32 or float64, found {array.dtype}; convert the map")
    return array


def _parse_gray_png(path: Path, data: bytes) -> AnyArray:
    array: AnyArray | None = None
    if data[1:4] == b"PNG":
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise InputError(f"{path}: expected a gray PNG or a .npy, found another content; save it as PNG")
    if array.ndim != 2:
        raise InputError(f"{path}: expected a gray PNG, found {array.shape[2]} channels; save one channel")
    return np.asarray(array, dtype=np.float64) / (65535.0 if array.dtype == np.uint16 else 255.0)


def _write_atomic(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: expected to write here, found: {error.strerror}; check the folder") from None
    finally:
        temporary.unlink(missing_ok=True)
