"""Depth layers as a network layer: the exact K-means of a depth map, and each pixel's depth as its layer's centre.

K-means on one axis has a best answer that dynamic programming finds (Wang and Song 2011, "Ckmeans.1d.dp"). Lloyd's
iteration stops at answers of nearly the same cost with other centres, and with those the picture differs from the
reference's by 5 dB. The depth is counted into ``BINS`` bins first. All sums are of numbers that are not negative, so
that fp16 keeps three digits, and there is no loop over pixels, no comparison, no gather: phones' delegates have none.

With cost[i, j] of one cluster of the bins i to j, V_k[j] the least cost of k clusters of the bins 0 to j, and W_k[i]
that of k clusters of the bins i to the last,

    V_1[j] = cost[0, j],      V_{k+1}[j] = min_i V_k[i - 1] + cost[i, j]
    W_1[i] = cost[i, last],   W_{k+1}[i] = min_j cost[i, j] + W_k[j + 1]

and cluster k + 1 begins at the bin i where V_k[i - 1] + W_{K - k}[i] is least.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.training.models.blocks import mean, unit

LAYERS = 6
"""K of the paper (section 4.1)."""

BINS = 64
"""With 32, 2 of 17 held-out photos get other centres than the reference, with 64 none; on 24 photos the centres are off
by 0.012 at most."""

_POOL = 4
"""Pixels per side whose mean depth is counted; the sizes of a filter are multiples of 16."""

_MASS = 16.0
"""All bins together weigh this much, and distances are in units of ``_UNIT`` bins: the costs then fit fp16."""

_UNIT = 8.0

_FORBIDDEN = 1000.0
"""Cost of a cluster that ends before it begins; the largest of a real one is about 250."""

_TIE, _LEAST_TIE = 0.015, 0.002
"""Beginnings that cost up to this share more than the best one, and this cost, count too, the less the more they cost:
near ties then change the picture smoothly."""

_LEAST_MASS = 1e-3
"""Added to a cluster's weight; an empty one gets the middle of its bounds as its centre."""

_VARIANCE_FLOOR = 0.02**2
"""As ``VARIANCE_FLOOR`` of ``reference/paper/layers.py``."""

_STEEPNESS = 100.0
"""Slope of the step from layer to layer, per depth range: 1 / 100 of it lies between two layers. A step without a slope
multiplies what rounding does to the depth. On 9 held-out whole bodies it has 51.8 dB, slopes of 256 and 64 have 51.8
and 51.3."""


def _bins(like: Tensor) -> Tensor:
    """Their numbers, (BINS, 1, 1)."""
    return _constant(np.arange(float(BINS))[:, None, None], like)


def _histogram(share: Tensor) -> Tensor:
    """How much of the depth lies at each bin: (N, 1, H, W) in 0..1 -> (N, BINS, 1, 1), ``_MASS`` in all.

    A depth between two bins counts for both, the nearer one more, so that the mean stays.
    """
    place = F.avg_pool2d(share, _POOL) * (BINS - 1)
    member = F.relu(1 - (place - _bins(share)).abs())
    return mean(member) * _MASS


def _constant(values: np.ndarray, like: Tensor) -> Tensor:
    """Numbers that every photo shares: computed here, so that a converter finds no operation to keep."""
    return torch.tensor(values.tolist(), dtype=like.dtype, device=like.device)


def _within(x: Tensor, begins: bool) -> Tensor:
    """Sums over the bins from each one on (``begins``), or up to each one: (N, BINS, H, 1), along the first axis."""
    ones = np.tri(BINS)
    return F.conv2d(x, _constant((ones.T if begins else ones)[:, :, None, None], x))


def _costs(mass: Tensor) -> Tensor:
    """cost[i, j]: (N, BINS, BINS, 1), the sum of squared distances from the mean of the bins i to j, in ``_UNIT``.

    It is sum_{b < c} g_b g_c (b - c)^2 / sum_b g_b, over the bins b, c in i..j of weight g.
    """
    row, column = np.mgrid[:BINS, :BINS][..., None]
    distance = np.where(row < column, np.square((row - column) / _UNIT), 0.0)
    pairs = mass * mass.reshape(-1, 1, BINS, 1) * _constant(distance, mass)  # (N, b, c, 1), b < c
    spread = _within(_within(pairs, True).transpose(1, 2), False).transpose(1, 2)  # b >= i, c <= j
    weight = _within(mass * _constant((row <= column).astype(float), mass), True)  # b <= j, then b >= i
    return spread / torch.clamp(weight, min=1e-3) + _constant(np.where(row > column, _FORBIDDEN, 0.0), mass)


def _starts(cost: Tensor) -> Tensor:
    """Where clusters 2 to K begin, less a half: (N, 1, K - 1, 1), in bins."""
    bins, numbers = _bins(cost), np.arange(BINS)[:, None, None]
    first, last = (_constant(_FORBIDDEN * (numbers == k), cost) for k in (0, BINS - 1))
    before, after = cost[:, :1], cost[:, :, -1:]  # V_1 (N, 1, j, 1), W_1 (N, i, 1, 1)
    fronts, rests = [], []
    for k in range(1, LAYERS):
        front = _moved(before.reshape(-1, BINS, 1, 1), 1) + first  # V_k[i - 1]
        fronts.append(front)
        rests.append(after)
        if k < LAYERS - 1:
            before = torch.amin(front + cost, 1, keepdim=True)
            behind = (_moved(after, -1) + last).reshape(-1, 1, BINS, 1)  # W_k[j + 1]
            after = torch.amin(behind + cost, 2, keepdim=True)
    total = torch.cat(fronts, 2) + torch.cat(rests[::-1], 2)  # (N, i, K - 1, 1)
    least = torch.amin(total, 1, keepdim=True)
    best = F.relu(1 - (total - least) / (_TIE * least + _LEAST_TIE))
    return (best * (bins - 0.5)).sum(1, keepdim=True) / best.sum(1, keepdim=True)


def _moved(x: Tensor, by: int) -> Tensor:
    """(N, BINS, 1, 1) moved by one bin, a 0 moving in."""
    return F.pad(x[:, :-1], (0, 0, 0, 0, 1, 0)) if by > 0 else F.pad(x[:, 1:], (0, 0, 0, 0, 0, 1))


def _padded(x: Tensor, before: float, after: float) -> Tensor:
    """(N, C, K - 1, 1) with one more value at each end of the clusters' axis, (N, C, K + 1, 1)."""
    ends = [before] + [0.0] * (LAYERS - 1) + [after]
    return F.pad(x, (0, 0, 1, 1)) + _constant(np.array(ends)[:, None], x)


class Layers:
    """The layers of depth maps.

    Attributes:
        low, span: least depth and what the largest exceeds it by, (N, 1, 1, 1).
        centres: K of them, (N, K, 1, 1), as shares of the span.
        bounds: the share where the next layer begins, (N, K - 1, 1, 1).
    """

    def __init__(self, depth: Tensor) -> None:
        self.low = torch.amin(depth, (2, 3), keepdim=True)
        self.span = torch.clamp(torch.amax(depth, (2, 3), keepdim=True) - self.low, min=1e-3)
        mass, bins = _histogram((depth - self.low) / self.span), _bins(depth)
        starts = _starts(_costs(mass))  # (N, 1, K - 1, 1)
        steps = _padded(unit(bins - starts + 0.5), 1.0, 0.0)  # (N, BINS, K + 1, 1)
        member = (steps[:, :, :-1] - steps[:, :, 1:]) * mass
        edges = _padded(starts, -0.5, BINS - 0.5)
        middle = (edges[:, :, :-1] + edges[:, :, 1:]) / 2
        weight = member.sum(1, keepdim=True) + _LEAST_MASS  # (N, 1, K, 1)
        centres = ((member * bins).sum(1, keepdim=True) + _LEAST_MASS * middle) / weight
        distance, unit_depth = (bins - centres) / _UNIT, _UNIT / (BINS - 1) * self.span
        spread = (member * distance * distance).sum(1, keepdim=True) / weight
        variance = torch.clamp(spread * unit_depth * unit_depth, min=_VARIANCE_FLOOR)
        # (8) charges |z - C| / variance: two layers cost the same here
        low, high, less, more = centres[:, :, :-1], centres[:, :, 1:], variance[:, :, :-1], variance[:, :, 1:]
        bounds = low + (high - low) * (less / (less + more))
        self.centres = (centres / (BINS - 1)).reshape(-1, LAYERS, 1, 1)
        self.bounds = (bounds / (BINS - 1)).reshape(-1, LAYERS - 1, 1, 1)

    @property
    def depths(self) -> Tensor:
        """Depth of each centre, increasing, (N, K, 1, 1)."""
        return self.low + self.span * self.centres

    def of(self, depth: Tensor, values: Tensor, bounds: Tensor | None = None) -> Tensor:
        """Each pixel's depth replaced by a value of its layer.

        Args:
            depth: (N, 1, h, w) in 0..1.
            values: of each layer, (N, K, 1, 1).
            bounds: where the next layer begins, as ``bounds``; None takes those of (8).

        Returns:
            (N, 1, h, w); a value between two layers' in the narrow steps between them.
        """
        slope = torch.full_like(self.span, 6 * _STEEPNESS) / self.span  # two tensors: no delegate has an inverse
        steps = (self.bounds if bounds is None else bounds) * (6 * _STEEPNESS) - 3
        # the step of ``layered_depth`` six times as large: ReLU6 cuts it on both sides
        beyond = F.relu6((depth - self.low) * slope - steps)  # (N, K - 1, h, w)
        return values[:, :1] + (beyond * ((values[:, 1:] - values[:, :-1]) / 6)).sum(1, keepdim=True)

    def nearest(self, depth: Tensor) -> Tensor:
        """The centre that is nearest to a depth, (N, 1, h, w)."""
        return self.of(depth, self.depths, (self.centres[:, :-1] + self.centres[:, 1:]) / 2)


def layered_depth(depth: Tensor) -> Tensor:
    """Each pixel's depth replaced by the centre of its layer.

    Args:
        depth: (N, 1, H, W) in 0..1; H and W multiples of 4.

    Returns:
        (N, 1, H, W) in 0..1, of at most K values but for the narrow steps between them.
    """
    layers = Layers(depth)
    share = (depth - layers.low) / layers.span
    beyond = unit(_STEEPNESS * (share - layers.bounds) + 0.5)  # (N, K - 1, H, W)
    rise = layers.centres[:, 1:] - layers.centres[:, :-1]
    return layers.low + layers.span * (layers.centres[:, :1] + (beyond * rise).sum(1, keepdim=True))
