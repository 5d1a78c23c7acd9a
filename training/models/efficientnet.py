"""EfficientNet-Lite (Tan & Le 2019, the variant for phones) as an encoder, batch norm folded into the convolutions.

Lite: no squeeze-and-excitation, ReLU6; the stem, the first and the last stage are the same in every variant. The
layout is TensorFlow's: at stride 2 the padding is larger on the right and bottom, so that the public Apache-2.0
weights (``encoder_weights.py``) give the activations they were trained for. Input range -1..1.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import depthwise_float32

# expansion, kernel, stride of the first
_STAGES = ((1, 3, 1), (6, 3, 2), (6, 5, 2), (6, 3, 2), (6, 5, 1), (6, 5, 2), (6, 3, 1))

# output channels and repeats of each stage
VARIANTS = {
    "lite0": ((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "lite1": ((16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1)),
    "lite2": ((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
}

_FEATURE_STAGES = (0, 1, 2, 4, 6)
"""Stages that end at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""


def feature_channels(variant: str) -> tuple[int, ...]:
    """Channels of the returned maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""
    return tuple(VARIANTS[variant][0][i] for i in _FEATURE_STAGES)


def _pad_same_stride2(x: Tensor, kernel: int) -> Tensor:
    before = (kernel - 2) // 2
    return F.pad(x, (before, kernel - 2 - before, before, kernel - 2 - before))


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise, 1x1 projection; residual where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.stride, self.kernel = stride, kernel
        self.residual = stride == 1 and inputs == outputs
        self.expand = nn.Conv2d(inputs, hidden, 1) if expansion != 1 else None
        padding = kernel // 2 if stride == 1 else 0
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, stride, padding=padding, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        if self.stride == 2:
            y = _pad_same_stride2(y, self.kernel)
        y = self.project(F.relu6(depthwise_float32(self.depthwise, y)))
        result: Tensor = x + y if self.residual else y
        return result


class EfficientNetLite(nn.Module):
    """Encoder. Input (N, 3, H, W) in -1..1, H and W multiples of 32; returns five feature maps, fine to coarse."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        channels, repeats = VARIANTS[variant]
        self.channels = feature_channels(variant)
        self.stem = nn.Conv2d(3, 32, 3, stride=2)
        stages: list[nn.Module] = []
        inputs = 32
        for (expansion, kernel, stride), outputs, repeat in zip(_STAGES, channels, repeats, strict=True):
            blocks = []
            for i in range(repeat):
                blocks.append(InvertedResidual(inputs, outputs, expansion, kernel, stride if i == 0 else 1))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(_pad_same_stride2(x, 3)))
        features = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in _FEATURE_STAGES:
                features.append(x)
        return features
