"""From an opened photo to its pixels: opaque, upright; in sRGB of 8 bits, and as the camera coded them."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from portraiture.reference.arrays import AnyArray, Bytes
from portraiture.reference.photo.kinds import BITS_PER_SAMPLE, EXTRA_SAMPLES, PHOTOMETRIC, PLANAR, SEPARATE_PLANES

_GRAY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B")

_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")

_8_BIT_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB"}

_16_BIT_MODES = {"I;16", "I;16B", "LA", "RGB", "RGBA"}

_BY_NUMBERS = ("HEIF", "AVIF")
"""Formats that may name their colours by numbers, without a profile."""

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


@dataclass(frozen=True)
class Photo:
    """The pixels of a photo, upright.

    Attributes:
        rgb: HxWx3 uint8 sRGB, what the models see.
        own: HxWx3 uint8 or uint16, the photo's own codes in the RGB of its profile; ``rgb`` itself of a photo that is
            8-bit sRGB, and of one that has no RGB (CMYK, a gray profile).
        icc: the profile of ``own``; empty for sRGB.
        bare: nothing stands beside the pixels in the photo's file.
        data: the file, as ``open_photo`` read it; empty of a bare one.
    """

    rgb: Bytes
    own: AnyArray
    icc: bytes
    bare: bool = False
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Metadata:
    """What is written beside a picture's pixels; each part may be empty.

    Attributes:
        exif: the block with its mark ``Exif``.
        xmp: the packet.
        iptc: the datasets.
        icc: the profile of the pixels; empty for sRGB.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    icc: bytes = b""


NOTHING = Metadata()

IPTC_RESOURCE = 0x0404
"""Number of IPTC's datasets among Photoshop's resources."""


def decode(image: Image.Image, data: bytes) -> Photo:
    """Decodes a photo that Pillow has opened and not yet loaded.

    Args:
        image: the opened photo, any size; it is loaded here.
        data: the whole file that it was opened from.

    Raises:
        UnknownPixelsError: pixels that are not decoded, such as 32-bit ones.
        Exception: one of ``kinds.DAMAGE``, for a damaged file.
    """
    icc: bytes | None = image.info.get("icc_profile")
    if not icc and image.format in _BY_NUMBERS:
        from portraiture.reference.photo.cicp import profile_of_numbers  # only what needs it pays for it

        icc = profile_of_numbers(data)
    # Pillow drops the low byte of 16-bit RGB and CMYK without a word; OpenCV keeps it, but cannot decode CMYK
    bits = _bits(image, data)
    deep = bits == 16 and image.mode in _16_BIT_MODES
    scrambled = bits == 16 and _tags(image).get(PLANAR) == SEPARATE_PLANES and image.mode not in _GRAY_MODES
    if scrambled or not (deep or image.mode in _8_BIT_MODES):  # OpenCV 5.0 and Pillow 13.0 mix up 16-bit planes
        raise UnknownPixelsError(image.mode)
    orientation = _orientation(image, deep)
    image.load()  # of a 16-bit file too: it finds a truncation that OpenCV fills with black
    values = _decode_16_bit(image, data) if deep else None
    flat = _flatten(image) if values is None else Image.fromarray(_codes(values, np.uint8))
    if image.mode in _GRAY_MODES or _is_gray_alpha_png(image, data):
        flat = flat.convert("L")  # a gray profile takes nothing else
    converted = _to_srgb(flat, icc)
    rgb = _upright(converted.convert("RGB"), orientation)
    if converted is not flat and flat.mode != "RGB":
        return Photo(rgb, rgb, b"")
    own_icc = b"" if converted is flat or icc is None else icc
    if values is not None:
        return Photo(rgb, _turned(_codes(values, np.uint16), orientation), own_icc)
    return Photo(rgb, _upright(flat, orientation) if own_icc else rgb, own_icc)


def _upright(image: Image.Image, orientation: int) -> Bytes:
    turned = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    return np.ascontiguousarray(turned, dtype=np.uint8)


def _turned(pixels: AnyArray, orientation: int) -> AnyArray:
    """As Pillow's ``TURNS``, of an array HxWxC: Pillow has no RGB of 16 bits."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    across = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[::down, ::across])


def _codes(values: AnyArray, kind: type[np.unsignedinteger[Any]]) -> AnyArray:
    """0..1 -> codes of a type, rounded."""
    return np.asarray(np.rint(values * np.iinfo(kind).max), dtype=kind)


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


def _decode_16_bit(image: Image.Image, data: bytes) -> AnyArray:
    """HxWx3 float32 RGB in 0..1 of a 16-bit PNG or TIFF, alpha composited on white."""
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
    return np.clip(values[..., ::-1], 0, 1)  # BGR -> RGB


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
