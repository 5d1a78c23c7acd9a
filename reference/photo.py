"""Reading photos and maps from any camera, and writing pictures: the boundary where inputs are checked once."""

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.reference.errors import InputError

MIN_SIDE_PX = 16
MAX_PIXELS = 200_000_000
_EXIF_ORIENTATION = 0x0112


def _describe(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: expected a photo, found no such file")
    if not path.is_file():
        raise InputError(f"{path}: expected a photo, found a folder; name its files")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: expected a photo, found an empty file")


def _to_srgb(image: Any) -> Any:
    """Convert an embedded profile (wide gamut, CMYK) to sRGB; a broken profile is ignored."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _eight_bit(image: np.ndarray) -> np.ndarray:
    """16-bit samples -> 8-bit, rounded: v * 255 / 65535."""
    if image.dtype == np.uint16:
        return np.asarray((image.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return image


def _read_deep(path: Path) -> np.ndarray | None:
    """A 16-bit PNG or TIFF as HxWx3 uint8, or None where the file is not 16-bit (Pillow cuts such samples off)."""
    if path.suffix.lower() not in (".png", ".tif", ".tiff"):
        return None
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16:
        return None
    image = _eight_bit(image)
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, 2)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float64) / 255
        image = np.rint(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(image[..., ::-1])


def _read_pillow(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the size is checked below, with our own message
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InputError(
                    f"{path}: expected at most {MAX_PIXELS // 1_000_000} megapixels, found"
                    f" {opened.width}x{opened.height}; scale it down first"
                )
            opened.load()
            image: Any = ImageOps.exif_transpose(opened)
            image = _to_srgb(image)
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                rgba = image.convert("RGBA")
                image = Image.new("RGB", rgba.size, (255, 255, 255))
                image.paste(rgba, mask=rgba.getchannel("A"))
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: expected a JPEG, PNG, TIFF or WebP photo, found another kind of file; check it or save it as JPEG"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: expected a complete photo, it is truncated or damaged ({error}); copy it again"
        ) from error


def read_photo(path: Path | str) -> np.ndarray:
    """Read a photo as HxWx3 uint8 sRGB.

    EXIF orientation is applied, embedded profiles and CMYK are converted to sRGB, 16-bit samples are rounded to 8,
    grey becomes three equal channels, transparency is laid on white.

    Raises:
        InputError: missing, not a photo, truncated, smaller than 16 px a side or larger than 200 MP.
    """
    path = Path(path)
    _describe(path)
    rgb = _read_deep(path)
    if rgb is None:
        rgb = _read_pillow(path)
    height, width = rgb.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            f"{path}: expected at least {MIN_SIDE_PX}x{MIN_SIDE_PX} px, found {width}x{height}; give the full photo"
        )
    return rgb


def read_map(path: Path | str, shape: tuple[int, int]) -> np.ndarray:
    """Read a mask or depth map as (H, W) float64 in 0..1: an 8- or 16-bit grey image, or a .npy of floats.

    Raises:
        InputError: missing, undecodable, of another shape, not finite, or outside 0..1.
    """
    path = Path(path)
    _describe(path)
    if path.suffix.lower() == ".npy":
        try:
            values = np.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise InputError(f"{path}: expected a .npy array of floats ({error})") from error
    else:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise InputError(f"{path}: expected a grey PNG or a .npy file, could not decode it")
        if image.ndim == 3:
            image = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_BGR2GRAY)
        values = image / np.iinfo(image.dtype).max
    if values.shape != shape:
        raise InputError(f"{path}: expected a map of the photo's size {shape}, found {values.shape}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise InputError(f"{path}: expected finite values in 0..1, found {values.min():g}..{values.max():g}")
    return np.asarray(values)


def _replace_with(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_png(path: Path | str, image: np.ndarray) -> None:
    """Write HxWx3 RGB or HxW uint8 as PNG, to a temporary name first."""
    bgr = image[..., ::-1] if image.ndim == 3 else image
    done, data = cv2.imencode(".png", np.ascontiguousarray(bgr))
    if not done:
        raise InputError(f"{path}: could not encode a picture of shape {image.shape}")
    _replace_with(Path(path), data.tobytes())


def write_npy(path: Path | str, array: np.ndarray) -> None:
    """Write an array as .npy, to a temporary name first."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    _replace_with(Path(path), buffer.getvalue())
