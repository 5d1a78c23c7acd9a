"""What filters that learn the CRF renderer share: their contract, what a network may look at, the guidance's shape."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, upsample
from portraiture.training.models.filters.radius import blur_radius_px, scene_depth

STRIDE = 16
"""Height and width of the input are multiples of this."""

RADIUS_UNIT_PX = 10.0
"""Radii enter the networks in this unit."""


class FilterInput(NamedTuple):
    """What is rendered, whole or a crop of it.

    Attributes:
        rgb: (N, 3, H, W) in 0..1.
        mask: (N, 1, H, W) in 0..1.
        depth: of the scene, (N, 1, H, W) in 0..1; 1 - mask of a selfie.
        radius_px: disk radius of each pixel, (N, 1, H, W), in pixels.
        aperture_px: largest disk radius of the whole photo, (N, 1, 1, 1), in pixels.
        diagonal_px: of the whole photo, (N, 1, 1, 1), in pixels.
    """

    rgb: Tensor
    mask: Tensor
    depth: Tensor
    radius_px: Tensor
    aperture_px: Tensor
    diagonal_px: Tensor


class LensFilter(nn.Module):
    """(rgb, mask, depth, aperture, focus) -> rgb, at the input's size; H and W multiples of 16."""

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
        radius_px = blur_radius_px(mask, depth, aperture, focus)
        scene = scene_depth(mask, depth, focus)
        return self.render(FilterInput(rgb, mask, scene, radius_px, aperture * diagonal_px, diagonal_px))

    def render(self, inputs: FilterInput) -> Tensor:
        """The picture (N, 3, H, W) in 0..1; training calls it on crops."""
        raise NotImplementedError

    def loss(self, inputs: FilterInput, target: Tensor) -> tuple[Tensor, Tensor]:
        """What training minimises, and the mean squared error of each picture, (N,).

        Root mean squared error (PSNR is its logarithm) plus mean absolute error.
        """
        error = self.render(inputs) - target
        mse = error.square().mean((1, 2, 3))
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
