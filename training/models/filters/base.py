"""What filters that learn the CRF renderer share: their contract, what they are fed with, each pixel's disk radius."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, mean, unit, upsample
from portraiture.training.models.filters.layers import layered_depth

STRIDE = 16
"""Height and width of the input are multiples of this."""

RADIUS_UNIT_PX = 10.0
"""Radii enter the networks in this unit."""


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


def by_the_person(focus: Tensor) -> Tensor:
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
    return blended_depth(by_the_person(focus) * selfie_share(mask), mask, depth)


def blur_radius_px(mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> Tensor:
    """Disk radius in pixels of the input's own size, (N, 1, H, W): each layer's one, a selfie's the largest everywhere.

    Args:
        mask: (N, 1, H, W) in 0..1.
        depth: (N, 1, H, W) in 0..1, larger is farther.
        aperture: largest radius as a share of the diagonal, (N, 1, 1, 1).
        focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's.
    """
    by_person = by_the_person(focus)
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


class FilterInput(NamedTuple):
    """What is rendered, whole or a crop of it.

    Attributes:
        rgb: (N, 3, H, W) in 0..1.
        mask: (N, 1, H, W) in 0..1.
        depth: of the scene, (N, 1, H, W) in 0..1; 1 - mask of a selfie.
        radius_px: disk radius of each pixel, (N, 1, H, W), in pixels.
        aperture_px: largest disk radius of the whole photo, (N, 1, 1, 1), in pixels.
        diagonal_px: of the whole photo, (N, 1, 1, 1), in pixels.
        person_px: disk radius of the person, (N, 1, 1, 1), in pixels, negative before the focus; None is 0.
    """

    rgb: Tensor
    mask: Tensor
    depth: Tensor
    radius_px: Tensor
    aperture_px: Tensor
    diagonal_px: Tensor
    person_px: Tensor | None = None


class LensFilter(nn.Module):
    """(rgb, mask, depth, aperture, focus) -> rgb, at the input's size; H and W multiples of ``stride``."""

    stride = STRIDE

    def forward(self, rgb: Tensor, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> Tensor:
        """Render.

        Args:
            rgb: (N, 3, H, W) in 0..1.
            mask, depth: (N, 1, H, W) in 0..1.
            aperture: largest disk radius as a share of the diagonal, (N, 1, 1, 1).
            focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's, and a selfie is one if it is.

        Returns:
            (N, 3, H, W) in 0..1.
        """
        diagonal_px = aperture.new_full((1, 1, 1, 1), math.hypot(*depth.shape[2:]))
        radius_px, person_px = self.radii(mask, depth, aperture, focus)
        scene = scene_depth(mask, depth, focus)
        return self.render(FilterInput(rgb, mask, scene, radius_px, aperture * diagonal_px, diagonal_px, person_px))

    def radii(self, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor, Tensor]:
        """Disk radius in pixels of each pixel (N, 1, H, W), and of the person (N, 1, 1, 1).

        Args:
            mask, depth, aperture, focus: as :meth:`forward` takes them.
        """
        return blur_radius_px(mask, depth, aperture, focus), torch.zeros_like(focus)

    def render(self, inputs: FilterInput) -> Tensor:
        """The picture (N, 3, H, W) in 0..1; training calls it on crops."""
        raise NotImplementedError

    def counted(self, inputs: FilterInput) -> Tensor:
        """Where an error counts in training, (N, 1, H, W), 1 or 0."""
        return torch.ones_like(inputs.mask)

    def loss(self, inputs: FilterInput, target: Tensor) -> tuple[Tensor, Tensor]:
        """What training minimises, and the mean squared error of each picture where it counts, (N,).

        Root mean squared error (PSNR is its logarithm) plus mean absolute error.
        """
        counted = self.counted(inputs)
        error = (self.render(inputs) - target) * counted
        mse = error.square().mean((1, 2, 3)) / torch.clamp(counted.mean((1, 2, 3)), min=0.01)
        return (mse + 1e-6).sqrt().mean() + 0.5 * error.abs().mean(), mse


class EncoderDecoder(nn.Module):
    """Concatenation skips from 1/2 to 1/16 and back: (N, C, H, W) -> features at 1/4 and at 1/2."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        w2, w4, w8, w16 = widths
        self.down2 = conv_bn_relu6(inputs, w2, 3, stride=2)
        self.down4 = nn.Sequential(conv_bn_relu6(w2, w4, 3, stride=2), conv_bn_relu6(w4, w4))
        self.down8 = nn.Sequential(conv_bn_relu6(w4, w8, 3, stride=2), conv_bn_relu6(w8, w8))
        self.down16 = nn.Sequential(conv_bn_relu6(w8, w16, 3, stride=2), conv_bn_relu6(w16, w16))
        self.up8 = conv_bn_relu6(w16 + w8, w8)
        self.up4 = conv_bn_relu6(w8 + w4, w4)
        self.up2 = conv_bn_relu6(w4 + w2, w2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x2 = self.down2(x)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        y8 = self.up8(torch.cat([upsample(x16, 2), x8], 1))
        y4 = self.up4(torch.cat([upsample(y8, 2), x4], 1))
        return y4, self.up2(torch.cat([upsample(y4, 2), x2], 1))
