"""Depth layers, section 3.3: K-means on depth and the unary term of equation (8)."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import Floats, Labels

VARIANCE_FLOOR = 0.02**2
"""Smallest variance of a layer: a sigma of 2 % of the depth range. A layer of one flat depth has variance 0,
and (8) would then charge its own pixels without bound for the least noise. The share is chosen, not measured."""


BINS = 4096
"""A depth of more distinct values is counted into this many bins before K-means; others are exact. Chosen."""


RESTARTS = 8
"""Runs of K-means, each from a start of its own; the best is taken. Chosen, not measured."""


MAX_ITERATIONS = 100
"""A run of K-means ends here at the latest. Chosen, not measured."""


@dataclass(frozen=True)
class DepthLayers:
    """K depth layers, near to far.

    Attributes:
        centres: K increasing depths in 0..1.
        variances: K variances, each at least ``VARIANCE_FLOOR``.
        unary: HxWxK cost of each label at each pixel, equation (8).
    """

    centres: Floats
    variances: Floats
    unary: Floats


def depth_layers(depth: Floats, layers: int = 6, seed: int = 0) -> DepthLayers:
    """Splits the depth range into layers. It trusts the depth of ``render`` and the numbers of ``RenderSettings``.

    Args:
        depth: HxW in 0..1, larger is farther.
        layers: K, at least 1. A depth of fewer distinct values gives one layer for each.
        seed: of the K-means starts, 0 or more; equal seeds give equal layers.

    Returns:
        The layers with their unary costs.
    """
    values, counts = _histogram(depth)
    centres = _kmeans(values, counts, min(layers, values.size), np.random.default_rng(seed))
    nearest = nearest_layer(values, centres)
    total = np.bincount(nearest, counts, centres.size)
    squares = np.bincount(nearest, counts * (values - centres[nearest]) ** 2, centres.size)
    variances = np.maximum(squares / total, VARIANCE_FLOOR)
    # (8)  u(l_i | z_i) = ||z_i - C_l|| / sigma_l^2
    unary = np.abs(depth[..., None] - centres) / variances  # HxWx1 - K -> HxWxK
    return DepthLayers(centres, variances, unary)


def _histogram(depth: Floats) -> tuple[Floats, Floats]:
    """Distinct depths, increasing, with their counts; a bin stands for the mean of what falls into it."""
    values, counts = np.unique(depth, return_counts=True)
    if values.size <= BINS:
        return values, np.asarray(counts, dtype=np.float64)
    low, high = values[0], values[-1]
    bins = np.minimum((values - low) / (high - low) * BINS, BINS - 1).astype(np.int64)
    total = np.bincount(bins, counts, BINS)
    sums = np.bincount(bins, counts * values, BINS)
    filled = total > 0
    return sums[filled] / total[filled], np.asarray(total[filled], dtype=np.float64)


def nearest_layer(depths: Floats, centres: Floats) -> Labels:
    """Index of the nearest of the increasing centres, for depths of any shape; a tie goes to the nearer layer."""
    return np.asarray(np.searchsorted((centres[1:] + centres[:-1]) / 2, depths, side="left"), dtype=np.int64)


def _kmeans(values: Floats, counts: Floats, k: int, rng: np.random.Generator) -> Floats:
    """The best of several Lloyd runs, each from a k-means++ start. Increasing centres, at most k."""
    best, best_cost = values[:1], np.inf
    for _ in range(RESTARTS):
        centres = _lloyd(values, counts, _plus_plus(values, counts, k, rng))
        cost = float((counts * (values - centres[nearest_layer(values, centres)]) ** 2).sum())
        if cost < best_cost:
            best, best_cost = centres, cost
    return best


def _plus_plus(values: Floats, counts: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k distinct values, each drawn with a chance that grows with its squared distance to those drawn."""
    chosen = [int(rng.choice(values.size, p=counts / counts.sum()))]
    distance = np.abs(values - values[chosen[0]])
    while len(chosen) < k:
        # Divided by the largest first: the square of a tiny difference is 0, and it must still be drawn.
        weight = counts * (distance / distance.max()) ** 2
        chosen.append(int(rng.choice(values.size, p=weight / weight.sum())))
        distance = np.minimum(distance, np.abs(values - values[chosen[-1]]))
    return np.sort(values[chosen])


def _lloyd(values: Floats, counts: Floats, centres: Floats) -> Floats:
    """Lloyd's iteration until the centres stand. A cluster that loses all its values is dropped."""
    for _ in range(MAX_ITERATIONS):
        nearest = nearest_layer(values, centres)
        total = np.bincount(nearest, counts, centres.size)
        filled = total > 0
        means = np.bincount(nearest, counts * values, centres.size)[filled] / total[filled]
        if np.array_equal(means, centres):
            break
        centres = means
    return centres[np.bincount(nearest_layer(values, centres), minlength=centres.size) > 0]
