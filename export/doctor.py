"""What is checked before a file is let into a bundle: gate bounds, operations, their number, outputs, fp16 range.

Each refusal names the layer, so that the network can be changed where it is the cause.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from portraiture.export.contract import Precision, Route, Target
from portraiture.export.locate import module_outputs
from portraiture.export.manifest import ModelFile
from portraiture.export.networks import Checkpoints, Exported, build, example_inputs
from portraiture.export.operations import Operation, operations, undelegated
from portraiture.export.runtimes.base import from_layout
from portraiture.export.runtimes.torch_runner import TorchRunner
from portraiture.reference.errors import GateError

MAX_OPS = {
    "filter": (600, 0),
    "coarse": (400, 0),
    "perception": (452, 16),
    "portrait": (1052, 16),
    "segmentation_spn": (452, 16),
    "depth_spn": (452, 16),
}
"""Most operations of a TFLite or Core ML model: so many, and so many more for each line of the propagation, which runs
at a quarter of the size. At 512x384 that is 2500 for perception and 3100 for portrait: above, a model is slow to load
and to compile on a phone, whatever its arithmetic."""

_SPN_SCALE = 4

PLAIN = {Route.LITERT: frozenset[str](), Route.ONNX_TF: frozenset(("SPLIT_V",))}
"""What plain kernels may run: onnx-tf writes each split so, and knows no other way."""

FP16_LARGEST = 65504.0
FP16_MARGIN = 4.0
"""Activations stay this factor below the largest fp16 value: another photo may have larger ones."""

# fmt: off
_TFLITE = frozenset(
    [
        "ABS", "ADD", "AVERAGE_POOL_2D", "CEIL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE",
        "DIV", "LOG", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "NEG", "PAD", "QUANTIZE",
        "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "SLICE", "SPLIT", "SPLIT_V", "SQRT",
        "SQUARE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV",
    ]
)

_COREML_REFUSED = frozenset(
    [
        "cumsum", "gather", "gather_along_axis", "gather_nd", "inverse", "list_gather", "list_read", "list_scatter",
        "list_write", "make_list", "reverse", "reverse_sequence", "scatter", "scatter_along_axis", "scatter_nd", "topk",
        "while_loop", "cond",
    ]
)
# fmt: on
"""Core ML runs these on the CPU, or compiles them slowly; a network that needs one is written otherwise."""


def layer_of(output: str, network: Exported, modules: Mapping[str, str]) -> str:
    """The module that an operation belongs to, as far as its output's name tells; else that name.

    Args:
        output: name of the operation's output in the file.
        network: what was exported.
        modules: path in the module tree by name, where the converter told (Core ML).
    """
    if output in modules:
        return modules[output] or output
    # TFLite: ``package.Class_attribute/package.Class_attribute;;a fused one``, modules that are not called left out
    path, tree = "", list(network.named_modules())
    for part in output.split(";")[0].split("/")[1:]:
        label = part.rsplit(".", 1)[-1]
        below = [n for n, m in tree if n.startswith(f"{path}." if path else "")
                 and f"{type(m).__name__}_{n.rsplit('.', 1)[-1]}" == label]  # fmt: skip
        if not below:
            break
        path = min(below, key=len)
    return path or output


def refused(target: Target, kind: str) -> bool:
    """Whether a target does without an operation."""
    if target is Target.TFLITE:
        return kind not in _TFLITE
    return target is Target.COREML and kind in _COREML_REFUSED


def check_operations(
    file: ModelFile, found: Sequence[Operation], layer: Callable[[str], str] = lambda output: output
) -> None:
    """Allow-list and number of a file's operations.

    Args:
        file: which file.
        found: its operations.
        layer: from an output's name to the layer that is told.

    Raises:
        GateError: an operation that the target does without, or too many.
    """
    for operation in found:
        if refused(file.target, operation.kind):
            raise GateError(
                f"doctor: {file.path}: {operation.kind} at {layer(operation.output)} is not for {file.target.value};"
                " write that layer with convolutions, slices, pads and arithmetic"
            )
    fixed, per_line = MAX_OPS[file.name]
    most = fixed + per_line * max(file.size.height, file.size.width) // _SPN_SCALE
    if file.target is not Target.ONNX and len(found) > most:
        raise GateError(f"doctor: {file.path}: expected at most {most} operations at {file.size}, found {len(found)}")


def check_delegate(
    file: ModelFile, left_out: Sequence[Operation], layer: Callable[[str], str] = lambda output: output
) -> None:
    """The delegate takes the whole graph of a TFLite file.

    Args:
        file: which file.
        left_out: what it does not take.
        layer: from an output's name to the layer that is told.

    Raises:
        GateError: an operation that a plain kernel would run.
    """
    for operation in left_out:
        raise GateError(
            f"doctor: {file.path}: {operation.kind} at {layer(operation.output)} is not taken by TFLite's delegate"
            f" ({len(left_out)} such operations); write that layer with operations that XNNPACK has"
        )


def check_outputs(file: ModelFile, network: Exported) -> None:
    """No output is another one's copy: a converter that confuses two outputs would go unseen.

    Args:
        file: which model.
        network: built for layout NCHW.

    Raises:
        GateError: two outputs are equal on random input.
    """
    inputs = example_inputs(file.name, Target.COREML, file.size)
    with torch.no_grad():
        outputs = list(network(*inputs.values()).items())
    for k, (name, value) in enumerate(outputs):
        for other, earlier in outputs[:k]:
            if value.shape == earlier.shape and torch.equal(value, earlier):
                raise GateError(f"doctor: {file.name}: expected outputs that differ, {other} and {name} are equal")


def check_fp16_range(file: ModelFile, network: Exported) -> None:
    """Weights and activations within fp16, on random input: what overflows there is infinity on a phone.

    Args:
        file: all but float32 ones are checked: Core ML computes them in fp16, and so do GPUs of TFLite.
        network: built for layout NCHW, any dtype.

    Raises:
        GateError: naming the layer.
    """
    if file.precision is Precision.FP32:
        return
    named: Iterable[tuple[str, torch.Tensor]] = network.named_parameters()
    for name, value in named:
        if not float(value.detach().abs().max()) * FP16_MARGIN <= FP16_LARGEST:  # NaN compares false
            raise GateError(f"doctor: {file.name}: weight {name} is beyond fp16; export it with --precision fp32")
    inputs = example_inputs(file.name, Target.COREML, file.size)
    feeds = {s.name: from_layout(s, inputs[s.name].numpy(), "NCHW") if s.kind.value else float(inputs[s.name])
             for s in network.contract.inputs}  # fmt: skip
    for name, kind, output in module_outputs(TorchRunner(network, file.size), feeds):
        largest = float(output.abs().max())
        if not largest * FP16_MARGIN <= FP16_LARGEST:
            raise GateError(
                f"doctor: {file.name}: {name} ({kind}) reaches {largest:.0f}, beyond fp16;"
                " normalise that layer or export with --precision fp32"
            )


def examine(
    root: Path,
    file: ModelFile,
    checkpoints: Checkpoints,
    modules: Mapping[str, str] | None = None,
    route: Route = Route.LITERT,
) -> None:
    """All checks of a file that was just written.

    Args:
        root: the new bundle.
        file: which file.
        checkpoints: its weights.
        modules: path in the module tree by the name of a value in the file, where the converter told.
        route: how a TFLite file was made.

    Raises:
        GateError: the first that fails.
    """
    network, path = build(file.name, checkpoints), root / file.path

    def layer(output: str) -> str:
        return layer_of(output, network, modules or {})

    check_operations(file, operations(path, file.target), layer)
    if file.target is Target.TFLITE:
        check_delegate(file, [o for o in undelegated(path) if o.kind not in PLAIN[route]], layer)
    check_outputs(file, network)
    check_fp16_range(file, network)
