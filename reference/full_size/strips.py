"""A strip of rows, and how its colour codes become light."""

import numpy as np

from portraiture.reference.arrays import AnyArray, largest_code
from portraiture.reference.srgb import to_linear

Strip = tuple[int, int, AnyArray, AnyArray]
"""First row, row after the last, HxWx3 sRGB in 0..1, HxW share of light that was blurred."""


def light_of_codes(rgb: AnyArray, linear: bool) -> AnyArray:
    """256 or 65536 float32 in 0..1, what each code of a photo counts as: linear light, or the coded value itself."""
    most = largest_code(rgb)
    codes = np.arange(most + 1) / most
    return np.asarray(to_linear(codes) if linear else codes, dtype=np.float32)
