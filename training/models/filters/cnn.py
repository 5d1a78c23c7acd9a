"""Baseline "Ours CNN" of table 2 (paper 4.5): an encoder-decoder that gives the picture itself.

It sees what the RNN filter sees, mask, depth and disk radius included, and its residual is added to the input.
It has no filter whose reach varies from pixel to pixel.
"""

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, require_multiple
from portraiture.training.models.filters.base import RADIUS_UNIT_PX, STRIDE, EncoderDecoder, FilterInput, LensFilter

WIDTHS = (24, 32, 48, 64)
"""Wider than the RNN filter's guidance: it has no disks to pay for."""


class CnnFilter(LensFilter):
    """(rgb, mask, depth, aperture, focus) -> rgb by convolutions alone."""

    def __init__(self) -> None:
        super().__init__()
        self.body = EncoderDecoder(6, WIDTHS)
        self.full = nn.Sequential(
            nn.ConvTranspose2d(WIDTHS[0], 16, 4, stride=2, padding=1), nn.ReLU6(), conv_bn_relu6(16, 16)
        )
        self.residual = nn.Conv2d(16 + 6, 3, 3, padding=1)
        nn.init.normal_(self.residual.weight, std=0.01)
        nn.init.zeros_(self.residual.bias)  # type: ignore[arg-type]

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        require_multiple(inputs.rgb, STRIDE)
        x = torch.cat([inputs.rgb, inputs.mask, inputs.depth, inputs.radius_px / RADIUS_UNIT_PX], 1)
        _, y2 = self.body(x)
        return torch.clamp(inputs.rgb + self.residual(torch.cat([self.full(y2), x], 1)), 0.0, 1.0)
