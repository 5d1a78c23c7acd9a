"""The mobile coarse estimator: mask and depth logits at 1/8 of the photo's size from a MobileNetV2 encoder.

The photo is looked at twice by the same layers: at half its size first, where a person who fills the photo is as large
as people are otherwise, then as it is, joined by what the first look found.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import Join, LargeKernel, conv_bn_relu6, require_multiple, separable, upsample
from portraiture.training.models.mobilenet import FEATURE_CHANNELS, MobileNetV2

TOP_CHANNELS = 128
"""Channels at 1/32; chosen, not measured."""

COARSE_SCALE = 8
"""Size of the input against the size of the logits."""

STRIDE = 32
"""Height and width of the input are multiples of this."""


class CoarseFeatures(NamedTuple):
    """Logits (N, 2, H/8, W/8), mask then depth, what a guidance network can reuse, and the first look's logits.

    The first look's are (N, 2, H/16, W/16).
    """

    logits: Tensor
    decoded8: Tensor
    skip2: Tensor
    skip4: Tensor
    first_logits: Tensor


class _Look(NamedTuple):
    """Decoded maps at 1/16 and 1/8 of what was looked at, its logits at 1/8, and the encoder's maps at 1/2 and 1/4."""

    decoded16: Tensor
    decoded8: Tensor
    logits: Tensor
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
        self.join32 = Join(TOP_CHANNELS, width16)
        self.up16 = separable(TOP_CHANNELS + f16, width16)
        self.join16 = Join(width16, width8 + 2)
        self.up8 = separable(width16 + f8, width8)
        self.head = nn.Conv2d(width8, 2, 3, padding=1)

    def _look(self, rgb: Tensor, first: _Look | None = None) -> _Look:
        f2, f4, f8, f16, f32 = self.encoder(rgb * 2 - 1)
        top = self.around(self.top(f32))  # (N, 128, H/32, W/32)
        top = top + self.context(top.mean((2, 3), keepdim=True))
        if first is not None:
            top = self.join32(top, _within(first.decoded16, top))
        x = decoded16 = self.up16(torch.cat([upsample(top, 2), f16], 1))
        if first is not None:
            x = self.join16(x, _within(torch.cat([first.decoded8, first.logits], 1), x))
        decoded8 = self.up8(torch.cat([upsample(x, 2), f8], 1))
        return _Look(decoded16, decoded8, self.head(decoded8), f2, f4)

    def features(self, rgb: Tensor) -> CoarseFeatures:
        """Logits at 1/8 and the feature maps that the SPN's guidance shares."""
        require_multiple(rgb, STRIDE)
        half = F.avg_pool2d(rgb, 2)
        # to multiples of the stride, and at least two of them: a batch norm in training needs more than one value
        down, right = (max(2 * STRIDE - int(n), -int(n) % STRIDE) for n in half.shape[2:])
        first = self._look(F.pad(half, (0, right, 0, down)) if down or right else half)
        look = self._look(rgb, first)
        first_logits = _within(first.logits, look.decoded16)
        return CoarseFeatures(look.logits, look.decoded8, look.skip2, look.skip4, first_logits)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits (N, 2, H, W), mask then depth, upsampled to the photo's size."""
        return upsample(self.features(rgb).logits, COARSE_SCALE)


def _within(x: Tensor, like: Tensor) -> Tensor:
    """Without the lines and columns that come from padding: of the height and width of ``like``."""
    height, width = (int(n) for n in like.shape[2:])
    return x if (int(x.shape[2]), int(x.shape[3])) == (height, width) else x[:, :, :height, :width]
