"""One case per MIL operation: its parameters, and the same operation in ONNX where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Case:
    """An operation on fixed inputs.

    Attributes:
        kind: MIL's type.
        arguments: MIL's parameters; arrays are tensors.
        onnx: ONNX's type; empty where it has none that computes the same.
        inputs: names of the parameters that are ONNX's inputs, in order; a list of arrays gives one input each.
        attributes: ONNX's.
        further: ONNX's inputs after those, such as axes.
    """

    kind: str
    arguments: Mapping[str, Any]
    onnx: str = ""
    inputs: tuple[str, ...] = ("x",)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    further: Arrays = ()


_RANDOM = np.random.default_rng(0)


def _normal(*shape: int) -> np.ndarray:
    return _RANDOM.standard_normal(shape).astype(np.float32)


X, Y = _normal(1, 4, 6, 8), _normal(1, 4, 6, 8)
POSITIVE, WITHIN = np.abs(X) + np.float32(0.1), np.tanh(X) * np.float32(0.9)
TRUTHS, OTHERS = X > 0, Y > 0
_I64 = np.int64


def _unary(kinds: str, x: np.ndarray = X) -> list[Case]:
    """``mil:Onnx`` for each; no colon where ONNX has no such operation."""
    pairs = (text.partition(":") for text in kinds.split())
    return [Case(kind, {"x": x}, onnx) for kind, _, onnx in pairs]


def _binary(kinds: str, x: np.ndarray = X, y: np.ndarray = Y) -> list[Case]:
    pairs = (text.partition(":") for text in kinds.split())
    return [Case(kind, {"x": x, "y": y}, onnx, ("x", "y")) for kind, _, onnx in pairs]


ELEMENTS = [
    *_unary("abs:Abs atan:Atan ceil:Ceil cos:Cos erf:Erf exp:Exp exp2 floor:Floor round:Round sign:Sign sin:Sin"),
    *_unary("square tan:Tan tanh:Tanh"),
    *_unary("acos:Acos asin:Asin", WITHIN),
    *_unary("sqrt:Sqrt log:Log rsqrt inverse", POSITIVE),
    *_binary("add:Add sub:Sub mul:Mul real_div:Div maximum:Max minimum:Min floor_div"),
    *_binary("equal:Equal greater:Greater greater_equal:GreaterOrEqual less:Less less_equal:LessOrEqual not_equal"),
    *_binary("pow:Pow mod", POSITIVE, np.abs(Y) + np.float32(0.1)),
    *_binary("logical_and:And logical_or:Or logical_xor:Xor", TRUTHS, OTHERS),
    *_unary("logical_not:Not", TRUTHS),
    Case("select", {"cond": TRUTHS, "a": X, "b": Y}, "Where", ("cond", "a", "b")),
]

ACTIVATIONS = [
    *_unary("relu:Relu sigmoid:Sigmoid softplus:Softplus softsign:Softsign silu relu6"),
    Case(
        "clip",
        {"x": X, "alpha": -0.5, "beta": 0.75},
        "Clip",
        further=(np.array(-0.5, np.float32), np.array(0.75, np.float32)),
    ),
    Case("elu", {"x": X, "alpha": 0.5}, "Elu", attributes={"alpha": 0.5}),
    Case("leaky_relu", {"x": X, "alpha": 0.1}, "LeakyRelu", attributes={"alpha": 0.1}),
    Case("prelu", {"x": X, "alpha": POSITIVE[0, :, 0, 0]}, "PRelu", further=(POSITIVE[0, :, 0, 0].reshape(4, 1, 1),)),
    Case("sigmoid_hard", {"x": X, "alpha": 0.3, "beta": 0.4}, "HardSigmoid", attributes={"alpha": 0.3, "beta": 0.4}),
    Case("thresholded_relu", {"x": X, "alpha": 0.5}, "ThresholdedRelu", attributes={"alpha": 0.5}),
    Case("clamped_relu", {"x": X, "alpha": 0.1, "beta": 0.75}),
    Case("linear_activation", {"x": X, "alpha": 0.5, "beta": 0.25}),
    Case("scaled_tanh", {"x": X, "alpha": 0.5, "beta": 0.75}),
    Case("threshold", {"x": X, "alpha": 0.25}),
    Case("gelu", {"x": X, "mode": "EXACT"}),
    Case("softmax", {"x": X, "axis": 1}, "Softmax", attributes={"axis": 1}),
]


def _reduced(kind: str, onnx: str, x: np.ndarray = X) -> Case:
    arguments = {"x": x, "axes": [2, 3], "keep_dims": True}
    if onnx == "ReduceSum":  # the one whose axes are an input in opset 17
        return Case(kind, arguments, onnx, further=(np.array([2, 3], _I64),))
    return Case(kind, arguments, onnx, attributes={"axes": [2, 3]})


REDUCTIONS = [
    _reduced("reduce_sum", "ReduceSum"),
    _reduced("reduce_mean", "ReduceMean"),
    _reduced("reduce_max", "ReduceMax"),
    _reduced("reduce_min", "ReduceMin"),
    _reduced("reduce_prod", "ReduceProd", WITHIN),
    _reduced("reduce_l1_norm", "ReduceL1"),
    _reduced("reduce_l2_norm", "ReduceL2"),
    _reduced("reduce_log_sum_exp", "ReduceLogSumExp"),
    _reduced("reduce_sum_square", "ReduceSumSquare"),
    Case("reduce_argmax", {"x": X, "axis": 1, "keep_dims": True}, "ArgMax", attributes={"axis": 1}),
    Case("reduce_argmin", {"x": X, "axis": 1, "keep_dims": True}, "ArgMin", attributes={"axis": 1}),
    Case("cumsum", {"x": X, "axis": 3}, "CumSum", further=(np.array(3, _I64),)),
]

_W, _B = _normal(6, 2, 3, 3), _normal(6)
_T = _normal(4, 3, 3, 3)
_STATISTICS = {"mean": _B[:4], "variance": POSITIVE[0, :, 0, 0], "gamma": _normal(4), "beta": _normal(4)}
_FLAT, _MATRIX = _normal(3, 8), _normal(5, 8)

SUMS = [
    Case("conv", {"x": X, "weight": _W, "bias": _B, "strides": [2, 1], "pad_type": "custom", "pad": [1, 1, 2, 2],
                  "dilations": [1, 2], "groups": 2}, "Conv", ("x", "weight", "bias"),
         {"strides": [2, 1], "pads": [1, 2, 1, 2], "dilations": [1, 2], "group": 2}),
    Case("conv_transpose", {"x": X, "weight": _T, "strides": [2, 2], "pad_type": "custom", "pad": [1, 1, 1, 1]},
         "ConvTranspose", ("x", "weight"), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    Case("avg_pool", {"x": X, "kernel_sizes": [3, 3], "strides": [2, 2], "pad_type": "custom", "pad": [1, 1, 1, 1],
                      "exclude_padding_from_average": True}, "AveragePool", ("x",),
         {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    Case("max_pool", {"x": X, "kernel_sizes": [3, 3], "strides": [2, 2], "pad_type": "custom", "pad": [1, 1, 1, 1]},
         "MaxPool", ("x",), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    Case("matmul", {"x": X, "y": _normal(8, 5)}, "MatMul", ("x", "y")),
    Case("linear", {"x": _FLAT, "weight": _MATRIX, "bias": _B[:5]}, "Gemm", ("x", "weight", "bias"), {"transB": 1}),
    Case("batch_norm", {"x": X, **_STATISTICS, "epsilon": 1e-3}, "BatchNormalization",
         ("x", "gamma", "beta", "mean", "variance"), {"epsilon": 1e-3}),
    Case("instance_norm", {"x": X, "gamma": _B[:4], "beta": _B[2:], "epsilon": 1e-3}, "InstanceNormalization",
         ("x", "gamma", "beta"), {"epsilon": 1e-3}),
    Case("layer_norm", {"x": X, "axes": [3], "gamma": _FLAT[0], "beta": _FLAT[1], "epsilon": 1e-3},
         "LayerNormalization", ("x", "gamma", "beta"), {"axis": 3, "epsilon": 1e-3}),
]  # fmt: skip

_NONE = (np.array([], np.float32), np.array([1, 1, 2, 2], np.float32))
"""ONNX's empty region and the scale of its Resize."""

RESIZINGS = [
    Case("upsample_bilinear", {"x": X, "scale_factor_height": 2.0, "scale_factor_width": 2.0, "align_corners": False},
         "Resize", ("x",), {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, _NONE),
    Case("upsample_nearest_neighbor", {"x": X, "scale_factor_height": 2.0, "scale_factor_width": 2.0}, "Resize",
         ("x",), {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, _NONE),
    Case("resize_bilinear", {"x": X, "target_size_height": 12, "target_size_width": 16,
                             "sampling_mode": "UNALIGN_CORNERS"}, "Resize", ("x",),
         {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, _NONE),
    Case("resize_nearest_neighbor", {"x": X, "target_size_height": 12, "target_size_width": 16}, "Resize", ("x",),
         {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, _NONE),
]  # fmt: skip

MOVES = [
    Case("concat", {"values": [X, Y], "axis": 1}, "Concat", ("values",), {"axis": 1}),
    Case("split", {"x": X, "num_splits": 2, "axis": 1}, "Split", ("x",), {"axis": 1}),
    Case("stack", {"values": [X, Y], "axis": 0}),
    Case("transpose", {"x": X, "perm": [0, 2, 3, 1]}, "Transpose", ("x",), {"perm": [0, 2, 3, 1]}),
    Case("reshape", {"x": X, "shape": [2, 96]}, "Reshape", further=(np.array([2, 96], _I64),)),
    Case("pad", {"x": X, "pad": [1, 2, 0, 3], "mode": "constant", "constant_val": 0.5}, "Pad", ("x",), {},
         (np.array([0, 0, 1, 0, 0, 0, 2, 3], _I64), np.array(0.5, np.float32))),
    Case("slice_by_index", {"x": X, "begin": [0, 1, 2, 0], "end": [1, 4, 5, 8], "stride": [1, 2, 1, 3]}, "Slice",
         ("x",), {}, tuple(np.array(v, _I64) for v in ([0, 1, 2, 0], [1, 4, 5, 8], [0, 1, 2, 3], [1, 2, 1, 3]))),
    Case("slice_by_size", {"x": X, "begin": [0, 1, 2, 3], "size": [1, 2, 3, 4]}, "Slice", ("x",), {},
         (np.array([0, 1, 2, 3], _I64), np.array([1, 3, 5, 7], _I64))),
    Case("expand_dims", {"x": X, "axes": [0]}, "Unsqueeze", further=(np.array([0], _I64),)),
    Case("squeeze", {"x": X, "axes": [0]}, "Squeeze", further=(np.array([0], _I64),)),
    Case("tile", {"x": X, "reps": [2, 1, 1, 2]}, "Tile", further=(np.array([2, 1, 1, 2], _I64),)),
    Case("gather", {"x": X, "indices": np.array([3, 0], np.int32), "axis": 1}, "Gather", ("x", "indices"), {"axis": 1}),
    Case("pixel_shuffle", {"x": X, "upscale_factor": 2}, "DepthToSpace", ("x",), {"blocksize": 2, "mode": "CRD"}),
    Case("pixel_unshuffle", {"x": X, "downscale_factor": np.uint32(2)}),
    Case("reverse", {"x": X, "axes": [3]}),
    Case("einsum", {"values": [X, _normal(1, 8, 6, 5)], "equation": "nchw,nwhu->nchu"}, "Einsum", ("values",),
         {"equation": "nchw,nwhu->nchu"}),
]  # fmt: skip

GROUPS: dict[str, list[Case]] = {
    "element by element": ELEMENTS,
    "activations": ACTIVATIONS,
    "reductions": REDUCTIONS,
    "windows, products, norms": SUMS,
    "resizing": RESIZINGS,
    "moves": MOVES,
}
"""Every case, by what the operation does."""
