"""The resize rule of the contract: how a photo enters a model and how a map leaves it."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from portraiture.export.contract import Size
from portraiture.export.rules import MASK_RIDGE, MASK_WINDOW_PX
from portraiture.reference.enlarge import fit_matte, full_matte


def to_model_size(rgb: np.ndarray, size: Size) -> np.ndarray:
    """A photo HxWx3 -> size, of its type: area average where it shrinks, bilinear (half-pixel) where it grows."""
    if rgb.shape[:2] == (size.height, size.width):
        return rgb
    # shrink each axis that shrinks by area, then enlarge the other: area averaging cannot enlarge
    height, width = min(rgb.shape[0], size.height), min(rgb.shape[1], size.width)
    shrunk = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (size.width, size.height), interpolation=cv2.INTER_LINEAR))


def to_photo_size(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map or picture of the model's size -> the photo's size, bilinear (half-pixel), float32.

    Args:
        image: hxw or hxwx3.
        height, width: of the photo, in pixels.
    """
    if image.shape[:2] == (height, width):
        return image.astype(np.float32)
    return np.asarray(cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))


def mask_to_photo_size(mask: np.ndarray, model_rgb: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """A mask of the model's size -> the photo's size by the guided filter, so that its edge is the photo's own.

    Within a window of the small photo the mask is an affine function of colour (He, Sun 2015); the function's
    coefficients are enlarged bilinearly and applied to the photo's pixels. At the model's size nothing changes.

    Args:
        mask: hxw in 0..1.
        model_rgb: hxwx3 uint8, what the model saw.
        rgb: HxWx3 uint8, the photo.

    Returns:
        HxW float32 in 0..1.
    """
    if mask.shape == rgb.shape[:2]:
        return mask.astype(np.float32)
    small = model_rgb / 255.0
    return full_matte(rgb, fit_matte(small, mask.astype(np.float64), MASK_WINDOW_PX, MASK_RIDGE))


def nearest_size(height: int, width: int, sizes: Sequence[Size]) -> Size:
    """The size whose aspect is nearest to the photo's, the larger one of equals.

    Args:
        height, width: of the photo, in pixels.
        sizes: on offer, one or more.
    """
    aspect = math.log(height / width)
    return min(sizes, key=lambda s: (round(abs(math.log(s.height / s.width) - aspect), 6), -s.height * s.width))
