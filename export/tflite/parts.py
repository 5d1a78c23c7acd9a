"""What a TFLite file is made of: operations, constants, and every value that it computes."""

from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.model_file import ModelFile, Values, laid_out
from portraiture.export.quiet import quiet
from portraiture.export.runner import Feeds


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
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
