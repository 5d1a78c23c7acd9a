"""What all filters that learn the CRF renderer share: their contract, and what a network may look at."""

import math
from typing import NamedTuple

from torch import Tensor, nn

from portraiture.training.models.filters.radius import blur_radius_px, scene_depth


class FilterInput(NamedTuple):
    """What is rendered, whole or a crop of it.

    Attributes:
        rgb: (N, 3, H, W) in 0..1.
        mask: (N, 1, H, W) in 0..1.
        depth: of the scene, (N, 1, H, W) in 0..1; 1 - mask of a selfie.
        radius_px: disk radius of each pixel, (N, 1, H, W), in pixels.
        aperture_px: largest disk radius of the whole photo, (N, 1, 1, 1), in pixels.
    """

    rgb: Tensor
    mask: Tensor
    depth: Tensor
    radius_px: Tensor
    aperture_px: Tensor


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
        scene = scene_depth(mask, depth, focus)
        radius_px = blur_radius_px(mask, scene, aperture, focus)
        return self.render(FilterInput(rgb, mask, scene, radius_px, aperture * math.hypot(*depth.shape[2:])))

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
