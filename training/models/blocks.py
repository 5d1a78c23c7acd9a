"""Layers that several networks share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.reference.errors import InputError


def conv_bn_relu6(inputs: int, outputs: int, kernel: int = 3, groups: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU6: what mobile delegates fuse.

    Args:
        inputs, outputs: channels.
        kernel: side of the kernel in pixels, odd.
        groups: number of groups of channels; ``inputs`` for a depthwise convolution.
        stride: 1 keeps the size, 2 halves it.
    """
    conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Two depthwise-separable layers: 1x1, 3x3 depthwise, 1x1, 3x3 depthwise."""
    return nn.Sequential(
        conv_bn_relu6(inputs, outputs, 1),
        conv_bn_relu6(outputs, outputs, 3, groups=outputs),
        conv_bn_relu6(outputs, outputs, 1),
        conv_bn_relu6(outputs, outputs, 3, groups=outputs),
    )


class LargeKernel(nn.Module):
    """Residual 7x7 depthwise and two 1x1 layers: at 1/32 of the photo each pixel sees most of the others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = conv_bn_relu6(channels, channels, 7, groups=channels)
        self.expand = conv_bn_relu6(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, channels, 1)
        # begins as the identity: weights from before it was added give the same maps
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.project(self.expand(self.depthwise(x)))
        return result


class Join(nn.Module):
    """Residual: adds to a map what another one of its height and width says at the same places."""

    def __init__(self, channels: int, others: int) -> None:
        super().__init__()
        self.mix = conv_bn_relu6(channels + others, channels, 1)
        self.project = nn.Conv2d(channels, channels, 1)
        # begins as the identity, as LargeKernel
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        result: Tensor = x + self.project(self.mix(torch.cat([x, other], 1)))
        return result


def upsample(x: Tensor, factor: int) -> Tensor:
    """Bilinear upsampling by an integer factor, half-pixel centres (other ratios are inexact in Core ML)."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def unit(x: Tensor) -> Tensor:
    """Clamped to 0..1. Not as one clamp: TFLite has an operation for that which no delegate takes."""
    return torch.clamp(F.relu6(x), max=1.0)


def mean(x: Tensor) -> Tensor:
    """Mean over H and W in two steps, (N, C, H, W) -> (N, C, 1, 1).

    A mean, not a sum: a sum over 200,000 pixels leaves the range of fp16. Two steps: TFLite's plain kernel adds up one
    by one, and over 200,000 pixels that loses four of float32's seven digits.
    """
    for factor in (16, 8, 4, 2):
        if x.shape[2] % factor == 0 and x.shape[3] % factor == 0:
            x = F.avg_pool2d(x, factor)
            break
    return x.mean((2, 3), keepdim=True)


def float32_from_bfloat16(x: Tensor) -> Tensor:
    """A bfloat16 tensor as float32, any other as it is; an exported float32 graph holds no trace of it."""
    return x.float() if x.dtype is torch.bfloat16 else x


def depthwise_float32(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A depthwise convolution, in float32 where the rest is bfloat16: several times as fast on processors."""
    if x.dtype is not torch.bfloat16:
        return conv(x)  # type: ignore[no-any-return]
    with torch.autocast(x.device.type, enabled=False):
        return conv(x.float())  # type: ignore[no-any-return]


def require_multiple(x: Tensor, stride: int) -> None:
    """Raise unless height and width of (N, C, H, W) are multiples of a network's stride."""
    height, width = int(x.shape[2]), int(x.shape[3])
    if height % stride or width % stride:
        raise InputError(
            f"expected height and width that are multiples of {stride}, found {height}x{width}; resize first"
        )
