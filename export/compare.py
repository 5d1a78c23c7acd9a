"""The one comparison of two arrays: equal shapes or it raises, finite or it fails, fixed peak 1.0, float64."""

import math
from dataclasses import dataclass

import numpy as np

from portraiture.reference.errors import InputError


@dataclass(frozen=True)
class Difference:
    """How far a candidate is from its reference.

    Attributes:
        finite: both arrays hold no NaN and no infinity. Where False, the figures are infinite errors.
        max_abs, mean_abs: absolute error.
        psnr_db: 10 log10(1 / mean squared error), peak 1.0; infinite for equal arrays.
    """

    finite: bool
    max_abs: float
    mean_abs: float
    psnr_db: float


def compare(candidate: np.ndarray, reference: np.ndarray) -> Difference:
    """Compare arrays of values in 0..1.

    Raises:
        InputError: the shapes differ, or an array is empty.
    """
    if candidate.shape != reference.shape:
        raise InputError(f"compare: expected shape {reference.shape}, found {candidate.shape}")
    if candidate.size == 0:
        raise InputError("compare: expected values, found empty arrays")
    a, b = candidate.astype(np.float64), reference.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return Difference(False, math.inf, math.inf, -math.inf)
    error = np.abs(a - b)
    mse = float(np.mean(error**2))
    psnr_db = math.inf if mse == 0 else -10 * math.log10(mse)
    return Difference(True, float(error.max()), float(error.mean()), psnr_db)
