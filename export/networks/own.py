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

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.export.networks.own_maps import Key, channel_of, enlarged, planes, relative_depth, with_edge_pools
from portraiture.reference.errors import InputError, OptionError, unknown
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
        self.network, self.ours = with_edge_pools(own.network).eval(), ours
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
        mask = enlarged(self._mask(found, self.mask), rgb) if self.mask is not None else ours.mask  # type: ignore[union-attr]
        depth = enlarged(self._depth(found, self.depth), rgb) if self.depth is not None else ours.depth  # type: ignore[union-attr]
        return OwnMaps(mask, depth)

    @staticmethod
    def _mask(found: Any, output: MaskOutput) -> Tensor:
        scores = planes(found, output.key, "mask")
        values = MaskValues(output.values)
        if values is MaskValues.CLASSES:
            scores = torch.softmax(scores, 1)
        mask = channel_of(scores, output.channel, "mask")
        return torch.sigmoid(mask) if values is MaskValues.LOGIT else mask

    @staticmethod
    def _depth(found: Any, output: DepthOutput) -> Tensor:
        depth = channel_of(planes(found, output.key, "depth"), output.channel, "depth")
        values = DepthValues(output.values)
        if values is DepthValues.LOGIT:
            depth = torch.sigmoid(depth)
        if values is DepthValues.RELATIVE:
            depth = relative_depth(depth)
        return depth if output.larger_is_farther else 1 - depth
