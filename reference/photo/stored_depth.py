"""A depth as a picture's file stores it: inverse distances in 8 bits, between the nearest and the farthest."""

from dataclasses import dataclass

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bytes

MOST_PX = 768
"""The longer side of a stored depth at most; Apple's portraits have this one."""

ANCHOR = 0.5
"""The range holds this inverse distance, in 1/m: readers of ours take it for the depth 0.5 (``metres.MIDDLE_M``)."""

_LEAST_RANGE = 1e-3
"""A flat depth gets this much range around it, in 1/m."""


@dataclass(frozen=True)
class StoredDepth:
    """A depth in codes.

    Attributes:
        codes: hxw uint8, linear in 1 / distance; 0 is ``low``, 255 is ``high``: larger is nearer.
        low, high: in 1/m; 0 < low < high.
    """

    codes: Bytes
    low: float
    high: float


def shrunk(values: AnyArray) -> AnyArray:
    """A map HxW at most ``MOST_PX`` long, float32."""
    h, w = values.shape
    share = min(1.0, MOST_PX / max(h, w))
    size = (max(1, round(w * share)), max(1, round(h * share)))
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA))


def stored_depth(inverse: AnyArray) -> StoredDepth:
    """The codes of a depth, at most ``MOST_PX`` long.

    Args:
        inverse: HxW, 1 / distance in 1/m, above 0.
    """
    small = shrunk(inverse)
    low, high = min(float(small.min()), ANCHOR), max(float(small.max()), ANCHOR)
    if high - low < _LEAST_RANGE:
        low, high = max(low - _LEAST_RANGE / 2, low / 2), high + _LEAST_RANGE / 2
    codes = np.rint((small - low) * (255 / (high - low)))
    return StoredDepth(np.clip(codes, 0, 255).astype(np.uint8), low, high)
