"""Errors of a matte against a true one (Rhemann et al. 2009, "A perceptually motivated online benchmark")."""

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bools, Floats
from portraiture.reference.errors import InputError
from portraiture.reference.metrics import check_pair

SIGMA = 1.4
"""Of the Gaussian whose derivatives are the gradient, as published."""

STEP, SLACK = 0.1, 0.15
"""Between two levels of connectivity, and the difference from the level that is no error, as published."""

THOUSAND = 1000.0
"""Sums are given in thousands, as the benchmark does."""


def matte_errors(matte: AnyArray, truth: AnyArray, band: Bools) -> dict[str, float]:
    """The benchmark's four errors of one photo; 0 is best.

    Args:
        matte: HxW float in 0..1.
        truth: the same shape.
        band: HxW of bool, the pixels that count.

    Returns:
        ``sad``, the sum of absolute differences, ``gradient`` and ``connectivity``, sums as well, all three in
        thousands; ``mse``, a mean.

    Raises:
        InputError: the shapes differ, a value is not finite, or the band is empty.

    >>> truth, band = np.eye(8), np.ones((8, 8), bool)
    >>> matte_errors(0.5 * truth, truth, band)["sad"]
    0.004
    """
    a, b = check_pair(matte, truth)
    if band.shape != a.shape or a.ndim != 2 or not band.any():
        raise InputError(f"matte: expected a band of some pixels of {a.shape}, found {band.shape}; pass HxW of bool")
    difference = np.abs(a - b)[band]
    slopes = np.square(_slope(a) - _slope(b))[band]
    joined = np.abs(np.subtract(*_connectivity(a, b)))[band]
    return {
        "sad": float(difference.sum()) / THOUSAND,
        "mse": float(np.square(difference).mean()),
        "gradient": float(slopes.sum()) / THOUSAND,
        "connectivity": float(joined.sum()) / THOUSAND,
    }


def _slope(matte: Floats) -> Floats:
    """Length of the matte's gradient, by the derivatives of a Gaussian."""
    reach = int(np.ceil(3 * SIGMA))
    place = np.arange(-reach, reach + 1)
    bell = np.exp(-np.square(place) / (2 * SIGMA**2))
    slope = -place * bell / np.linalg.norm(np.outer(bell, place * bell))  # the published kernel's norm is 1
    across, down = (
        cv2.sepFilter2D(matte, -1, x, y, borderType=cv2.BORDER_REPLICATE) for x, y in ((slope, bell), (bell, slope))
    )
    return np.hypot(across, down)


def _connectivity(matte: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """How far both hang together with the largest region that both have, 0..1 each: HxW."""
    level = np.full(matte.shape, -1.0)
    for threshold in np.arange(STEP, 1 + STEP / 2, STEP):
        both = ((matte >= threshold) & (truth >= threshold)).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=4)
        largest = labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA]) if count > 1 else np.zeros(matte.shape, bool)
        level[(level < 0) & ~largest] = threshold - STEP
    level[level < 0] = 1.0
    beyond = (m - level for m in (matte, truth))
    first, second = (1 - d * (d >= SLACK) for d in beyond)
    return first, second
