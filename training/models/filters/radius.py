"""Disk radius of each pixel from depth, aperture and focus, as a network layer."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.training.models.blocks import unit

_EPSILON = 1e-3
"""Least span of depths that is divided by, as ``MIN_SPAN`` of ``reference/lens``."""

_FAR_SHARE = 5 / 6
"""Where the farthest of six layers begins, between the least depth (0) and the largest (1)."""


# as reference/lens/selfie.py has them; a test holds them to be equal
SELFIE_COVER, SELFIE_BOTTOM = 0.20, 1 / 3
COVER_SLOPE, BOTTOM_SLOPE = 50.0, 25.0


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


def far_depth(depth: Tensor) -> Tensor:
    """Mean depth of the farthest sixth of the depth range, (N, 1, 1, 1): about the centre of the farthest layer.

    The largest depth of all lies 10 % or more beyond that centre, and would make every radius too small by as much.
    """
    low, high = torch.amin(depth, (2, 3), keepdim=True), torch.amax(depth, (2, 3), keepdim=True)
    # where the last 1 % of the range is 1: a step with a slope, so that rounding cannot empty it
    member = unit(100 * (depth - low - _FAR_SHARE * (high - low)) / torch.clamp(high - low, min=_EPSILON))
    return _mean(member * depth) / torch.clamp(_mean(member), min=1e-5)


def radius_of(depth: Tensor, aperture_px: Tensor, focus: Tensor, far: Tensor) -> Tensor:
    """Disk radius in pixels, of depth's shape.

    radius = aperture_px * clip((depth - focus) / (far - focus), 0, 1)

    Args:
        depth: (..., H, W) in 0..1.
        aperture_px: largest radius in pixels, (..., 1, 1).
        focus: depth that stays sharp, (..., 1, 1) in 0..1.
        far: depth of the largest radius, (..., 1, 1) in 0..1.
    """
    behind = (depth - focus) / torch.clamp(far - focus, min=_EPSILON)
    return aperture_px * unit(behind)


def selfie_share(mask: Tensor) -> Tensor:
    """How far masks (N, 1, H, W) are those of selfies, (N, 1, 1, 1) in 0..1: as ``reference/lens/selfie.py``."""
    cover, bottom = _mean(mask), mask[:, :, -1:].mean((2, 3), keepdim=True)
    return unit(COVER_SLOPE * (cover - SELFIE_COVER) + 0.5) * unit(BOTTOM_SLOPE * (bottom - SELFIE_BOTTOM) + 0.5)


def _by_person(focus: Tensor) -> Tensor:
    """1 where focus is negative, else 0: TFLite's delegate takes neither a comparison nor a choice."""
    return torch.ceil(unit(-focus))


def blended_depth(share: Tensor | float, mask: Tensor, depth: Tensor) -> Tensor:
    """1 - m by a selfie's share, and the given depth for the rest.

    Args:
        share: of a selfie, 0..1, of the whole photo.
        mask, depth: of the photo or a crop of it, in 0..1.
    """
    return share * (1 - mask) + (1 - share) * depth


def scene_depth(mask: Tensor, depth: Tensor, focus: Tensor) -> Tensor:
    """The depth that is blurred by: 1 - m of a selfie, the given one otherwise and wherever a focus is chosen.

    Args:
        mask, depth: (N, 1, H, W) in 0..1.
        focus: (N, 1, 1, 1); negative: the person's.

    Returns:
        (N, 1, H, W) in 0..1.
    """
    return blended_depth(_by_person(focus) * selfie_share(mask), mask, depth)


def blur_radius_px(mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> Tensor:
    """Disk radius in pixels of the input's own size, (N, 1, H, W).

    Args:
        mask: (N, 1, H, W) in 0..1.
        depth: of the scene, (N, 1, H, W) in 0..1, larger is farther.
        aperture: largest radius as a share of the diagonal, (N, 1, 1, 1).
        focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's.
    """
    by_person = _by_person(focus)
    chosen = by_person * person_depth(mask, depth) + (1 - by_person) * focus
    return radius_of(depth, aperture * math.hypot(depth.shape[2], depth.shape[3]), chosen, far_depth(depth))
