"""The report's histogram of absolute errors by size: how they are counted, and where bars and gate are drawn."""

import math
from typing import Any

import numpy as np

from portraiture.export.tolerance import Tolerance
from portraiture.tools.report.pictures import absolute_error

LOWEST_DECADE = -9
"""The histogram begins at 10 to this power: below lies the rounding of float32 near 0.01."""

BINS_PER_DECADE = 4
"""Chosen, not measured."""

BINS = -LOWEST_DECADE * BINS_PER_DECADE
"""Bins up to an error of 1."""

_LEAST = 1e-30
"""Stands for an error of 0, which has no logarithm; far below the first bin."""

BAR_PX, BIN_PX, GAP_PX, TEXT_PX = 28, 4, 1, 10
"""Height of the fullest bar, width of a bin, the gap within it, height of the line of text; chosen, not measured."""


def error_counts(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Number of errors in each bin, a quarter decade wide, from 1e-9 to 1; the first bin takes all smaller ones."""
    error = absolute_error(found, expected).ravel()
    place = (np.log10(np.maximum(error, _LEAST)) - LOWEST_DECADE) * BINS_PER_DECADE
    return np.bincount(np.clip(place, 0, BINS - 1).astype(int), minlength=BINS)


def bars(counts: np.ndarray) -> list[int]:
    """Heights in pixels, logarithmic: one error is a pixel, the fullest bin has the full height."""
    if not counts.any():
        return []
    scaled = np.log1p(counts) / math.log1p(counts.max()) * BAR_PX
    return [int(h) for h in np.where(counts > 0, np.maximum(np.rint(scaled), 1), 0)]


def gate_x(tolerance: Tolerance | None) -> float | None:
    """Where the line of a gate on the largest error stands, in pixels; None for a gate on something else."""
    if tolerance is None or tolerance.max_abs is None:
        return None
    return (math.log10(tolerance.max_abs) - LOWEST_DECADE) * BINS_PER_DECADE * BIN_PX


def drawing() -> dict[str, Any]:
    """What the page's template needs to draw a histogram, in pixels."""
    return {
        "lowest": LOWEST_DECADE,
        "width": BINS * BIN_PX,
        "height": BAR_PX + TEXT_PX,
        "baseline": BAR_PX,
        "text_y": BAR_PX + TEXT_PX - 1,
        "bin": BIN_PX,
        "bar": BIN_PX - GAP_PX,
    }
