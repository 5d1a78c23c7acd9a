"""What is checked before a file is let into a bundle: gate bounds, operations, their number, outputs, fp16 range.

Each refusal names the layer, so that the network can be changed where it is the cause.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from portraiture.export.contract import Precision, Target
from portraiture.export.locate import module_outputs
from portraiture.export.manifest import ModelFile
from portraiture.export.networks import Checkpoints, Exported, build, example_inputs
from portraiture.export.runtimes.base import from_layout
from portraiture.export.runtimes.torch_runner import TorchRunner
from portraiture.export.tflite import operations_of, read_model
from portraiture.reference.errors import GateError

MAX_OPS = {
    "filter": 600,
    "coarse": 400,
    "perception": 2500,
    "portrait": 3100,
    "segmentation_spn": 2500,
    "depth_spn": 2500,
}
"""A TFLite or Core ML model above this is slow to load and to compile on a phone, whatever its arithmetic."""

FP16_LARGEST = 65504.0
FP16_MARGIN = 4.0
"""Activations stay this factor below the largest fp16 value: another photo may have larger ones."""

# fmt: off
_TFLITE = frozenset(
    [
        "ABS", "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "DIV",
        "LOG", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "NEG", "PAD", "QUANTIZE", "RELU",
        "RELU6", "RELU_0_TO_1", "RESHAPE", "RESIZE_BILINEAR", "SLICE", "SPLIT", "SPLIT_V", "SQRT", "SQUARE",
        "STRIDED_SLICE",
        "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV",
    ]
) | frozenset(("LESS", "REDUCE_MAX", "REDUCE_MIN", "SELECT", "SELECT_V2"))  # of the lens: a few numbers each

_COREML_REFUSED = frozenset(
    [
        "cumsum", "gather", "gather_along_axis", "gather_nd", "inverse", "list_gather", "list_read", "list_scatter",
        "list_write", "make_list", "reverse", "reverse_sequence", "scatter", "scatter_along_axis", "scatter_nd", "topk",
        "while_loop", "cond",
    ]
)
# fmt: on
"""Core ML runs these on the CPU, or compiles them slowly; a network that needs one is written otherwise."""


@dataclass(frozen=True)
class Operation:
    """One operation of a file: its type and the name of its first output, which tells the layer."""

    kind: str
    output: str


def operations(path: Path, target: Target) -> list[Operation]:
    """The operations of a written file, in order."""
    if target is Target.TFLITE:
        return [
            Operation(name, graph.tensors[int(operation.outputs[0])].name.decode())
            for name, operation, graph in operations_of(read_model(path))
        ]
    if target is Target.ONNX:
        import onnx

        return [Operation(n.op_type, n.output[0]) for n in onnx.load(str(path), load_external_data=False).graph.node]
    from portraiture.export.mil.package import read_package

    # not by the interpreter, which knows fewer operations than coremltools writes
    found = [o for o in read_package(path).block.operations if o.type != "const" and not o.type.startswith("constexpr")]
    return [Operation(o.type, o.outputs[0].name) for o in found]


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
    most = MAX_OPS[file.name]
    if file.target is not Target.ONNX and len(found) > most:
        raise GateError(f"doctor: {file.path}: expected at most {most} operations, found {len(found)}")


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


def examine(root: Path, file: ModelFile, checkpoints: Checkpoints, modules: Mapping[str, str] | None = None) -> None:
    """All checks of a file that was just written.

    Args:
        root: the new bundle.
        file: which file.
        checkpoints: its weights.
        modules: path in the module tree by the name of a value in the file, where the converter told.

    Raises:
        GateError: the first that fails.
    """
    network = build(file.name, checkpoints)
    found = operations(root / file.path, file.target)
    check_operations(file, found, lambda output: layer_of(output, network, modules or {}))
    check_outputs(file, network)
    check_fp16_range(file, network)
