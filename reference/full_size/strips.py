"""A strip of rows, and how its colour codes become light."""

from portraiture.reference.arrays import AnyArray

Strip = tuple[int, int, AnyArray, AnyArray]
"""First row, row after the last, HxWx3 sRGB in 0..1, HxW share of light that was blurred."""
