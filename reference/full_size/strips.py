"""A strip of rows, and how its colour codes become light."""

import numpy as np

from portraiture.reference.arrays import AnyArray
from portraiture.reference.srgb import to_linear

Strip = tuple[int, int, AnyArray, AnyArray]
"""First row, row after the last, HxWx3 sRGB in 0..1, HxW share of light that was blurred."""


def light_of_codes(linear: bool) -> AnyArray:
    """256 float32 in 0..1, what each 8-bit code counts as: linear light, or the coded value itself."""
    codes = np.arange(256) / 255.0
    return np.asarray(to_linear(codes) if linear else codes, dtype=np.float32)
