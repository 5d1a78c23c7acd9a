"""NPUs of Android phones, by Qualcomm's lists, which are public: QNN under LiteRT, and under onnxruntime."""

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

_LITERT = "https://github.com/google-ai-edge/LiteRT/blob/main/litert/vendors/qualcomm/compiler/Qualcomm_QNN_Compiler.md"
_PROVIDER = "https://onnxruntime.ai/docs/execution-providers/QNN-ExecutionProvider.html"

# fmt: off
_TFLITE_KINDS = frozenset(
    [
        "ABS", "ADD", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BROADCAST_TO", "CAST", "CEIL",
        "CONCATENATION", "CONV_2D", "CONV_3D", "COS", "CUMSUM", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
        "DIV", "DYNAMIC_UPDATE_SLICE", "ELU", "EMBEDDING_LOOKUP", "EQUAL", "EXP", "FLOOR", "FLOOR_DIV",
        "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL", "HARD_SWISH",
        "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGICAL_NOT",
        "LOGICAL_OR", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG",
        "NOT_EQUAL", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX",
        "REDUCE_MIN", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE",
        "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM",
        "TANH", "TILE", "TOPK_V2", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
    ]
)
_ONNX_KINDS = frozenset(
    [
        "Abs", "Add", "And", "ArgMax", "ArgMin", "Asin", "Atan", "AveragePool", "BatchNormalization", "Cast", "Ceil",
        "Clip", "Concat", "Conv", "ConvInteger", "ConvTranspose", "Cos", "CumSum", "DepthToSpace", "DequantizeLinear",
        "Div", "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Exp", "Expand", "Flatten", "Floor", "Gather",
        "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater",
        "GreaterOrEqual", "GridSample", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity",
        "InstanceNormalization", "Inverse", "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less",
        "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean",
        "Min", "Mod", "Mul", "Neg", "NonZero", "Not", "Or", "PRelu", "Pad", "Pow", "QuantizeLinear",
        "RMSNormalization", "RandomNormalLike", "RandomUniformLike", "Reciprocal", "ReduceL2", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Resize", "RoiAlign",
        "RotaryEmbedding", "Round", "STFT", "ScatterElements", "ScatterND", "Sigmoid", "Sign", "Sin", "Slice",
        "Softmax", "Softplus", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh",
        "ThresholdedRelu", "Tile", "TopK", "Transpose", "Unsqueeze", "Upsample", "Where",
        "com.microsoft:DequantizeLinear", "com.microsoft:FusedMatMul", "com.microsoft:Gelu",
        "com.microsoft:MatMulNBits", "com.microsoft:QuantizeLinear", "com.microsoft:QuickGelu",
        "com.microsoft:RotaryEmbedding", "com.microsoft:SimplifiedLayerNormalization",
    ]
)
# fmt: on

_SHARED = (
    Rule(
        Reason.DYNAMIC,
        static(),
        f"{_PROVIDER}: 'QNN EP does not support models with dynamic shapes'",
        FIXED_SHAPES,
    ),
    Rule(
        Reason.RANK,
        rank_within(0, 4),
        "https://android.googlesource.com/platform/packages/modules/NeuralNetworks, NeuralNetworks.h: most operations"
        " say 'Supported tensor rank: up to 4'",
        FEWER_AXES,
        "Qualcomm's newer SDKs take five axes in some operations; other makers' drivers do not",
    ),
    Rule(
        Reason.DTYPE,
        dtype_in(("float32", "float16", "int8", "uint8", "int16", "uint16", "int32", "bool")),
        f"{_PROVIDER}: float32 models run with fp16 precision (enable_htp_fp16_precision, on by default), and"
        " 'supported data types vary by operator and QNN backend'",
        "compute it in float, or quantize it to int8",
        "the list of types is not by operation here; 64-bit types are in no public list of the HTP that we found",
    ),
)

TFLITE = (
    Rule(Reason.KIND, kinds_in(_TFLITE_KINDS), f"{_LITERT}: table 'Supported Operations'"),
    *_SHARED,
)
"""Of Qualcomm's NPU under LiteRT."""

ONNX = (
    Rule(Reason.KIND, kinds_in(_ONNX_KINDS), f"{_PROVIDER}: table 'Supported ONNX operators'"),
    *_SHARED,
)
"""Of Qualcomm's NPU under onnxruntime."""
