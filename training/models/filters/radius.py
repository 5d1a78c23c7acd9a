"""Disk radius of each pixel from depth, aperture and focus, as a network layer."""

import math

import torch
from torch import Tensor

from portraiture.training.models.blocks import unit
from portraiture.training.models.filters.layers import layered_depth
from portraiture.training.models.filters.mean import mean

_EPSILON = 1e-3
"""Least span of depths that is divided by, as ``MIN_SPAN`` of ``reference/lens``."""


# as reference/lens/selfie.py has them; a test holds them to be equal
SELFIE_COVER, SELFIE_BOTTOM = 0.20, 1 / 3
COVER_SLOPE, BOTTOM_SLOPE = 50.0, 25.0


def person_depth(mask: Tensor, depth: Tensor) -> Tensor:
    """Mask-weighted mean depth, (N, 1, 1, 1), from (N, 1, H, W) maps."""
    return mean(mask * depth) / torch.clamp(mean(mask), min=1e-4)


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
    cover, bottom = mean(mask), mask[:, :, -1:].mean((2, 3), keepdim=True)
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
    """Disk radius in pixels of the input's own size, (N, 1, H, W): each layer's one, a selfie's the largest everywhere.

    Args:
        mask: (N, 1, H, W) in 0..1.
        depth: (N, 1, H, W) in 0..1, larger is farther.
        aperture: largest radius as a share of the diagonal, (N, 1, 1, 1).
        focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's.
    """
    by_person = _by_person(focus)
    chosen = by_person * person_depth(mask, depth) + (1 - by_person) * focus
    aperture_px, layers = aperture * math.hypot(depth.shape[2], depth.shape[3]), layered_depth(depth)
    by_layer = radius_of(layers, aperture_px, chosen, torch.amax(layers, (2, 3), keepdim=True))
    return blended_radius(by_person * selfie_share(mask), by_layer, aperture_px)


def blended_radius(share: Tensor | float, by_layer: Tensor, aperture_px: Tensor) -> Tensor:
    """The one radius of (4) by a selfie's share, that of the layers in (10) for the rest.

    Args:
        share: of a selfie, 0..1, of the whole photo.
        by_layer: radii of the layers, in pixels.
        aperture_px: largest radius, in pixels.
    """
    return share * aperture_px + (1 - share) * by_layer
