"""Depth layers, section 3.3: K-means on depth and the unary term of equation (8)."""

import itertools
from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import Floats, Labels

VARIANCE_FLOOR = 0.02**2
"""Smallest variance of a layer: a sigma of 2 % of the depth range. A layer of one flat depth has variance 0,
and (8) would then charge its own pixels without bound for the least noise. The share is chosen, not measured."""


BINS = 1024
"""A depth of more distinct values is counted into this many bins before K-means; others are exact. Chosen."""


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


def depth_layers(depth: Floats, layers: int = 6) -> DepthLayers:
    """Splits the depth range into layers. It trusts the depth of ``render`` and the numbers of ``RenderSettings``.

    Args:
        depth: HxW in 0..1, larger is farther.
        layers: K, at least 1. A depth of fewer distinct values gives one layer for each.

    Returns:
        The layers with their unary costs.
    """
    values, counts = _histogram(depth)
    centres = _kmeans(values, counts, min(layers, values.size))
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


def _kmeans(values: Floats, counts: Floats, k: int) -> Floats:
    """The best k centres, increasing: of one axis they can be found (Wang and Song 2011, "Ckmeans.1d.dp").

    Lloyd's iteration from random starts stops at costs up to 8 % above it, with other centres.
    """
    costs = _costs(values, counts)
    least, starts = costs[0], []  # the least cost of the values up to each one, in 1, 2, ... clusters
    for _ in range(k - 1):
        total = np.concatenate([[np.inf], least[:-1]])[:, None] + costs
        starts.append(total.argmin(axis=0))
        least = total.min(axis=0)
    bounds = [values.size]
    for start in reversed(starts):
        bounds.append(int(start[bounds[-1] - 1]))
    parts = itertools.pairwise([0, *reversed(bounds)])
    return np.array([np.average(values[i:j], weights=counts[i:j]) for i, j in parts])


def _costs(values: Floats, counts: Floats) -> Floats:
    """Cost of one cluster of the values i to j, at [i, j]; infinite where j < i."""
    centred = values - np.average(values, weights=counts)
    total, first, second = (np.concatenate([[0.0], np.cumsum(counts * centred**power)]) for power in range(3))
    count, moment, square = (sums[None, 1:] - sums[:-1, None] for sums in (total, first, second))
    inside = np.tri(values.size, dtype=bool).T
    return np.where(inside, np.maximum(square - moment**2 / np.where(inside, count, 1.0), 0.0), np.inf)
