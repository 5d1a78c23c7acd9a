"""Phones' GPUs: TFLite's GPU delegate, and Core ML's.

``ai_edge_litert`` 2.3 has the delegate's own check (``ModelAnalyzer``), but its build calls every operation compatible,
so that the rules are written out here.
"""

from portraiture.export.doctor.devices.rules import (
    FEWER_AXES,
    FIXED_SHAPES,
    Reason,
    Rule,
    dtype_in,
    kinds_in,
    rank_within,
    static,
)
from portraiture.export.graph import Node

_CHECK = "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/tools/versioning/gpu_compatibility.cc"

# fmt: off
_TFLITE_KINDS = frozenset(
    [
        "ABS", "ADD", "ADD_N", "ATAN2", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CEIL", "CONCATENATION", "CONV_2D",
        "COS", "CUMSUM", "DENSIFY", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "DYNAMIC_UPDATE_SLICE",
        "ELU", "EMBEDDING_LOOKUP", "EQUAL", "EXP", "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER",
        "GELU", "GREATER", "GREATER_EQUAL", "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND",
        "LOGISTIC", "LSTM", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL",
        "ONE_HOT", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD",
        "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SELECT",
        "SELECT_V2", "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE",
        "SQUARED_DIFFERENCE", "STABLEHLO_CLAMP", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TRANSPOSE",
        "TRANSPOSE_CONV",
    ]
)
# fmt: on


def _slices(node: Node) -> str:
    """SLICE and STRIDED_SLICE take three or four dimensions, and no mask that adds or drops one."""
    if node.kind not in ("SLICE", "STRIDED_SLICE"):
        return ""
    rank = len(node.inputs[0].shape)
    masks = [m for m in ("ellipsisMask", "newAxisMask", "shrinkAxisMask") if any(node.numbers.get(m, ()))]
    if masks:
        return f"{node.kind} with {', '.join(masks)}"
    return "" if rank in (3, 4) else f"{node.kind} of {node.inputs[0]}, three or four dimensions are taken"


def _products(node: Node) -> str:
    """MUL takes no two tensors of which each is the smaller one along some axis."""
    shapes = [[size or 1 for size in t.shape] for t in (*node.inputs, *node.constants)]
    if node.kind != "MUL" or len(shapes) != 2 or len(shapes[0]) != len(shapes[1]):
        return ""
    a, b = shapes
    crossed = any(x < y for x, y in zip(a, b, strict=True)) and any(x > y for x, y in zip(a, b, strict=True))
    return f"MUL of {a} and {b}, each broadcast along an axis of the other" if crossed else ""


def _depthwise(node: Node) -> str:
    """DEPTHWISE_CONV_2D makes several channels of one input channel only."""
    if node.kind != "DEPTHWISE_CONV_2D":
        return ""
    given, made = node.inputs[0].shape[-1], node.outputs[0].shape[-1]
    return f"DEPTHWISE_CONV_2D from {given} channels to {made}" if given not in (1, made) else ""


def _pads(node: Node) -> str:
    """PAD takes a table of paddings for three or four axes."""
    tables = [t for t in node.constants if len(t.shape) == 2]
    if node.kind not in ("PAD", "PADV2", "MIRROR_PAD") or not tables or tables[0].shape in ((3, 2), (4, 2)):
        return ""
    return f"{node.kind} with a table of {tables[0].shape[0]}x{tables[0].shape[1]} paddings, 3x2 or 4x2 is taken"


TFLITE = (
    Rule(Reason.KIND, kinds_in(_TFLITE_KINDS), f"{_CHECK}: what is in no case there is a 'Not supported op'"),
    Rule(
        Reason.DYNAMIC,
        static(),
        "https://github.com/tensorflow/tensorflow/issues/38036: the delegate compiles for the shapes that the graph"
        " has, and refuses a graph with dynamic-sized tensors",
        FIXED_SHAPES,
    ),
    Rule(
        Reason.RANK,
        rank_within(1, 4),
        "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/delegates/gpu/common/model_builder_helper.cc:"
        " ExtractTensorShape takes one to four dimensions ('bad input dims size')",
        FEWER_AXES,
        "newer runtimes (ML Drift) take scalars and five dimensions",
    ),
    Rule(
        Reason.DTYPE,
        dtype_in(("float32", "float16", "int8", "uint8", "int32", "bool")),
        "https://www.tensorflow.org/lite/performance/gpu: operations in 16-bit and 32-bit float; 8-bit models are"
        " computed in float",
        "compute it in float",
        "whether int32 and bool are taken depends on the operation",
    ),
    Rule(Reason.SETTING, _slices, f"{_CHECK}: SLICE 'supports for 3 or 4 dimensional tensors only'", FEWER_AXES),
    Rule(
        Reason.SETTING,
        _products,
        f"{_CHECK}: 'MUL requires one tensor that not less than second in all dimensions'",
        "repeat one of the two by concatenation first, or write it as a convolution",
    ),
    Rule(
        Reason.SETTING,
        _depthwise,
        f"{_CHECK}: refuses 'depth_multiplier != 1 && input.c != 1'",
        "write it as a grouped or a plain convolution",
    ),
    Rule(Reason.SETTING, _pads, f"{_CHECK}: 'expected 4x2 or 3x2'", FEWER_AXES),
)
"""Of TFLite's GPU delegate."""

COREML_LOOPS = frozenset(
    ["while_loop", "cond", "make_list", "list_gather", "list_length", "list_read", "list_scatter", "list_write"]
)

_MOST_RANK = 5

COREML = (
    Rule(
        Reason.KIND,
        lambda node: f"{node.kind} is control flow or a list" if node.kind in COREML_LOOPS else "",
        "https://github.com/apple/coremltools/issues/2208: a while_loop ran accelerated neither on the Neural Engine"
        " nor on the GPU",
        doubt="a user's report of while_loop; Apple publishes no list of what the GPU takes",
    ),
    Rule(
        Reason.RANK,
        rank_within(0, _MOST_RANK),
        "coremltools, converters/mil/frontend/torch/ops.py: 'Core ML only supports tensor rank <= 5'",
        FEWER_AXES,
    ),
)
"""Of Core ML's GPU: Apple publishes no list; these are the limits that are known."""
