"""Perception and filter as one network: a photo in, a portrait out."""

from typing import TYPE_CHECKING

from torch import Tensor, nn

from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.perception import MobilePerception

if TYPE_CHECKING:
    from portraiture.export.networks.own import OwnPerception


class Portrait(nn.Module):
    """(rgb, aperture, focus) -> portrait rgb, mask, depth; shapes as in the two networks."""

    def __init__(self, perception: "MobilePerception | OwnPerception", lens_filter: LensFilter) -> None:
        super().__init__()
        self.perception = perception
        self.filter = lens_filter

    def forward(self, rgb: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A portrait of a photo.

        Args:
            rgb: (N, 3, H, W) in 0..1.
            aperture: (N, 1, 1, 1), largest disk radius as a share of the diagonal, 0..0.04.
            focus: (N, 1, 1, 1), depth that stays sharp, 0..1; negative: the person's, see ``scene_depth``.

        Returns:
            Portrait (N, 3, H, W), mask and depth (N, 1, H, W), all in 0..1.
        """
        maps = self.perception(rgb)
        return self.filter(rgb, maps.mask, maps.depth, aperture, focus), maps.mask, maps.depth
