"""Smaller ONNX files from the float32 one: convolutions' weights as fp16 or int8, expanded when the file is loaded.

The arithmetic stays float32, as in the fp16 files of TFLite, so that recurrences compute the same as in the fp32 file.
"""

import re
from typing import Any

import numpy as np

from portraiture.export.formats import INT8_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision

KEPT_FP16 = re.compile(rf"encoder\.blocks\.({SENSITIVE_BLOCKS})\.project")
"""These layers, and those of fewer weights than ``INT8_LEAST_WEIGHTS``, become fp16 where others become int8."""


_AXIS = {"Conv": 0, "ConvTranspose": 1}
"""Axis of a weight's output channels."""


def quantized(weight: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """q int8 and one scale per output channel, float32, so that |w - scale q| <= scale / 2; symmetric.

    Args:
        weight: (..., channels, ...), float32.
        axis: index of the channels.
    """
    others = tuple(k for k in range(weight.ndim) if k != axis)
    scale = np.maximum(np.abs(weight).max(others, keepdims=True), np.finfo(np.float32).tiny) / np.float32(127)
    return np.rint(weight / scale).astype(np.int8), scale.ravel()


def compress(model: Any, precision: Precision) -> None:
    """Make the weights of an ``onnx.ModelProto`` smaller, in place; fp32 leaves them as they are."""
    if precision is Precision.FP32:
        return
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    axes = {n.input[1]: _AXIS[n.op_type] for n in graph.node if n.op_type in _AXIS}
    nodes = []
    for tensor in [t for t in graph.initializer if t.name in axes]:
        name, axis, weight = tensor.name, axes[tensor.name], numpy_helper.to_array(tensor)
        small = f"{name}.{precision.value}"
        graph.initializer.remove(tensor)
        if precision is Precision.INT8 and weight.size >= INT8_LEAST_WEIGHTS and not KEPT_FP16.search(name):
            q, scale = quantized(weight, axis)
            parts = {small: q, f"{name}.scale": scale, f"{name}.zero": np.zeros(scale.shape, np.int8)}
            graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in parts.items())
            nodes.append(helper.make_node("DequantizeLinear", list(parts), [name], f"expand_{name}", axis=axis))
        else:
            graph.initializer.append(numpy_helper.from_array(weight.astype(np.float16), small))
            nodes.append(helper.make_node("Cast", [small], [name], f"expand_{name}", to=TensorProto.FLOAT))
    for node in reversed(nodes):
        graph.node.insert(0, node)
