"""The networks behind the exported models, in the layout of each target."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.contract import LAYOUT, Kind, Size, Target, model_contract
from portraiture.training.models.coarse import COARSE_SCALE
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.portrait import Portrait
from portraiture.training.models.rnn_filter import RnnFilter
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION, load_filter, load_perception

_LEAST_SHARE = 1e-3
"""Given coarse maps are kept this far from 0 and 1, where the logit is infinite."""
SPN_TASKS = {"segmentation_spn": 0, "depth_spn": 1}


@dataclass(frozen=True)
class Checkpoints:
    """Weight files; the defaults are the ones shipped with the package."""

    perception: Path = SHIPPED_PERCEPTION
    filter: Path = SHIPPED_FILTER


class _Coarse(nn.Module):
    def __init__(self, perception: MobilePerception) -> None:
        super().__init__()
        self.coarse = perception.coarse

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        mask, depth = torch.split(torch.sigmoid(self.coarse(rgb)), 1, 1)
        return mask, depth


class _Spn(nn.Module):
    """One task's propagation, given a coarse map of the task; the other task's coarse map stays the network's own."""

    def __init__(self, perception: MobilePerception, task: int) -> None:
        super().__init__()
        self.perception = perception
        self.task = task  # 0 mask, 1 depth

    def forward(self, rgb: Tensor, given: Tensor) -> tuple[Tensor]:
        own, decoded8, f2, f4 = self.perception.coarse.features(rgb)
        # a clamp in another form: XNNPACK of TensorFlow 2.21 cannot prepare a maximum that follows an average pool
        share = _LEAST_SHARE + F.relu(F.avg_pool2d(given, COARSE_SCALE) - _LEAST_SHARE)
        share = 1 - _LEAST_SHARE - F.relu(1 - _LEAST_SHARE - share)
        logit = torch.log(share / (1 - share))
        planes = list(torch.split(own, 1, 1))
        planes[self.task] = logit
        refined = self.perception.refine(rgb, torch.cat(planes, 1), decoded8, f2, f4)
        return (torch.sigmoid(refined[self.task]),)


class _Perception(nn.Module):
    def __init__(self, perception: MobilePerception) -> None:
        super().__init__()
        self.perception = perception

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.perception(rgb)
        return maps.mask, maps.depth


class _Filter(nn.Module):
    def __init__(self, rnn_filter: RnnFilter) -> None:
        super().__init__()
        self.filter = rnn_filter

    def forward(self, rgb: Tensor, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor]:
        return (self.filter(rgb, mask, depth, aperture, focus),)


class Exported(nn.Module):
    """A network with the contract's names, order and layout at its boundary.

    Inputs are positional in the contract's order; the output is a dict by name. Scalars come as (1,).
    """

    def __init__(self, name: str, network: nn.Module, layout: str) -> None:
        super().__init__()
        self.network = network
        self.contract = model_contract(name)
        self.layout = layout

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        values = []
        for spec, x in zip(self.contract.inputs, inputs, strict=True):
            if spec.kind is Kind.SCALAR:
                x = x.reshape(1, 1, 1, 1)
            elif self.layout == "NHWC":
                x = x.permute(0, 3, 1, 2)
            values.append(x)
        outputs = self.network(*values)
        if self.layout == "NHWC":
            outputs = tuple(y.permute(0, 2, 3, 1) for y in outputs)
        return {spec.name: y for spec, y in zip(self.contract.outputs, outputs, strict=True)}


class TupleOut(nn.Module):
    """An exported network with a tuple of outputs: tracers want tensors, not dicts."""

    def __init__(self, network: Exported) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(*inputs).values())


def build(name: str, checkpoints: Checkpoints, layout: str = "NCHW") -> Exported:
    """Load the weights of a model and wrap it for a layout, in evaluation mode."""
    model_contract(name)
    if name == "filter":
        network: nn.Module = _Filter(load_filter(checkpoints.filter))
    elif name == "portrait":
        network = Portrait(load_perception(checkpoints.perception), load_filter(checkpoints.filter))
    else:
        perception = load_perception(checkpoints.perception)
        if name in SPN_TASKS:
            network = _Spn(perception, SPN_TASKS[name])
        else:
            network = _Coarse(perception) if name == "coarse" else _Perception(perception)
    return Exported(name, network, layout).eval()


def example_inputs(name: str, target: Target, size: Size) -> dict[str, Tensor]:
    """Random inputs of the right shapes, for tracing and for the check that follows a conversion."""
    generator = torch.Generator().manual_seed(0)
    inputs = {}
    for spec in model_contract(name).inputs:
        u = torch.rand(spec.shape(size, LAYOUT[target]), generator=generator)
        if spec.name == "rgb":
            u = torch.round(u * 255) / 255
        inputs[spec.name] = spec.low + (spec.high - spec.low) * u
    return inputs
