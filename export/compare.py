"""The one comparison of two arrays: equal shapes or it raises, finite or it fails, fixed peak 1.0, float64."""

import math
from dataclasses import dataclass

import numpy as np

from portraiture.reference.errors import InputError

MASK_THRESHOLD = 0.5
"""A pixel belongs to the person from this probability on."""

TILE_PX = 32
"""Side of the squares in which an error is looked for that the whole picture would hide."""


@dataclass(frozen=True)
class Difference:
    """How far a candidate is from its reference.

    Attributes:
        finite: both arrays hold no NaN and no infinity. Where False, the figures are infinite errors.
        max_abs, mean_abs: absolute error.
        psnr_db: 10 log10(1 / mean squared error), peak 1.0; infinite for equal arrays.
        tile_psnr_db: of the worst square of ``TILE_PX`` pixels; ``psnr_db`` of arrays that are no pictures.
        iou: intersection over union of the pixels that are >= 0.5, 1 where both masks are empty; None where not asked
            for.
    """

    finite: bool
    max_abs: float
    mean_abs: float
    psnr_db: float
    tile_psnr_db: float
    iou: float | None = None


def compare(candidate: np.ndarray, reference: np.ndarray, *, as_mask: bool = False) -> Difference:
    """Compare arrays of values in 0..1.

    >>> found = compare(np.array([0.5, 0.25]), np.array([0.5, 0.5]), as_mask=True)
    >>> found.max_abs, found.mean_abs, round(found.psnr_db, 1), found.iou
    (0.25, 0.125, 15.1, 0.5)

    Args:
        candidate, reference: of equal shapes, values in 0..1.
        as_mask: also find the intersection over union.

    Raises:
        InputError: the shapes differ, or an array is empty.
    """
    if candidate.shape != reference.shape:
        raise InputError(
            f"compare: expected shape {reference.shape}, found {candidate.shape}; compare outputs of one model and size"
        )
    if candidate.size == 0:
        raise InputError("compare: expected values, found empty arrays; run the model first")
    a, b = candidate.astype(np.float64), reference.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return Difference(False, math.inf, math.inf, -math.inf, -math.inf, 0.0 if as_mask else None)
    error = np.abs(a - b)
    squared = error**2
    return Difference(
        True,
        float(error.max()),
        float(error.mean()),
        _decibel(float(squared.mean())),
        _decibel(float(tile_means(squared).max() if squared.ndim > 1 else squared.mean())),
        _iou(a, b) if as_mask else None,
    )


def tile_means(values: np.ndarray) -> np.ndarray:
    """The mean of each square of ``TILE_PX`` pixels, (rows, columns); those at the lower and right rim may be smaller.

    >>> tile_means(np.array([[1.0] * 32 + [3.0] * 8])).tolist()
    [[1.0, 3.0]]

    Args:
        values: (H, W) or (H, W, C).
    """
    plane = values.mean(2) if values.ndim == 3 else values
    rows, columns = (np.arange(0, n, TILE_PX) for n in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, 0), columns, 1)
    heights, widths = (np.diff([*starts, n]) for starts, n in zip((rows, columns), plane.shape, strict=True))
    return np.asarray(sums / np.outer(heights, widths))


def _decibel(mse: float) -> float:
    return math.inf if mse == 0 else -10 * math.log10(mse)


def compare_change(
    candidate: np.ndarray, reference: np.ndarray, candidate_base: np.ndarray, reference_base: np.ndarray
) -> Difference:
    """Compare how two pictures change, in units of the reference's own change: 0 dB is an error as large as the change.

    A candidate that does not change has 0 dB, one that changes a tenth too little 20 dB, whatever its picture.

    >>> still, moved = np.zeros(4), np.array([0.0, 0.2, 0.2, 0.0])
    >>> round(compare_change(0.9 * moved, moved, still, still).psnr_db, 6)
    20.0
    >>> compare_change(still, moved, still, still).psnr_db
    0.0

    Args:
        candidate, reference: pictures of equal shapes.
        candidate_base, reference_base: what each of them was before the change.

    Raises:
        InputError: the shapes differ, or the reference does not change.
    """
    change = reference.astype(np.float64) - reference_base
    size = float(np.sqrt(np.mean(change**2))) if change.size else 0.0
    if size == 0:
        raise InputError("compare_change: expected a reference that changes, found none; compare two other settings")
    return compare((candidate.astype(np.float64) - candidate_base) / size, change / size)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    inside_a, inside_b = a >= MASK_THRESHOLD, b >= MASK_THRESHOLD
    union = int((inside_a | inside_b).sum())
    return int((inside_a & inside_b).sum()) / union if union else 1.0
