"""Depth layers, paper 3.3: K-means on depth and the unary cost of equation (8)."""

from dataclasses import dataclass

import numpy as np

BINS = 4096
MAX_ROUNDS = 100
VARIANCE_FLOOR = 1e-4
"""Least variance of a cluster: a layer of one depth would otherwise cost infinitely little. 0.01 of the depth range."""


@dataclass(frozen=True)
class DepthLayers:
    """Clusters near to far.

    Attributes:
        centres: (K,) cluster centres C_l, ascending.
        variances: (K,) cluster variances sigma_l^2, not below the floor.
        unary: (H, W, K) cost u(l | z_i).
    """

    centres: np.ndarray
    variances: np.ndarray
    unary: np.ndarray


def kmeans_1d(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's K-means on values in 0..1, by a histogram of 4,096 bins; starts from quantiles, so it is deterministic.

    Returns:
        Centres (ascending) and variances, of length ``count`` or the number of distinct bins where that is smaller.
    """
    weight = np.bincount(np.minimum((values.ravel() * BINS).astype(int), BINS - 1), minlength=BINS).astype(
        float
    )
    sums = np.bincount(
        np.minimum((values.ravel() * BINS).astype(int), BINS - 1), values.ravel(), minlength=BINS
    )
    squares = np.bincount(
        np.minimum((values.ravel() * BINS).astype(int), BINS - 1), values.ravel() ** 2, minlength=BINS
    )
    used = weight > 0
    weight, sums, squares = weight[used], sums[used], squares[used]
    points = sums / weight
    count = min(count, len(points))
    cumulative = np.cumsum(weight) / weight.sum()
    starts = np.searchsorted(cumulative, (np.arange(count) + 0.5) / count)
    centres = np.unique(points[starts])
    if len(centres) < count:  # quantiles fell together: spread over the distinct values instead
        centres = points[np.linspace(0, len(points) - 1, count).round().astype(int)]
    for _ in range(MAX_ROUNDS):
        label = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
        total = np.bincount(label, weight, minlength=count)
        moved = np.where(
            total > 0, np.bincount(label, sums, minlength=count) / np.maximum(total, 1e-12), centres
        )
        if np.array_equal(moved, centres):
            break
        centres = np.sort(moved)
    label = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
    total = np.maximum(np.bincount(label, weight, minlength=count), 1e-12)
    mean = np.bincount(label, sums, minlength=count) / total
    variances = np.bincount(label, squares, minlength=count) / total - mean**2
    return centres, np.maximum(variances, VARIANCE_FLOOR)


def depth_layers(depth: np.ndarray, count: int) -> DepthLayers:
    """Cluster a depth map and give the unary costs.

    Args:
        depth: (H, W) in 0..1, larger is farther.
        count: K; fewer layers come back where there are fewer distinct depths.
    """
    centres, variances = kmeans_1d(depth, count)
    # u(l_i | z_i) = ||z_i - C_{l_i}|| / sigma_{l_i}^2
    unary = np.abs(depth[..., None] - centres) / variances
    return DepthLayers(centres, variances, unary)
