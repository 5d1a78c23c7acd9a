"""Writes pictures and arrays, each whole or not at all."""

import io
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from portraiture.reference.arrays import AnyArray, Bytes
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_whole
from portraiture.reference.photo.decode import NOTHING, Metadata

_BY_OPENCV = {
    # the first level with one filter takes half the time of OpenCV's own choice, for files as small
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
}

_BY_OPENCV[".jpeg"] = _BY_OPENCV[".jpg"]

_BY_PILLOW: dict[str, dict[str, Any]] = {
    ".webp": {"format": "WEBP", "quality": 95},
    ".avif": {"format": "AVIF", "quality": 90, "subsampling": "4:4:4"},
}
"""Qualities as good to the eye as a JPEG's of 95; chosen, not measured. WebP halves the resolution of colour always."""

_HEIC = (".heic", ".heif")

_HEIC_QUALITY = 90

_DEEP = ".png"
"""The format that keeps 16 bits."""

DEPTH_SUFFIXES = (".jpg", ".jpeg", *_HEIC)
"""Formats with a place for a depth."""

PICTURE_SUFFIXES = (*_BY_OPENCV, *_BY_PILLOW, *_HEIC)
"""What ``write_photo`` writes, by the end of the file's name."""


def check_suffix(path: Path) -> str:
    """The end of a picture's name in lower case, such as ".png".

    Raises:
        InputError: not one of ``PICTURE_SUFFIXES``, or a HEIC where pillow-heif is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise InputError(f"{path}: expected a file name with one of {', '.join(PICTURE_SUFFIXES)}; name it so")
    if suffix in _HEIC and find_spec("pillow_heif") is None:
        raise InputError(
            f"{path}: expected pillow-heif to write HEIC, found none; pip install 'portraiture[heic]', or write .avif"
        )
    return suffix


def check_depth_suffix(path: Path) -> None:
    """Refuse a picture's name whose format has no place for a depth.

    Raises:
        InputError: neither a JPEG nor a HEIC.
    """
    if path.suffix.lower() not in DEPTH_SUFFIXES:
        raise InputError(
            f"{path}: expected a file that can hold a depth (.jpg: Dynamic Depth, .heic: Apple's), found"
            f" {path.suffix or 'none'}; name it so, or leave out --write-depth"
        )


def write_photo(
    path: str | os.PathLike[str], image: AnyArray, beside: Metadata = NOTHING, inverse: AnyArray | None = None
) -> None:
    """Writes a picture as its suffix says: PNG, JPEG, WebP, AVIF, HEIC.

    The file appears whole or not at all. A 16-bit picture becomes a 16-bit PNG; other formats hold 8 bits of it. IPTC
    goes into a JPEG alone: the others have no place for it.

    Args:
        path: the file, with one of ``PICTURE_SUFFIXES``, in a folder that exists.
        image: HxWx3 RGB or HxW gray, uint8 or uint16.
        beside: what goes beside the pixels, as ``portrait_metadata`` gives it.
        inverse: a depth to store, HxW, 1 / distance in 1/m, above 0; a JPEG holds it as Dynamic Depth and GDepth, a
            HEIC as Apple's portraits do.

    Raises:
        InputError: another suffix, shape or type, a picture that the format cannot hold, a HEIC where pillow-heif is
            missing, or the folder cannot be written.
    """
    path = Path(path)
    suffix = check_suffix(path)
    coded = image.dtype in (np.uint8, np.uint16)
    if not coded or image.size == 0 or image.ndim < 2 or image.shape[2:] not in ((), (3,)):
        found = f"{image.dtype} of shape {image.shape}"
        raise InputError(f"{path}: expected an HxWx3 or HxW picture of 8 or 16 bits, found {found}; convert it first")
    if image.dtype == np.uint16 and suffix != _DEEP:
        image = np.asarray(np.rint(image / np.float32(257)), dtype=np.uint8)
    try:
        if inverse is not None:
            check_depth_suffix(path)
            parts = _encoded_with_depth(suffix, image, beside, inverse)
        else:
            parts = _encoded(suffix, image, beside)
    except (OSError, ValueError, RuntimeError, cv2.error) as error:
        size, reason = f"{image.shape[1]}x{image.shape[0]}", " ".join(str(error).split())
        raise InputError(f"{path}: expected to write {size} pixels, found: {reason}; write it as .png") from None
    write_whole(path, lambda file: file.writelines(parts))


def _encoded(suffix: str, image: AnyArray, beside: Metadata) -> list[bytes | memoryview]:
    """The file in parts."""
    if suffix in _BY_OPENCV:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else np.ascontiguousarray(image)
        encoded = cv2.imencode(suffix, bgr, _BY_OPENCV[suffix])[1].data
        if beside == NOTHING:
            return [encoded]
        from portraiture.reference.photo.containers import with_metadata  # only what needs it pays for it

        return with_metadata(encoded, suffix, beside)
    given = {"exif": beside.exif, "xmp": beside.xmp, "icc_profile": beside.icc}
    options: dict[str, Any] = {name: value for name, value in given.items() if value}
    if suffix in _HEIC:
        return [_heic(image, beside, [])]
    file = io.BytesIO()
    Image.fromarray(image).save(file, **_BY_PILLOW[suffix], **options)
    return [file.getvalue()]


def _encoded_with_depth(suffix: str, image: AnyArray, beside: Metadata, inverse: AnyArray) -> list[bytes | memoryview]:
    """The file in parts, with a depth in it."""
    from portraiture.reference.photo.stored_depth import stored_depth  # only what needs it pays for it

    depth = stored_depth(inverse)
    if suffix not in _HEIC:
        from portraiture.reference.photo.google_write import with_dynamic_depth

        beside, encoded = with_dynamic_depth(beside, depth)
        return [*_encoded(suffix, image, beside), encoded]
    from portraiture.reference.photo.apple_write import depth_picture, made_auxiliary

    return [made_auxiliary(_heic(image, beside, [depth_picture(depth)]))]


def _heic(image: AnyArray, beside: Metadata, further: list[Any]) -> bytes:
    file = io.BytesIO()
    _heif_of(image, beside.icc).save(file, quality=_HEIC_QUALITY, chroma=444, exif=beside.exif or None,
                                     xmp=beside.xmp or None, append_images=further, primary_index=0)  # fmt: skip
    return file.getvalue()


def _heif_of(image: Bytes, icc: bytes) -> Any:
    import pillow_heif

    picture = Image.fromarray(image)
    if icc:
        picture.info["icc_profile"] = icc
    return pillow_heif.from_pillow(picture)


def write_npy(path: str | os.PathLike[str], array: AnyArray) -> None:
    """Writes a .npy; the file appears whole or not at all.

    Args:
        path: the file, in a folder that exists; the name is kept as given.
        array: any array without objects.

    Raises:
        InputError: the folder cannot be written.
    """
    write_whole(Path(path), lambda file: np.save(file, array, allow_pickle=False))
