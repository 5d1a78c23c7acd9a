"""What a plan makes of a network, in PyTorch, by the arithmetic of each format: what its files are held to."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from portraiture.export.compare import Difference, compare
from portraiture.export.formats import FP16_ARITHMETIC, Target
from portraiture.export.measured_errors import MeasuredError, worse
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, torch_inputs
from portraiture.export.networks.fp16 import outputs_in_fp16
from portraiture.export.networks.layers import convolutions_of, is_depthwise, weights_of, with_weights
from portraiture.export.pipeline.probes import probes_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.plan import Kind, carried
from portraiture.export.runner import from_layout
from portraiture.export.targets import FORMATS
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import MULTIPLE


def kinds_in(file: ModelFile, network: Exported) -> dict[str, Kind]:
    """The kind of each layer of a planned file, as its format carries it, by plain name.

    Args:
        file: of a plan.
        network: what it is made of.
    """
    assert file.plan is not None
    layers = convolutions_of(network)
    return {n: carried(kind, file.target, is_depthwise(layers[n])) for n, kind in file.plan.kinds(layers).items()}


def replaced(kinds: Mapping[str, Kind], target: Target, layers: Mapping[str, nn.Conv2d]) -> dict[str, Kind]:
    """The layers whose kind a format lacks, with what they become there.

    Args:
        kinds: of each layer, as the plan says.
        target: the format.
        layers: by plain name.
    """
    found = {name: carried(kind, target, is_depthwise(layers[name])) for name, kind in kinds.items()}
    return {name: kind for name, kind in found.items() if kind is not kinds[name]}


def in_int8(x: Tensor) -> Tensor:
    """An activation as TFLite quantizes it when a layer of ``INT8_DYNAMIC`` runs: 256 steps from least to largest."""
    low, high = x.amin((1, 2, 3), keepdim=True).clamp(max=0), x.amax((1, 2, 3), keepdim=True).clamp(min=0)
    step = torch.clamp((high - low) / 255, min=1e-30)
    zero = torch.round(-128 - low / step)
    return step * (torch.clamp(torch.round(x / step) + zero, -128, 127) - zero)


def quantize_inputs(layer: nn.Conv2d) -> torch.utils.hooks.RemovableHandle:
    """Let a layer quantize what enters it; the handle's ``remove`` ends that."""
    return layer.register_forward_pre_hook(lambda _, inputs: (in_int8(inputs[0]), *inputs[1:]))


def planned(network: Exported, kinds: Mapping[str, Kind], target: Target) -> Exported:
    """A copy of a network that computes with the weights that a file of a format holds.

    Args:
        network: float32; it is left as it is.
        kinds: of its layers by plain name, each one that the format has; a layer that is not named is fp16.
        target: the format.
    """
    weights, form = weights_of(network), FORMATS[target]
    stored = {name: form.stored(w, kinds.get(name, Kind.FP16)) for name, w in weights.items()}
    changed = with_weights(network, stored)
    for name, layer in convolutions_of(changed).items():
        if kinds.get(name) is Kind.INT8_DYNAMIC:
            quantize_inputs(layer)
    return changed


def outputs_of(changed: Exported, inputs: list[Tensor], target: Target) -> dict[str, Tensor]:
    """What a network of :func:`planned` gives, in the arithmetic of a format.

    Args:
        changed: the network.
        inputs: in its layout, float32.
        target: the format.
    """
    if target in FP16_ARITHMETIC:
        return outputs_in_fp16(changed, inputs, arithmetic=True)
    with torch.no_grad():
        found: dict[str, Tensor] = changed(*inputs)
    return found


def probe_errors(truth: Truth, file: ModelFile) -> dict[str, MeasuredError]:
    """The largest error of a planned network in PyTorch over the probes of its model, by output.

    Args:
        truth: of the networks.
        file: of a plan.
    """
    network, found = truth.networks.get(file.name), dict[str, MeasuredError]()
    changed = planned(network, kinds_in(file, network), file.target)
    for probe in probes_of(file.name):
        feeds, expected = truth.on_probe(file.name, file.size, probe)
        outputs = outputs_of(changed, torch_inputs(network, file.size, feeds), file.target)
        for spec in network.contract.outputs:
            value = from_layout(spec, outputs[spec.name].numpy(), network.layout)
            found[spec.name] = worse(found.get(spec.name), compare(value, expected[spec.name]))
    return found


def on_probes(
    gate: Tolerance, truth: Truth, file: ModelFile, output: str, differences: Iterable[Difference]
) -> Tolerance:
    """A gate; where a file of a plan fails it on probes, the gate that the plan allows in PyTorch.

    The budget holds on photos. In noise or flat gray, where the network itself is in doubt, no plan was searched.

    Args:
        gate: the budget.
        truth: of the networks.
        file: of a plan.
        output: name of the output.
        differences: of the output on the probes.
    """
    if all(gate.passes(d) for d in differences):
        return gate
    key = ("plan", file.name, file.size, file.target, file.plan)
    error = truth.remembered(key, lambda: probe_errors(truth, file))[output]
    reason = f"{MULTIPLE:g} times what the plan costs in PyTorch, {error.psnr_db:.1f} dB"
    least = error.psnr_db - 20 * math.log10(MULTIPLE)
    return Tolerance(reason, MULTIPLE * error.max_abs, min(least, gate.min_psnr_db or least))
