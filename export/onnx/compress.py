"""Smaller ONNX files from the float32 one: convolutions' weights as fp16 or int8, expanded when the file is loaded.

The arithmetic stays float32, as in the fp16 files of TFLite, so that recurrences compute the same as in the fp32 file.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from portraiture.export.formats import INT8_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.model_file import quantized
from portraiture.export.networks.exported import Exported
from portraiture.export.networks.layers import layers_in_file
from portraiture.export.plan import Kind

KEPT_FP16 = re.compile(rf"encoder\.blocks\.({SENSITIVE_BLOCKS})\.project")
"""These layers, and those of fewer weights than ``INT8_LEAST_WEIGHTS``, become fp16 where others become int8."""


_AXIS = {"Conv": 0, "ConvTranspose": 1}
"""Axis of a weight's output channels."""


def stored_bytes(weight: np.ndarray, kind: Kind) -> int:
    """What they take: of int8 a float32 scale and an int8 zero per channel beside them."""
    return 2 * weight.size if kind is Kind.FP16 else weight.size + 5 * weight.shape[0]


def _chosen(model: Any, precision: Precision, network: Exported, kinds: Mapping[str, Kind] | None) -> set[str]:
    """Names of the constants that become int8."""
    from onnx import numpy_helper

    held = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if t.name in _axes(model)}
    if precision is Precision.INT8:
        return {name for name, w in held.items() if w.size >= INT8_LEAST_WEIGHTS and not KEPT_FP16.search(name)}
    if kinds is None:
        return set()
    return set(layers_in_file(network, held, {layer for layer, kind in kinds.items() if kind is not Kind.FP16}))


def _axes(model: Any) -> dict[str, int]:
    """Axis of the output channels of each weight, by its name."""
    return {n.input[1]: _AXIS[n.op_type] for n in model.graph.node if n.op_type in _AXIS}


def compress(model: Any, precision: Precision, network: Exported, kinds: Mapping[str, Kind] | None = None) -> None:
    """Make the weights of an ``onnx.ModelProto`` smaller, in place; fp32 leaves them as they are.

    Args:
        model: the float32 file.
        precision: of the weights.
        network: what it was made of.
        kinds: the kind of each of its layers, for a plan.
    """
    if precision is Precision.FP32:
        return
    from onnx import TensorProto, helper, numpy_helper

    graph, axes, chosen = model.graph, _axes(model), _chosen(model, precision, network, kinds)
    nodes = []
    for tensor in [t for t in graph.initializer if t.name in axes]:
        name, axis, weight = tensor.name, axes[tensor.name], numpy_helper.to_array(tensor)
        small = f"{name}.{precision.value}"
        graph.initializer.remove(tensor)
        if name in chosen:
            q, scale = quantized(weight, axis)
            parts = {small: q, f"{name}.scale": scale, f"{name}.zero": np.zeros(scale.shape, np.int8)}
            graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in parts.items())
            nodes.append(helper.make_node("DequantizeLinear", list(parts), [name], f"expand_{name}", axis=axis))
        else:
            graph.initializer.append(numpy_helper.from_array(weight.astype(np.float16), small))
            nodes.append(helper.make_node("Cast", [small], [name], f"expand_{name}", to=TensorProto.FLOAT))
    for node in reversed(nodes):
        graph.node.insert(0, node)
