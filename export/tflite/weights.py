"""The weights of a TFLite file by layer, quantized ones as the numbers that they stand for."""

from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.model_file import ModelFile, Weights, dequantized, unique_names
from portraiture.export.tflite.graph import subgraph_of
from portraiture.export.tflite.model import operations_of, read_model

_MODULES = 3
"""Modules of a name that are shown, the last ones; chosen: with their classes and places they tell the layer."""


def weights(path: Path, file: ModelFile) -> Weights:
    """The constants of a model in a file that its operations compute with.

    A layer is named by the last modules of its constant's name, class and place of each; where the converter gave the
    constant no module, by those of its output.

    Args:
        path: of the file.
        file: which model of it.
    """
    model = read_model(path)
    chosen = model.subgraphs[subgraph_of(model, file.entry)]
    expanded: dict[int, int] = {}
    found: Weights = []
    for kind, operation, graph in operations_of(model):
        if graph is not chosen:
            continue
        output = int(operation.outputs[0])
        for place, given in enumerate(int(i) for i in operation.inputs):
            source = expanded.get(given, given)
            value = None if source < 0 else _value(model, graph.tensors[source])
            if value is None or value.size < 2:
                continue
            if kind == "DEQUANTIZE":  # fp16 weights are expanded by an operation of their own
                expanded[output] = given
            else:
                names = [graph.tensors[k].name.decode(errors="replace") for k in (source, output)]
                module = _modules(next((n for n in names if "/" in n), names[1]))
                found.append((f"{module} {kind} input {place}", value))
    return unique_names(found)


def _modules(name: str) -> str:
    """``a.b.Class_layer/a.b.Conv2d_0;1`` -> ``Class_layer/Conv2d_0``."""
    parts = [part.rsplit(".", 1)[-1] for part in name.split(";")[0].split("/")]
    return "/".join(parts[-_MODULES:])


def _value(model: Any, tensor: Any) -> np.ndarray | None:
    """A constant's numbers, float64; None of what is computed, and of integers that stand for themselves."""
    from ai_edge_litert import schema_py_generated as schema

    types = schema.TensorType
    stored = {types.FLOAT32: np.float32, types.FLOAT16: np.float16, types.INT8: np.int8, types.INT32: np.int32}
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type not in stored:
        return None
    value = np.asarray(data, np.uint8).view(stored[tensor.type]).astype(np.float64)
    value = value.reshape(tensor.shape if tensor.shape is not None else -1)
    if tensor.type in (types.FLOAT32, types.FLOAT16):
        return np.asarray(value)
    scale = getattr(tensor.quantization, "scale", None)
    if scale is None or not len(scale):
        return None
    zero = tensor.quantization.zeroPoint
    return dequantized(value, np.asarray(scale), zero, tensor.quantization.quantizedDimension)
