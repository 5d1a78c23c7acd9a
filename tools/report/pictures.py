"""Small copies of compared pictures and of their differences, as addresses that a page can hold."""

import base64
import math
from dataclasses import dataclass

import cv2
import numpy as np

LONG_SIDE_PX = 320
"""Longest side of a picture in the report; chosen, not measured."""

_JPEG_QUALITY = 88
"""Chosen, not measured: blocks cannot be seen at that size, and a report over many photos stays a few megabytes."""

_STRAY_SHARE = 1e-3
"""Share of the largest errors that may exceed the scale of a difference picture; chosen, not measured."""

_MOST_DECADES = 8
"""Errors are amplified by at most 10 to this power: smaller ones lie below float32's own rounding."""


@dataclass(frozen=True)
class Figure:
    """A small picture as a ``data:`` address, and its caption."""

    image: str
    caption: str


def _data(image: np.ndarray, suffix: str) -> str:
    """An 8-bit image (h, w) or (h, w, 3) in OpenCV's channel order as a ``data:`` address."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    done, encoded = cv2.imencode(suffix, image, options)
    assert done
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def picture(values: np.ndarray) -> str:
    """A small copy of an image (h, w, 3) as JPEG, or of a map (h, w) as PNG; values in 0..1, NaN is black."""
    values = np.nan_to_num(values)
    height, width = values.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    small = cv2.resize(values.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    bytes_ = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return _data(bytes_[..., ::-1], ".jpg") if values.ndim == 3 else _data(bytes_, ".png")


def absolute_error(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Absolute error of each value, float64; a NaN in ``found`` counts as 1."""
    return np.asarray(np.abs(np.nan_to_num(found, nan=1.0).astype(np.float64) - expected))


def amplification(error: np.ndarray) -> int:
    """The power of ten by which errors are multiplied so that all but a thousandth of them are at most 1."""
    high = float(np.quantile(error, 1 - _STRAY_SHARE))
    return 10 ** int(np.clip(math.floor(-math.log10(high)), 0, _MOST_DECADES)) if high > 0 else 1


def difference(found: np.ndarray, expected: np.ndarray) -> Figure:
    """The largest error of each block, amplified, dark to bright; the caption says by how much."""
    error = absolute_error(found, expected)
    if error.ndim == 3:
        error = error.max(2)
    block = math.ceil(max(error.shape) / LONG_SIDE_PX)
    pad = [(0, -n % block) for n in error.shape]
    height, width = (-(-n // block) for n in error.shape)
    # (H, W) -> (h, block, w, block) -> (h, w)
    largest = np.pad(error, pad).reshape(height, block, width, block).max((1, 3))
    factor = amplification(error)
    grey = np.rint(np.clip(largest * factor, 0, 1) * 255).astype(np.uint8)
    return Figure(_data(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), ".png"), f"difference x {factor:,}")
