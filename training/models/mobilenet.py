"""MobileNetV2-1.0 (Sandler et al. 2018) as an encoder, batch norm folded into the convolutions.

The layout is TensorFlow's: at stride 2 the padding is on the right and bottom only, so that the public Apache-2.0
weights (``mobilenet_weights.py``) give the activations they were trained for. Input range -1..1.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import depthwise_float32

# Table 2 of the paper: expansion, output channels, repeats, stride of the first
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

FEATURE_CHANNELS = (16, 24, 32, 96, 320)
"""Channels of the returned maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""


_FEATURE_BLOCKS = (0, 2, 5, 12, 16)
"""Numbers of the blocks whose outputs are the returned maps: the last of each size."""


def _pad_same_stride2(x: Tensor) -> Tensor:
    return F.pad(x, (0, 1, 0, 1))


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 projection; residual where shapes allow.

    Args:
        inputs, outputs: channels.
        stride: 1 keeps the size, 2 halves it.
        expansion: hidden channels per input channel.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.stride = stride
        self.residual = stride == 1 and inputs == outputs
        self.expand = nn.Conv2d(inputs, hidden, 1) if expansion != 1 else None
        self.depthwise = nn.Conv2d(hidden, hidden, 3, stride, padding=1 if stride == 1 else 0, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        if self.stride == 2:
            y = _pad_same_stride2(y)
        y = self.project(F.relu6(depthwise_float32(self.depthwise, y)))
        result: Tensor = x + y if self.residual else y
        return result


class MobileNetV2(nn.Module):
    """Encoder. Input (N, 3, H, W) in -1..1, H and W multiples of 32; returns five feature maps, fine to coarse."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, stride=2)
        blocks: list[nn.Module] = []
        inputs = 32
        for expansion, outputs, repeats, stride in STAGES:
            for i in range(repeats):
                blocks.append(InvertedResidual(inputs, outputs, stride if i == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions in the order of execution (the order of the public file)."""
        return [m for m in self.modules() if isinstance(m, nn.Conv2d)]

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(_pad_same_stride2(x)))
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in _FEATURE_BLOCKS:
                features.append(x)
        return features
