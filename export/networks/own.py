"""A team's own network in the place of ``perception``: what it takes and gives, and the module that fits the contract.

::

    # my_network.py
    from portraiture.export.networks.own import MaskOutput, OwnNetwork

    def build() -> OwnNetwork:
        network = torchvision.models.segmentation.lraspp_mobilenet_v3_large(...)
        person = MaskOutput(key="out", channel=15, values="classes")
        return OwnNetwork(network, mask=person, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

A map that it does not give, the shipped network gives: both are then in each file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.reference.errors import InputError, OptionError, unknown
from portraiture.training.models.blocks import upsample
from portraiture.training.models.perception import MobilePerception


class MaskValues(Enum):
    """What the values of a mask are: 0..1, before the sigmoid, or one score a class before the softmax."""

    PROBABILITY = "probability"
    LOGIT = "logit"
    CLASSES = "classes"


class DepthValues(Enum):
    """What the values of a depth are: 0..1, before the sigmoid, or of any range, which the photo's own 0..1 becomes."""

    UNIT = "unit"
    LOGIT = "logit"
    RELATIVE = "relative"


Key = str | int | None
"""Where a map is in what a network returns: name in a dict or named tuple, number in a tuple; None is the whole."""


@dataclass(frozen=True)
class MaskOutput:
    """Where the person's mask is.

    Attributes:
        key: in what the network returns.
        channel: of the tensor (N, C, h, w), from 0; the person's class where there are classes.
        values: name of :class:`MaskValues`.
    """

    key: Key = None
    channel: int = 0
    values: str = MaskValues.LOGIT.value

    def __post_init__(self) -> None:
        """Raises OptionError for values of another name."""
        _known(self.values, MaskValues, "MaskOutput")


@dataclass(frozen=True)
class DepthOutput:
    """Where the depth is.

    Attributes:
        key: in what the network returns.
        channel: of the tensor (N, C, h, w), from 0; (N, h, w) has one.
        values: name of :class:`DepthValues`.
        larger_is_farther: False for disparity, as most networks of relative depth give it.
    """

    key: Key = None
    channel: int = 0
    values: str = DepthValues.UNIT.value
    larger_is_farther: bool = True

    def __post_init__(self) -> None:
        """Raises OptionError for values of another name."""
        _known(self.values, DepthValues, "DepthOutput")


@dataclass(frozen=True)
class OwnNetwork:
    """A network, and what it takes and gives.

    Attributes:
        network: takes (N, 3, H, W), returns a tensor, or several in a tuple, dict, dataclass or named tuple.
        mask, depth: where each map is; None where the network has no such map, one of them is there.
        mean, std: of each channel, R G B in 0..1: the network takes (rgb - mean) / std.
        bgr: it takes its channels in the order B G R.
        sizes: ``HxW`` of the inputs that it takes; empty takes any multiple of 32.
    """

    network: nn.Module
    mask: MaskOutput | None = None
    depth: DepthOutput | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False
    sizes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises OptionError where it has no map, no network, or numbers that nothing can be divided by."""
        if not isinstance(self.network, nn.Module):
            raise OptionError(
                f"OwnNetwork: expected an nn.Module as network, found {type(self.network).__name__}; give the module"
            )
        if self.mask is None and self.depth is None:
            raise OptionError("OwnNetwork: expected mask, depth or both, found neither; say where its maps are")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(s > 0 for s in self.std):
            raise OptionError(
                f"OwnNetwork: expected three numbers as mean and three above 0 as std, found {self.mean} and"
                f" {self.std}; give them for R, G and B in 0..1"
            )
        for size in self.sizes:
            Size.parse(size)


def _known(value: str, kind: type[Enum], owner: str) -> None:
    if value not in [member.value for member in kind]:
        raise unknown(f"{owner}: values", value, [member.value for member in kind])


class OwnMaps(NamedTuple):
    """Mask and depth in 0..1, larger is farther, each (N, 1, H, W)."""

    mask: Tensor
    depth: Tensor


class OwnPerception(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> mask and depth as ``perception`` gives them.

    Args:
        own: the team's network.
        ours: gives the map that ``own`` lacks; None where it lacks none.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, own: OwnNetwork, ours: MobilePerception | None) -> None:
        super().__init__()
        self.network, self.ours = _with_edge_pools(own.network).eval(), ours
        self.mask, self.depth, self.bgr = own.mask, own.depth, own.bgr
        self.sizes = tuple(Size.parse(size) for size in own.sizes)
        self.normalises = any(own.mean) or any(s != 1 for s in own.std)
        self.register_buffer("mean", torch.tensor(own.mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(own.std).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> OwnMaps:
        """Both maps, each (N, 1, H, W).

        Raises:
            InputError: the network does not return what its description says.
        """
        height, width = rgb.shape[2:]
        if self.sizes and Size(height, width) not in self.sizes:
            sizes = ", ".join(map(str, self.sizes))
            raise InputError(
                f"--network: expected an input of {sizes}, found {height}x{width}; give one of them as --size"
            )
        x = (rgb - self.mean) / self.std if self.normalises else rgb
        if self.bgr:
            x = torch.cat(torch.split(x, 1, 1)[::-1], 1)
        found = self.network(x)
        ours = self.ours(rgb) if self.ours is not None else None
        mask = _enlarged(self._mask(found, self.mask), rgb) if self.mask is not None else ours.mask  # type: ignore[union-attr]
        depth = _enlarged(self._depth(found, self.depth), rgb) if self.depth is not None else ours.depth  # type: ignore[union-attr]
        return OwnMaps(mask, depth)

    @staticmethod
    def _mask(found: Any, output: MaskOutput) -> Tensor:
        scores = _planes(found, output.key, "mask")
        values = MaskValues(output.values)
        if values is MaskValues.CLASSES:
            scores = torch.softmax(scores, 1)
        mask = _channel(scores, output.channel, "mask")
        return torch.sigmoid(mask) if values is MaskValues.LOGIT else mask

    @staticmethod
    def _depth(found: Any, output: DepthOutput) -> Tensor:
        depth = _channel(_planes(found, output.key, "depth"), output.channel, "depth")
        values = DepthValues(output.values)
        if values is DepthValues.LOGIT:
            depth = torch.sigmoid(depth)
        if values is DepthValues.RELATIVE:
            # by pooling: phones' delegates take it, and no minimum over a whole map
            plane = (depth.shape[2], depth.shape[3])
            high, low = F.max_pool2d(depth, plane), -F.max_pool2d(-depth, plane)
            depth = (depth - low) / (high - low + _FLAT_SHARE * (high.abs() + low.abs()) + _LEAST_RANGE)
        return depth if output.larger_is_farther else 1 - depth


_FLAT_SHARE, _LEAST_RANGE = 0.01, 1e-6
"""A relative depth whose range is so small a share of its values is all but flat: fp16 has 11 bits, and a photo of
nothing would be stretched to noise."""


def _planes(found: Any, key: Key, name: str) -> Tensor:
    """The tensor (N, C, h, w) of a map in what a network returned.

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


def _channel(planes: Tensor, channel: int, name: str) -> Tensor:
    if not 0 <= channel < planes.shape[1]:
        raise InputError(
            f"--network: expected {name} in channel {channel}, found {planes.shape[1]} channels; correct the channel"
            " in the network's description"
        )
    return planes[:, channel : channel + 1]


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
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


def _with_edge_pools(network: nn.Module) -> nn.Module:
    """A network with its padded max pools in a form that every target takes, in place."""
    for name, child in network.named_children():
        plain = isinstance(child, nn.MaxPool2d) and _pair(child.dilation) == (1, 1) and not child.ceil_mode
        if plain and any(_pair(child.padding)):
            setattr(network, name, _EdgePooled(child))
        else:
            _with_edge_pools(child)
    return network
