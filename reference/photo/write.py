"""Writes pictures and arrays, each whole or not at all."""

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_whole

_ENCODINGS = {
    # the first level with one filter takes half the time of OpenCV's own choice, for files as small
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
}

_ENCODINGS[".jpeg"] = _ENCODINGS[".jpg"]

PICTURE_SUFFIXES = tuple(_ENCODINGS)
"""What ``write_photo`` writes, by the end of the file's name."""


def write_photo(path: str | os.PathLike[str], image: AnyArray, exif: bytes = b"") -> None:
    """Writes an 8-bit picture as its suffix says, PNG or JPEG (quality 95, colour at full resolution).

    The file appears whole or not at all.

    Args:
        path: the file, ``.png``, ``.jpg`` or ``.jpeg``, in a folder that exists.
        image: HxWx3 RGB or HxW gray, uint8.
        exif: the block that goes with it, as ``portrait_exif`` gives it, at most 65,533 bytes.

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
    place, part = _exif_part(exif, path) if exif else (0, b"")
    write_whole(Path(path), lambda file: file.writelines((encoded.data[:place], part, encoded.data[place:])))


def _exif_part(exif: bytes, path: str | os.PathLike[str]) -> tuple[int, bytes]:
    """Where EXIF stands in a file, and the bytes there: behind a PNG's header chunk, behind a JPEG's first mark."""
    if Path(path).suffix.lower() == ".png":
        chunk = b"eXIf" + exif.removeprefix(b"Exif\0\0")
        return 33, struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return 2, b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif


def write_npy(path: str | os.PathLike[str], array: AnyArray) -> None:
    """Writes a .npy; the file appears whole or not at all.

    Args:
        path: the file, in a folder that exists; the name is kept as given.
        array: any array without objects.

    Raises:
        InputError: the folder cannot be written.
    """
    write_whole(Path(path), lambda file: np.save(file, array, allow_pickle=False))
