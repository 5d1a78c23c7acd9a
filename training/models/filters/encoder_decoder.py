"""The guidance network's shape: an encoder and a decoder with skips."""

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, upsample

STRIDE = 16
"""Height and width of the input are multiples of this."""


RADIUS_UNIT_PX = 10.0
"""Radii enter the networks in this unit."""


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
