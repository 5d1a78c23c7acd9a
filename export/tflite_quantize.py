"""Smaller TFLite files from the float32 one, by the AI Edge quantizer: fp16, int8 and static int8.

Only 2-d convolutions (full and depthwise) are quantized. The recurrences are slices, products and sums, and a gate
near 1 would amplify the rounding of an activation to 8 bits along a line: they stay float, like all else.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import Precision
from portraiture.export.quiet import quiet
from portraiture.reference.errors import ExportError

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
KEPT_FLOAT = ("MobileNetV2_encoder/torch.nn.modules.conv.Conv2d_stem", "mobilenet.InvertedResidual_0/")
"""The encoder's stem and first block, three convolutions of 1,664 weights together, stay float.

Measured at 512x384: of all that was tried alone the first block loses most (over four photos its depthwise convolution
leaves 27 to 36 dB of depth and its linear one 28 to 46; no other layer is below 32). Keeping it and the stem float
raises the worst of 24 validation photos from 27.0 to 32.3 dB of depth and from 0.9912 to 0.9936 of the mask's IoU,
static int8 from 24.7 to 31.8 dB and from 0.9881 to 0.9943. Keeping three blocks more did not raise the worst depth.
"""

Samples = Iterable[dict[str, np.ndarray]]
"""Inputs of a model by name, each laid out as the file takes it."""

_ENCODER = "mobilenet."


@contextmanager
def _quantizer(source: Path) -> Iterator[Any]:
    """A quantizer of a float32 file, and silence while it works."""
    with quiet():
        from ai_edge_quantizer import quantizer

        yield quantizer.Quantizer(str(source))


def _but_kept_float(source: Path) -> str:
    """A pattern of the names of all layers but those that stay float.

    Raises:
        ExportError: the file has the encoder, but no layers of those names.
    """
    names = _output_names(source)
    for kept in KEPT_FLOAT:
        if any(_ENCODER in name for name in names) and not any(kept in name for name in names):
            raise ExportError(
                f"{source.name}: expected a layer named {kept}, which int8 keeps float, found none;"
                " correct KEPT_FLOAT in export/tflite_quantize.py"
            )
    return f"^(?!.*({'|'.join(map(re.escape, KEPT_FLOAT))})).*$"


def _output_names(source: Path) -> list[str]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(source.read_bytes(), 0)
    return [g.tensors[int(o.outputs[0])].name.decode() for g in model.subgraphs for o in g.operators or []]


def quantize_fp16(source: Path, path: Path) -> None:
    """Store the convolutions' weights as fp16; arithmetic stays float."""
    with _quantizer(source) as q:
        from ai_edge_quantizer import qtyping

        config = qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        )
        for op in CONVOLUTIONS:
            q.update_quantization_recipe(
                regex=".*",
                operation_name=qtyping.TFLOperationName[op],
                op_config=config,
                algorithm_key="float_casting",
            )
        path.write_bytes(bytes(q.quantize().quantized_model))


def quantize_int8(source: Path, path: Path) -> None:
    """Store the convolutions' weights as int8, a scale a channel; what enters one is quantized as it runs."""
    layers = _but_kept_float(source)
    with _quantizer(source) as q:
        from ai_edge_quantizer import qtyping

        for op in CONVOLUTIONS:
            q.add_dynamic_config(layers, qtyping.TFLOperationName[op], num_bits=8)
        path.write_bytes(bytes(q.quantize().quantized_model))


def quantize_int8_static(source: Path, path: Path, samples: Samples) -> None:
    """Quantize the convolutions' weights and activations to int8.

    An activation's range is the least and largest value over all samples. (The quantizer's own default is a moving
    average, which weighs the first of a few photos more than all others.)

    Args:
        source: the float32 file.
        path: file to write.
        samples: of one size, one or more.
    """
    layers = _but_kept_float(source)
    with _quantizer(source) as q:
        from ai_edge_quantizer import calibrator, qtyping, recipe_manager
        from ai_edge_quantizer.utils import qsv_utils

        for op in CONVOLUTIONS:
            q.add_static_config(layers, qtyping.TFLOperationName[op], activation_num_bits=8, weight_num_bits=8)
        recipe = recipe_manager.RecipeManager()
        recipe.load_quantization_recipe(q.get_quantization_recipe())
        ranges = calibrator.Calibrator(str(source), num_threads=2, qsv_update_func=qsv_utils.min_max_update)
        ranges.calibrate({_signature(source): list(samples)}, recipe)
        path.write_bytes(bytes(q.quantize(ranges.get_model_qsvs()).quantized_model))


def _signature(source: Path) -> str:
    from ai_edge_litert import schema_py_generated as schema

    (signature,) = schema.ModelT.InitFromPackedBuf(source.read_bytes(), 0).signatureDefs
    return str(signature.signatureKey.decode())


def quantize(source: Path, path: Path, precision: Precision, samples: Samples) -> None:
    """Write a precision other than float32.

    Args:
        source: the float32 file.
        path: file to write.
        precision: one of TFLite's.
        samples: read by static int8 only.
    """
    if precision is Precision.INT8_STATIC:
        quantize_int8_static(source, path, samples)
    else:
        {Precision.FP16: quantize_fp16, Precision.INT8: quantize_int8}[precision](source, path)
