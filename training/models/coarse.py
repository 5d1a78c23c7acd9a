"""The mobile coarse estimator: mask and depth logits at 1/8 of the photo's size from a MobileNetV2 encoder."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import LargeKernel, conv_bn_relu6, require_multiple, separable, upsample
from portraiture.training.models.mobilenet import FEATURE_CHANNELS, MobileNetV2

TOP_CHANNELS = 128
"""Channels at 1/32; chosen, not measured."""

COARSE_SCALE = 8
"""Size of the input against the size of the logits."""

STRIDE = 32
"""Height and width of the input are multiples of this."""


class CoarseFeatures(NamedTuple):
    """Logits (N, 2, H/8, W/8), mask then depth, and what a guidance network can reuse."""

    logits: Tensor
    decoded8: Tensor
    skip2: Tensor
    skip4: Tensor


class MobileCoarse(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> coarse mask and depth logits; H and W multiples of 32.

    Large kernels on the last feature map, and its mean, bring what the whole photo shows to every pixel.

    Args:
        width8, width16: decoder channels at 1/8 and 1/16.
    """

    def __init__(self, width8: int = 48, width16: int = 96) -> None:
        super().__init__()
        _, _, f8, f16, f32 = FEATURE_CHANNELS
        self.encoder = MobileNetV2()
        self.top = conv_bn_relu6(f32, TOP_CHANNELS, 1)
        self.around = nn.Sequential(LargeKernel(TOP_CHANNELS), LargeKernel(TOP_CHANNELS))
        self.context = nn.Conv2d(TOP_CHANNELS, TOP_CHANNELS, 1)
        self.up16 = separable(TOP_CHANNELS + f16, width16)
        self.up8 = separable(width16 + f8, width8)
        self.head = nn.Conv2d(width8, 2, 3, padding=1)

    def features(self, rgb: Tensor) -> CoarseFeatures:
        """Logits at 1/8 and the feature maps that the SPN's guidance shares."""
        require_multiple(rgb, STRIDE)
        f2, f4, f8, f16, f32 = self.encoder(rgb * 2 - 1)
        top = self.around(self.top(f32))  # (N, 128, H/32, W/32)
        top = top + self.context(top.mean((2, 3), keepdim=True))
        x = self.up16(torch.cat([upsample(top, 2), f16], 1))
        x = self.up8(torch.cat([upsample(x, 2), f8], 1))
        return CoarseFeatures(self.head(x), x, f2, f4)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits (N, 2, H, W), mask then depth, upsampled to the photo's size."""
        return upsample(self.features(rgb).logits, COARSE_SCALE)
