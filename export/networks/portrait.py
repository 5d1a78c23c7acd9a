"""Perception and filter as one network: a photo in, a portrait out."""

from torch import Tensor, nn

from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.perception import MobilePerception


class Portrait(nn.Module):
    """(rgb, aperture, focus) -> portrait rgb, mask, depth; shapes as in the two networks."""

    def __init__(self, perception: MobilePerception, rnn_filter: RnnFilter) -> None:
        super().__init__()
        self.perception = perception
        self.filter = rnn_filter

    def forward(self, rgb: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.perception(rgb)
        return self.filter(rgb, maps.mask, maps.depth, aperture, focus), maps.mask, maps.depth
