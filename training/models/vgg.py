"""The paper's guidance network (3.1): VGG-16 conv1 to pool5 as encoder, the mirrored decoder, concatenation skips.

Layers are named as in torchvision's ``vgg16().features`` so that a team's own VGG-16 weights in that file format load
by name (``load_vgg_features``).
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.models.blocks import upsample
from portraiture.training.tensor_files import load_tensors

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of conv1 to conv5; a 2x2 max pool follows each."""


_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's RGB in 0..1, which torchvision's weights expect."""


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, repeats in BLOCKS:
        for _ in range(repeats):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _decoder_block(inputs: int, hidden: int, outputs: int, repeats: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(repeats):
        last = i == repeats - 1
        layers += [nn.Conv2d(inputs, outputs if last else hidden, 3, padding=1), nn.ReLU()]
        inputs = hidden
    return nn.Sequential(*layers)


class VggGuidance(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> guidance (N, 64, H, W); H and W multiples of 32."""

    channels = BLOCKS[0][0]
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = _encoder()
        decoder = []
        below = BLOCKS[-1][0]
        for i in reversed(range(len(BLOCKS))):
            channels, repeats = BLOCKS[i]
            outputs = BLOCKS[max(i - 1, 0)][0]
            decoder.append(_decoder_block(below + channels, channels, outputs, repeats))
            below = outputs
        self.decoder = nn.ModuleList(decoder)
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).reshape(1, 3, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        x = (rgb - self.mean) / self.std
        skips = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                skips.append(x)
            x = layer(x)
        for block in self.decoder:
            x = block(torch.cat([upsample(x, 2), skips.pop()], 1))
        return x


def load_vgg_features(guidance: VggGuidance, path: Path) -> None:
    """Fill the encoder from a torchvision VGG-16 file (``features.N.weight`` ...), saved as safetensors.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    tensors, _ = load_tensors(path)
    own = guidance.features.state_dict()
    for name, value in own.items():
        found = tensors.get(f"features.{name}")
        if found is None or found.shape != value.shape:
            got = "nothing" if found is None else tuple(found.shape)
            raise InputError(
                f"{path}: expected torchvision's features.{name} {tuple(value.shape)}, found {got};"
                " save the state of its vgg16 as safetensors"
            )
        own[name] = found
    guidance.features.load_state_dict(own)
