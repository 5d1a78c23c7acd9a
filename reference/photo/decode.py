"""From an opened photo to its pixels: without transparency, in sRGB, upright, 8 bits."""

import io
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from portraiture.reference.arrays import Bytes
from portraiture.reference.photo.kinds import BITS_PER_SAMPLE, EXTRA_SAMPLES, PHOTOMETRIC, PLANAR, SEPARATE_PLANES

_GRAY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B")

_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")

_8_BIT_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB"}

_16_BIT_MODES = {"I;16", "I;16B", "LA", "RGB", "RGBA"}

_ORIENTATION = 0x0112

_WHITE_IS_ZERO, _PREMULTIPLIED = 0, 1  # values of the TIFF tags PhotometricInterpretation and ExtraSamples

# EXIF 2.32, 4.6.4 A: where row 0 and column 0 of the stored pixels lie in the upright photo
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


_GRID, _ROUNDING = 9, 1
"""Levels of each channel by which a profile is judged, and how far it may move one, in grey levels; chosen."""


class UnknownPixelsError(Exception):
    """The pixels are whole, but of a kind that is not decoded; the text is Pillow's mode."""


def decode(image: Image.Image, data: bytes) -> Bytes:
    """Decodes a photo that Pillow has opened and not yet loaded.

    Args:
        image: the opened photo, any size; it is loaded here.
        data: the whole file that it was opened from.

    Returns:
        HxWx3 uint8 sRGB; H and W are those of the upright photo.

    Raises:
        UnknownPixelsError: pixels that are not decoded, such as 32-bit ones.
        Exception: one of ``kinds.DAMAGE``, for a damaged file.
    """
    icc: bytes | None = image.info.get("icc_profile")
    # Pillow drops the low byte of 16-bit RGB and CMYK without a word; OpenCV keeps it, but cannot decode CMYK
    bits = _bits(image, data)
    deep = bits == 16 and image.mode in _16_BIT_MODES
    scrambled = bits == 16 and _tags(image).get(PLANAR) == SEPARATE_PLANES and image.mode not in _GRAY_MODES
    if scrambled or not (deep or image.mode in _8_BIT_MODES):  # OpenCV 5.0 and Pillow 13.0 mix up 16-bit planes
        raise UnknownPixelsError(image.mode)
    orientation = _orientation(image, deep)
    image.load()  # of a 16-bit file too: it finds a truncation that OpenCV fills with black
    flat = Image.fromarray(_decode_16_bit(image, data)) if deep else _flatten(image)
    if image.mode in _GRAY_MODES or _is_gray_alpha_png(image, data):
        flat = flat.convert("L")  # a gray profile takes nothing else
    upright = _to_srgb(flat, icc).convert("RGB")
    if orientation in TURNS:
        upright = upright.transpose(TURNS[orientation])
    return np.ascontiguousarray(upright, dtype=np.uint8)


def _orientation(image: Image.Image, deep: bool) -> int:
    """The EXIF or XMP orientation that is still to be applied, asked before ``image`` is loaded.

    Pillow turns a TIFF while loading it, and OpenCV turns it by the tag (not by XMP) while decoding it.
    """
    if image.format == "TIFF" and (not deep or _ORIENTATION in _tags(image)):
        return 1
    try:
        orientation: int = image.getexif().get(_ORIENTATION, 1)
    except SyntaxError:  # broken EXIF, of a photo that is whole
        return 1
    return orientation


def _tags(image: Image.Image) -> Mapping[int, Any]:
    """The tags of a TIFF; none for another format."""
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    return tags


def _bits(image: Image.Image, data: bytes) -> int:
    """Bits per sample, which Pillow's mode does not hold."""
    if image.format == "PNG":
        return data[24]  # the bit depth of the IHDR chunk
    bits = _tags(image).get(BITS_PER_SAMPLE, (8,))
    return int(bits[0] if isinstance(bits, tuple) else bits)


def _is_gray_alpha_png(image: Image.Image, data: bytes) -> bool:
    """Whether a PNG is gray with alpha, by the colour type of the IHDR chunk: Pillow opens one of 16 bits as RGBA."""
    return image.format == "PNG" and data[25] == 4


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA_MODES or "transparency" in image.info


def _flatten(image: Image.Image) -> Image.Image:
    """RGB, gray or CMYK without transparency."""
    if image.mode == "La":
        image = image.convert("LA")  # Pillow converts La to nothing else
    if _has_alpha(image):
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def _decode_16_bit(image: Image.Image, data: bytes) -> Bytes:
    """HxWx3 uint8 RGB of a 16-bit PNG or TIFF, alpha composited on white."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("16-bit pixels that do not decode")
    tags = _tags(image)
    values: npt.NDArray[np.float32] = np.asarray(pixels, dtype=np.float32) / np.float32(65535)
    if values.ndim == 2:
        if tags.get(PHOTOMETRIC) == _WHITE_IS_ZERO:
            values = 1 - values
        values = np.repeat(values[..., None], 3, axis=2)  # HxW -> HxWx3
    elif values.shape[2] == 4:
        colours, alpha = values[..., :3], values[..., 3:]  # HxWx4 -> HxWx3
        premultiplied = tags.get(EXTRA_SAMPLES) == (_PREMULTIPLIED,)
        values = (colours if premultiplied else colours * alpha) + (1 - alpha) if _has_alpha(image) else colours
    return np.asarray(np.rint(np.clip(values[..., ::-1], 0, 1) * 255), dtype=np.uint8)  # BGR -> RGB


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """The image in sRGB; without a profile, or with a broken one, as it is.

    The profile's curves and primaries decide, not its name: one that moves no colour of a grid by more than rounding
    is sRGB, and the photo stays as it is to the bit.
    """
    if not icc:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        if image.mode == "RGB" and _moves_nothing(transform):
            return image
        return ImageCms.applyTransform(image, transform) or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _moves_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a transform from RGB to RGB leaves every colour of a grid where it is, but for rounding."""
    levels = np.linspace(0, 255, _GRID).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(_GRID, -1, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return bool(np.abs(moved.astype(int) - grid).max() <= _ROUNDING)
