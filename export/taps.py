"""Every intermediate value of an exported file for given inputs, in the order in which the file computes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import LAYOUT, RGB, Precision, Target, model_contract
from portraiture.export.manifest import ModelFile
from portraiture.export.quiet import quiet
from portraiture.export.runtimes.base import Feeds, to_layout

Values = list[tuple[str, np.ndarray]]
"""Name in the file, and the array as the file lays it out."""


def _inputs(file: ModelFile, feeds: Feeds) -> dict[str, np.ndarray]:
    contract, layout = model_contract(file.name), LAYOUT[file.target]
    return {s.name: to_layout(s, feeds[s.name], file.size, layout) for s in contract.inputs}


def _tflite(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with quiet():
        interpreter = Interpreter(
            str(path),
            # delegates hide what they compute
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    interpreter.get_signature_runner(file.entry or file.name)(**_inputs(file, feeds))
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    computed = [i for op in interpreter._get_ops_details() for i in op["outputs"]]
    return [(tensors[i]["name"], _real(interpreter.get_tensor(i), tensors[i])) for i in computed]


def _real(value: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    """A quantized activation as the numbers it stands for; any other value as it is."""
    scale, zero_point = tensor["quantization"]
    if value.dtype != np.int8 or not scale:
        return value
    return np.asarray((value.astype(np.float32) - zero_point) * np.float32(scale))


def _coreml(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    from portraiture.export.mil.interpreter import MilProgram
    from portraiture.export.mil.interpreter import Precision as MilPrecision

    precision = MilPrecision.FLOAT32 if file.precision is Precision.FP32 else MilPrecision.DECLARED
    inputs = _inputs(file, feeds)
    inputs[RGB.name] = np.rint(inputs[RGB.name][0].transpose(1, 2, 0) * 255).astype(np.uint8)
    values: Values = []
    program = MilProgram.load(path, precision, file.entry or "main")
    program.run(inputs, lambda _, name, tensor: values.append((name, tensor.numpy().copy())))
    return values


def _onnx(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    names = [name for node in model.graph.node for name in node.output if name]
    outputs = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(zip(names, session.run(names, _inputs(file, feeds)), strict=True))


_TAPS: dict[Target, Callable[[Path, ModelFile, Feeds], Values]] = {
    Target.TFLITE: _tflite,
    Target.COREML: _coreml,
    Target.ONNX: _onnx,
}


def intermediate_values(root: Path, file: ModelFile, feeds: Feeds) -> Values:
    """What each operation of a bundle's file computes, floating-point values only.

    Args:
        root: the bundle.
        file: one of its files.
        feeds: the contract's inputs.
    """
    values = _TAPS[file.target](root / file.path, file, feeds)
    return [(name, value) for name, value in values if np.issubdtype(value.dtype, np.floating) and value.ndim == 4]
