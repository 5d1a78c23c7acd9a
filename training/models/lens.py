"""Circle of confusion from depth, aperture and focus: the same rule as ``reference/lens.py``, as a network layer."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

FOCUS_ON_PERSON = -1.0
"""A negative focus means: the person's depth."""

_EPSILON = 1e-3


def _mean(x: Tensor) -> Tensor:
    """Mean over H and W in two steps.

    A mean, not a sum: a sum over 200,000 pixels leaves the range of fp16. Two steps: TFLite's plain kernel adds up one
    by one, and over 200,000 pixels that loses four of float32's seven digits.
    """
    for factor in (16, 8, 4, 2):
        if x.shape[2] % factor == 0 and x.shape[3] % factor == 0:
            x = F.avg_pool2d(x, factor)
            break
    return x.mean((2, 3), keepdim=True)


def person_depth(mask: Tensor, depth: Tensor) -> Tensor:
    """Mask-weighted mean depth, (N, 1, 1, 1), from (N, 1, H, W) maps."""
    return _mean(mask * depth) / torch.clamp(_mean(mask), min=1e-4)


def blur_radius_px(mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> Tensor:
    """Disk radius in pixels of the input's own size, (N, 1, H, W).

    radius = aperture * diagonal * clip((depth - focus) / (farthest - focus), 0, 1)

    Args:
        mask, depth: (N, 1, H, W) in 0..1, larger depth is farther.
        aperture: largest radius as a share of the diagonal, (N, 1, 1, 1).
        focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's.
    """
    chosen = torch.where(focus < 0, person_depth(mask, depth), focus)
    farthest = torch.amax(depth, (2, 3), keepdim=True)
    behind = (depth - chosen) / torch.clamp(farthest - chosen, min=_EPSILON)
    diagonal_px = math.hypot(depth.shape[2], depth.shape[3])
    return aperture * diagonal_px * torch.clamp(behind, 0.0, 1.0)
