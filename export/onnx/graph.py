"""The graph of an ONNX file, as onnxruntime gives it to an accelerator: constants computed, shapes known."""

import tempfile
from pathlib import Path
from typing import Any

from portraiture.export.graph import Graph, RawNode, Tensor, graph_of
from portraiture.export.model_file import ModelFile
from portraiture.export.quiet import quiet
from portraiture.reference.errors import InputError

_NUMBERS = ("dilations", "kernel_shape", "strides")


def graph(path: Path, _file: ModelFile) -> Graph:
    """The graph of an ``.onnx`` file after onnxruntime's basic rewriting, which precedes an execution provider's look.

    PyTorch's exporter writes the arithmetic of shapes as operations; onnxruntime computes them as it loads the file.

    Raises:
        InputError: onnxruntime cannot load the file.
    """
    import onnx

    model = onnx.shape_inference.infer_shapes(_rewritten(path), data_prop=True)
    values = [*model.graph.input, *model.graph.output, *model.graph.value_info]
    tensors = {v.name: _tensor(v) for v in values}
    tensors.update({t.name: Tensor(t.name, tuple(t.dims), _dtype(t.data_type)) for t in model.graph.initializer})
    held = {t.name for t in model.graph.initializer}
    raw = []
    for node in model.graph.node:
        names = (*node.input, *node.output)
        tensors.update({n: Tensor(n, (None,), "unknown") for n in names if n not in tensors})
        numbers = {a.name: tuple(a.ints) for a in node.attribute if a.name in _NUMBERS}
        inputs, outputs = (tuple(n for n in part if n) for part in (node.input, node.output))
        kind = f"{node.domain}:{node.op_type}" if node.domain else node.op_type
        raw.append(RawNode(kind, module_of(node.name) or outputs[0], inputs, outputs, numbers))
    given = [i.name for i in model.graph.input if i.name not in held]
    return graph_of(raw, tensors, given, [o.name for o in model.graph.output])


def module_of(name: str) -> str:
    """The module that PyTorch's exporter names a node after, empty where it names none.

    The wrapper that is traced (``TupleOut``) is no part of the network.

    >>> module_of("/network/network/encoder/blocks.0/Conv_2")
    'network.encoder.blocks.0'
    """
    inside = name.removeprefix("/network") if name.startswith("/network/network/") else name
    return ".".join(inside.split("/")[1:-1])


def _rewritten(path: Path) -> Any:
    """The file after onnxruntime's basic rewriting."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="portraiture.") as folder:
        options.optimized_model_filepath = str(Path(folder) / "rewritten.onnx")
        try:
            with quiet():
                onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            return onnx.load(options.optimized_model_filepath)
        except Exception as error:  # onnxruntime's own errors have no common base
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: expected an ONNX model ({reason}); export the bundle again") from error


def _tensor(value: Any) -> Tensor:
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return Tensor(value.name, (None,), _dtype(kind.elem_type))
    sizes = (d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
    return Tensor(value.name, tuple(sizes), _dtype(kind.elem_type))


def _dtype(code: int) -> str:
    import onnx

    name = onnx.TensorProto.DataType.Name(code).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)
