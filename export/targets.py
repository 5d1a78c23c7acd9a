"""The table of formats, one line each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from portraiture.export.coreml import parts as coreml_parts
from portraiture.export.coreml.runner import CoremlRunner
from portraiture.export.formats import Target
from portraiture.export.model_file import ModelFile, Operation, Values
from portraiture.export.onnx import parts as onnx_parts
from portraiture.export.onnx.runner import OnnxRunner
from portraiture.export.runner import Feeds, Runner
from portraiture.export.tflite import parts as tflite_parts
from portraiture.export.tflite.model import operations_of, read_model
from portraiture.export.tflite.runner import TfliteRunner

_TAPS: dict[Target, Callable[[Path, ModelFile, Feeds], Values]] = {
    Target.TFLITE: tflite_parts.values,
    Target.COREML: coreml_parts.values,
    Target.ONNX: onnx_parts.values,
}


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


def constants(path: Path, target: Target) -> list[np.ndarray]:
    """The floating-point constants of a file, flat, float32."""
    if target is Target.TFLITE:
        from ai_edge_litert import schema_py_generated as schema

        content = path.read_bytes()
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        types = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
        used = {t.buffer: types[t.type] for g in model.subgraphs for t in g.tensors if t.type in types}
        found = []
        for index, dtype in used.items():
            buffer = model.buffers[index]
            data = buffer.data
            if data is None and buffer.size:  # the quantizer puts large buffers behind the flatbuffer
                data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            if data is not None:
                found.append(np.asarray(data, np.uint8).view(dtype).astype(np.float32))
        return found
    if target is Target.ONNX:
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(str(path)).graph
        tensors = [*graph.initializer, *(a.t for n in graph.node if n.op_type == "Constant" for a in n.attribute)]
        arrays = [numpy_helper.to_array(t).ravel() for t in tensors]
        return [a.astype(np.float32) for a in arrays if np.issubdtype(a.dtype, np.floating)]
    from portraiture.export.mil.package import read_package
    from portraiture.export.mil.values import ValueDecoder

    package = read_package(path)
    decoder = ValueDecoder(package, torch.float32)
    values = [decoder.decode(o.attributes["val"]) for o in package.block.operations if o.type == "const"]
    return [v.numpy().ravel() for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()]


def intermediate_values(root: Path, file: ModelFile, feeds: Feeds) -> Values:
    """What each operation of a bundle's file computes, floating-point values only.

    Args:
        root: the bundle.
        file: one of its files.
        feeds: the contract's inputs.
    """
    values = _TAPS[file.target](root / file.path, file, feeds)
    return [(name, value) for name, value in values if np.issubdtype(value.dtype, np.floating) and value.ndim == 4]


def open_file(root: Path, file: ModelFile) -> Runner:
    """The runner of a bundle's file."""
    path = root / file.path
    if file.target is Target.TFLITE:
        return TfliteRunner(path, file.name, file.size, signature=file.entry)
    if file.target is Target.ONNX:
        return OnnxRunner(path, file.name, file.size)
    return CoremlRunner(path, file.name, file.size, file.precision, file.entry)
