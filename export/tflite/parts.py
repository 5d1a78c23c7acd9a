"""What a TFLite file is made of: operations, constants, and every value that it computes."""

from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.model_file import ModelFile, Operation, Values, laid_out
from portraiture.export.quiet import quiet
from portraiture.export.runner import Feeds
from portraiture.export.tflite.model import operations_of, read_model

# fmt: off
_ALLOWED = frozenset(
    [
        "ABS", "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CEIL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EXP", "FULLY_CONNECTED", "GELU", "HARD_SWISH", "LEAKY_RELU",
        "LOG", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "NEG", "PAD", "PRELU", "QUANTIZE",
        "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RSQRT", "SLICE", "SOFTMAX",
        "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE",
        "TRANSPOSE_CONV",
    ]
)
# fmt: on


def refused(kind: str) -> bool:
    """Whether a TFLite file must do without a type of operation."""
    return kind not in _ALLOWED


def operations(path: Path) -> list[Operation]:
    """The operations of a file, in order."""
    return [
        Operation(name, graph.tensors[int(operation.outputs[0])].name.decode())
        for name, operation, graph in operations_of(read_model(path))
    ]


def constants(path: Path) -> list[np.ndarray]:
    """The floating-point constants of a file, flat, float32; one that several tensors share counts once."""
    from ai_edge_litert import schema_py_generated as schema

    model = read_model(path)
    types = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
    used = {t.buffer: types[t.type] for g in model.subgraphs for t in g.tensors if t.type in types}
    stored = ((model.buffers[index].data, dtype) for index, dtype in used.items())
    return [np.asarray(data, np.uint8).view(dtype).astype(np.float32) for data, dtype in stored if data is not None]


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    """Every value that a file computes.

    Args:
        path: of the file.
        file: which model of it.
        feeds: the contract's inputs.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with quiet():
        interpreter = Interpreter(
            str(path),
            # delegates hide what they compute
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    interpreter.get_signature_runner(file.entry or file.name)(**laid_out(file, feeds))
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    computed = [i for op in interpreter._get_ops_details() for i in op["outputs"]]
    return [(tensors[i]["name"], _real(interpreter.get_tensor(i), tensors[i])) for i in computed]


def _real(value: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    """A quantized activation as the numbers it stands for; any other value as it is."""
    scale, zero_point = tensor["quantization"]
    if value.dtype != np.int8 or not scale:
        return value
    return np.asarray((value.astype(np.float32) - zero_point) * np.float32(scale))
