"""Read the public int8 MobileNetV2 ``.tflite`` (Apache-2.0, ImageNet) into the float encoder.

Each weight is de-quantised, w = (q - zero_point) * scale; the file's batch norms are already folded.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.reference.errors import InputError
from portraiture.training.models.mobilenet import MobileNetV2


def _dequantise(tensor: np.ndarray, quantization: dict[str, Any]) -> np.ndarray:
    scales, zero_points = quantization["scales"], quantization["zero_points"]
    values = tensor.astype(np.float64)
    if len(scales) == 0:
        return values
    shape = [1] * values.ndim
    if len(scales) > 1:
        shape[quantization["quantized_dimension"]] = -1
    result: np.ndarray = (values - np.reshape(zero_points, shape)) * np.reshape(scales, shape)
    return result


def load_mobilenet_tflite(encoder: MobileNetV2, path: Path) -> None:
    """Fill ``encoder`` in place from the ``.tflite`` file.

    Raises:
        InputError: the file is missing or its convolutions do not match MobileNetV2-1.0.
    """
    from ai_edge_litert.interpreter import Interpreter

    if not path.is_file():
        raise InputError(f"encoder weights: expected a MobileNetV2 .tflite file, found none at {path}; check --encoder")
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    quantization = {t["index"]: t["quantization_parameters"] for t in interpreter.get_tensor_details()}
    ops = [o for o in interpreter._get_ops_details() if o["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    convolutions = encoder.convolutions()
    if len(ops) < len(convolutions):
        raise InputError(
            f"{path}: expected {len(convolutions)} or more convolutions, found {len(ops)}; give MobileNetV2-1.0"
        )
    for conv, op in zip(convolutions, ops, strict=False):
        weight, bias = (_dequantise(interpreter.get_tensor(i), quantization[i]) for i in op["inputs"][1:3])
        # TFLite: (O, H, W, I), depthwise (1, H, W, C)
        weight = weight.transpose((0, 3, 1, 2) if op["op_name"] == "CONV_2D" else (3, 0, 1, 2))
        if weight.shape != tuple(conv.weight.shape):
            raise InputError(
                f"{path}: expected a layer {tuple(conv.weight.shape)}, found {weight.shape}; give MobileNetV2-1.0"
            )
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            conv.bias.copy_(torch.from_numpy(bias))  # type: ignore[union-attr]
