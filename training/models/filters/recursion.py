"""First-order spatially variant recursion, h[k] = b[k] + a[k] h[k-1], as a doubling scan (Liu et al. [21]).

After step s each h[k] holds the terms of its 2s nearest predecessors; log2(length) steps of slice, pad, multiply and
add give all of them. The form has no loop over lines and no ``flip``, so that it exports small. Where the decays are
bounded, later terms are too small to see: ``reach`` is the number of terms after which the doubling stops.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

VERTICAL, HORIZONTAL = 2, 3
"""Axes of (N, C, H, W) to scan along."""


def _shift(x: Tensor, dim: int, by: int, backward: bool) -> Tensor:
    """x moved along dim by ``by`` lines towards later lines (earlier ones if backward), zeros moving in."""
    kept = x.narrow(dim, by, x.shape[dim] - by) if backward else x.narrow(dim, 0, x.shape[dim] - by)
    before, after = (0, by) if backward else (by, 0)
    return F.pad(kept, (0, 0, before, after) if dim == VERTICAL else (before, after))


def scan(a: Tensor, b: Tensor, dim: int, backward: bool = False, reach: int | None = None) -> Tensor:
    """All h[k] of the recursion along ``dim``.

    Args:
        a: decay, broadcast to b's shape, 0 <= a < 1. Its first line has no effect.
        b: input term (N, C, H, W), any range.
        dim: VERTICAL or HORIZONTAL.
        backward: scan from the last line to the first.
        reach: number of terms that are summed, a power of two; None sums all.
    """
    length, step = min(b.shape[dim], reach or b.shape[dim]), 1
    while step < length:
        b = b + a * _shift(b, dim, step, backward)
        if 2 * step < length:
            a = a * _shift(a, dim, step, backward)
        step *= 2
    return b


def smooth_four_directions(x: Tensor, gates: Sequence[Tensor], reach: int | None = None) -> Tensor:
    """One group: right, left, down and up in turn, each h[k] = (1 - a[k]) x[k] + a[k] h[k-1].

    Before the first line h is 0, so that a constant fades towards the border. The filter scans a weight along with the
    picture, and the quotient of both does not fade.

    Args:
        x: (N, C, H, W), any range.
        gates: four tensors in 0..1 that broadcast to x's shape, in the order right, left, down, up.
        reach: number of terms of each scan, a power of two; None sums all.
    """
    directions = ((HORIZONTAL, False), (HORIZONTAL, True), (VERTICAL, False), (VERTICAL, True))
    for a, (dim, backward) in zip(gates, directions, strict=True):
        x = scan(a, (1 - a) * x, dim, backward, reach)
    return x
