"""The weights of an ONNX file by layer, small forms as the numbers that they stand for."""

from pathlib import Path

import numpy as np

from portraiture.export.model_file import ModelFile, Weights, dequantized, unique_names


def weights(path: Path, _file: ModelFile) -> Weights:
    """The floating-point constants that a file's nodes compute with, float64.

    The exporter keeps a layer's name in the constant's, but for one that it folded a normalisation into: such a one is
    named by its node.

    Args:
        path: of the file.
        _file: which model of it: the only one.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    held = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            held.update((node.output[0], numpy_helper.to_array(a.t)) for a in node.attribute if a.name == "value")
    found: Weights = []
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
        elif node.op_type == "DequantizeLinear" and all(n in held for n in node.input):
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            q, scale, *zero = (held[n] for n in node.input)
            held[node.output[0]] = dequantized(q, scale, zero[0] if zero else None, axis)
        else:
            found += [(_named(node.output[0], node.op_type, name, k), held[name].astype(np.float64))
                      for k, name in enumerate(node.input) if name in held and _is_weight(held[name])]  # fmt: skip
    return unique_names(found)


def _is_weight(value: np.ndarray) -> bool:
    return np.issubdtype(value.dtype, np.floating) and value.size > 1


def _named(output: str, kind: str, constant: str, place: int) -> str:
    return f"{output} {kind} input {place}" if constant.startswith(("onnx::", "/")) else constant
