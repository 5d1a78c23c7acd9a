"""The maps in what a team's own network returns, and the forms that every target takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.models.blocks import upsample

Key = str | int | None
"""Where a map is in what a network returns: name in a dict or named tuple, number in a tuple; None is the whole."""

_FLAT_SHARE, _LEAST_RANGE = 0.01, 1e-6
"""A relative depth whose range is so small a share of its values is all but flat: fp16 has 11 bits, and a photo of
nothing would be stretched to noise."""


def relative_depth(depth: Tensor) -> Tensor:
    """Depth (N, 1, H, W) of any range, each photo's own brought to 0..1."""
    # by pooling: phones' delegates take it, and no minimum over a whole map
    plane = (int(depth.shape[2]), int(depth.shape[3]))
    high, low = F.max_pool2d(depth, plane), -F.max_pool2d(-depth, plane)
    return (depth - low) / (high - low + _FLAT_SHARE * (high.abs() + low.abs()) + _LEAST_RANGE)


def planes(found: Any, key: Key, name: str) -> Tensor:
    """The tensor (N, C, h, w) of a map in what a network returned.

    Args:
        found: what it returned.
        key: where the map is in it.
        name: of the map, for messages.

    Raises:
        InputError: there is none.
    """
    value, has = found, type(found).__name__
    if key is not None:
        if isinstance(key, int) and isinstance(found, Sequence):
            has = f"{len(found)} outputs"
            value = found[key] if -len(found) <= key < len(found) else None
        elif isinstance(found, Mapping):
            has, value = f"outputs {', '.join(map(str, found))}", found.get(key)
        else:
            value = getattr(found, str(key), None)
    if isinstance(value, Tensor) and value.ndim == 3:
        value = value[:, None]
    if not isinstance(value, Tensor) or value.ndim != 4:
        what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else has
        raise InputError(
            f"--network: expected {name} as a tensor (N, C, h, w) at key {key!r}, found {what}; correct the key in"
            " the network's description"
        )
    return value


def channel_of(planes: Tensor, channel: int, name: str) -> Tensor:
    """One channel (N, 1, h, w).

    Args:
        planes: (N, C, h, w).
        channel: from 0.
        name: of the map, for messages.

    Raises:
        InputError: there are fewer channels.
    """
    if not 0 <= channel < planes.shape[1]:
        raise InputError(
            f"--network: expected {name} in channel {channel}, found {planes.shape[1]} channels; correct the channel"
            " in the network's description"
        )
    return planes[:, channel : channel + 1]


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear to the height and width of ``like``, half-pixel centres."""
    height, width, h, w = (int(n) for n in (*like.shape[2:], *x.shape[2:]))  # a tracer's are tensors
    if (h, w) == (height, width):
        return x
    if height % h == 0 and height // h == width / w:
        return upsample(x, height // h)
    return F.interpolate(x, (height, width), mode="bilinear", align_corners=False)


class _EdgePooled(nn.Module):
    """A max pool with padding, padded by its edges: the same result, and phones' delegates have no pad by -inf."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        (self.top, self.left), self.kernel, self.stride = _pair(pool.padding), pool.kernel_size, pool.stride

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x[:, :, :1]] * self.top + [x] + [x[:, :, -1:]] * self.top, 2)
        x = torch.cat([x[..., :1]] * self.left + [x] + [x[..., -1:]] * self.left, 3)
        return F.max_pool2d(x, self.kernel, self.stride)


def _pair(n: Any) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else (n[0], n[1])


def with_edge_pools(network: nn.Module) -> nn.Module:
    """A network with its padded max pools in a form that every target takes, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.MaxPool2d):
            plain = _pair(child.dilation) == (1, 1) and not child.ceil_mode
            if plain and any(_pair(child.padding)):
                setattr(network, name, _EdgePooled(child))
        else:
            with_edge_pools(child)
    return network
