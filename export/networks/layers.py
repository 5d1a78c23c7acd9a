"""The layers of a network whose weights a plan may store smaller, by names that are the same in every model."""

import copy
from collections.abc import Collection, Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from portraiture.export.networks.exported import Exported
from portraiture.reference.errors import ExportError

_CLOSE = 2e-3
"""Largest difference of a file's constant from its layer's weights, as a share of the largest: rounding to fp16, and
folding a normalisation in another order."""


def plain_name(network: Exported, module: str) -> str:
    """A module's name without the wrappers around it: ``perception.coarse.head``, ``filter.guidance.gates``.

    Args:
        network: whose module it is.
        module: its path in the module tree.
    """
    inside = module.removeprefix("network.")
    return f"perception.{inside}" if network.name == "coarse" else inside


def folded(network: Exported) -> Exported:
    """A copy in which each normalisation behind a convolution is part of it, as converters fold it.

    Args:
        network: float32, in evaluation mode; it is left as it is.
    """
    copied = copy.deepcopy(network)
    leaves = [(n, m) for n, m in copied.named_modules() if next(m.children(), None) is None]
    for (name, conv), (after_name, after) in pairwise(leaves):
        if isinstance(conv, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            _put(copied, name, fuse_conv_bn_eval(conv, after))
            _put(copied, after_name, nn.Identity())
    return copied.eval()


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def convolutions_of(network: Exported) -> dict[str, nn.Conv2d]:
    """The layers of a network by plain name, in its order; a layer that is used twice counts once."""
    return {plain_name(network, n): m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}


def is_depthwise(layer: nn.Conv2d) -> bool:
    """Whether each channel is filtered by itself."""
    return layer.groups > 1 and layer.groups == layer.in_channels


def weights_of(network: Exported) -> dict[str, np.ndarray]:
    """The weights of each layer as files hold them, float32 (out, in / groups, height, width), by plain name.

    Args:
        network: float32, in evaluation mode.
    """
    found = convolutions_of(folded(network))
    return {name: layer.weight.detach().numpy().astype(np.float32) for name, layer in found.items()}


def layers_in_file(network: Exported, constants: Mapping[str, np.ndarray], wanted: Collection[str]) -> dict[str, str]:
    """The layer whose weights each constant of a file holds, by the constant's name; others are left out.

    Names in files depend on the converter. The set of a layer's values does not: sorted, it is compared with each
    constant of as many values.

    Args:
        network: what the file was made of, float32.
        constants: arrays by name, of any axes, in float32 or fp16.
        wanted: plain names of the layers that are looked for.

    Raises:
        ExportError: a layer is in no constant.
    """
    layers = {name: np.sort(w.ravel()) for name, w in weights_of(network).items() if name in wanted}
    found: dict[str, str] = {}
    for constant, value in constants.items():
        same = [name for name, w in layers.items() if w.size == value.size]
        if not same:
            continue
        ours = np.sort(value.astype(np.float32).ravel())
        apart = {name: float(np.abs(layers[name] - ours).max(initial=0.0)) for name in same}
        taken = set(found.values())
        nearest = min(same, key=lambda name: (apart[name], name in taken))  # equal layers each get one
        if apart[nearest] <= _CLOSE * max(float(np.abs(layers[nearest]).max(initial=0.0)), 1e-30):
            found[constant] = nearest
    missing = [name for name in layers if name not in found.values()]
    if missing:
        raise ExportError(
            f"plan: expected the weights of {missing[0]} in the file, found no constant like them ({len(missing)} of"
            f" {len(layers)} layers); export this network without --plan"
        )
    return found


def with_weights(network: Exported, stored: Mapping[str, np.ndarray], rest_fp16: bool = True) -> Exported:
    """A copy of a network that computes with other weights.

    Args:
        network: float32; it is left as it is.
        stored: weights by plain name, as :func:`weights_of` gives them; a layer that is not named keeps its own.
        rest_fp16: whether the weights that are not named are rounded to fp16, as in every file of a plan.
    """
    changed = folded(network)
    with torch.no_grad():
        if rest_fp16:
            for parameter in changed.parameters():
                if parameter.dim() == 4:
                    parameter.copy_(parameter.half().float())
        for name, layer in convolutions_of(changed).items():
            if name in stored:
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(stored[name])))
    return changed
