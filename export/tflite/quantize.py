"""Smaller TFLite files from the float32 one, by the AI Edge quantizer: fp16, int8 and static int8.

Only 2-d convolutions (full and depthwise) are quantized; everything else stays float. So do the recurrences, in which a
gate near 1 would amplify the rounding of an activation to 8 bits along a line.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.formats import INT8_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.quiet import quiet
from portraiture.export.tflite.model import operations_of, read_model

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")

KEPT_FLOAT = re.compile(rf"InvertedResidual_({SENSITIVE_BLOCKS})/.*Conv2d_project|Propagation_propagation")
"""These layers stay float, whatever their size: in the scan, an activation's rounding to 8 bits would add up."""


Samples = Iterable[dict[str, np.ndarray]]
"""Inputs of a model by name, as the file lays them out."""


@contextmanager
def opened(source: Path) -> Iterator[Any]:
    """A quantizer of a float32 file; what it prints is dropped."""
    with quiet():
        from ai_edge_quantizer import quantizer

        yield quantizer.Quantizer(str(source))


def _large_layers(source: Path) -> list[str]:
    """The names of the convolutions that are quantized; a convolution has the name of its output."""
    large = [
        graph.tensors[operation.outputs[0]].name.decode()
        for kind, operation, graph in operations_of(read_model(source))
        if kind in CONVOLUTIONS and np.prod(graph.tensors[operation.inputs[1]].shape) >= INT8_LEAST_WEIGHTS
    ]
    return [name for name in large if not KEPT_FLOAT.search(name)]


def add_fp16(q: Any) -> None:
    """Add to a quantizer's recipe: convolutions' weights as fp16."""
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


def quantize_fp16(source: Path, path: Path) -> None:
    """Store the convolutions' weights as fp16; arithmetic stays float."""
    with opened(source) as q:
        add_fp16(q)
        path.write_bytes(bytes(q.quantize().quantized_model))


def quantize_int8(source: Path, path: Path, layers: str) -> None:
    """Store convolutions' weights as int8, one scale per channel; their inputs are quantized at run time.

    Args:
        source: the float32 file.
        path: file to write.
        layers: a pattern of the names of the convolutions.
    """
    with opened(source) as q:
        from ai_edge_quantizer import qtyping

        # not the depthwise ones: TFLite's delegate takes none whose input is quantized at run time
        q.add_dynamic_config(layers, qtyping.TFLOperationName["CONV_2D"], num_bits=8)
        path.write_bytes(bytes(q.quantize().quantized_model))


def quantize_int8_static(source: Path, path: Path, layers: str, samples: Samples) -> None:
    """Quantize convolutions' weights and activations to int8.

    An activation's range is the least and largest value over all samples. (The quantizer's own default is a moving
    average, which weighs the first of a few photos more than all others.)

    Args:
        source: the float32 file.
        path: file to write.
        layers: a pattern of the names of the convolutions.
        samples: one or more, of the file's size; NHWC, float32.
    """
    with opened(source) as q:
        from ai_edge_quantizer import calibrator, qtyping, recipe_manager
        from ai_edge_quantizer.utils import qsv_utils

        for op in CONVOLUTIONS:
            q.add_static_config(layers, qtyping.TFLOperationName[op], activation_num_bits=8, weight_num_bits=8)
        recipe = recipe_manager.RecipeManager()
        recipe.load_quantization_recipe(q.get_quantization_recipe())
        ranges = calibrator.Calibrator(str(source), num_threads=2, qsv_update_func=qsv_utils.min_max_update)
        ranges.calibrate({_signature(source): list(samples)}, recipe)
        path.write_bytes(bytes(q.quantize(ranges.get_model_qsvs()).quantized_model))


def pattern_of(names: Iterable[str]) -> str:
    """A pattern that fits the names of these convolutions alone."""
    return f"^({'|'.join(map(re.escape, names))});?$"


def _signature(source: Path) -> str:
    (signature,) = read_model(source).signatureDefs
    return str(signature.signatureKey.decode())


def quantize(source: Path, path: Path, precision: Precision, samples: Samples) -> None:
    """Write a precision other than float32; a network without a large layer is fp16 in each.

    Args:
        source: the float32 file.
        path: file to write.
        precision: one of TFLite's.
        samples: inputs by name, NHWC, float32; only static int8 reads them.
    """
    large = [] if precision is Precision.FP16 else _large_layers(source)
    layers = pattern_of(large)
    if not large:
        quantize_fp16(source, path)
    elif precision is Precision.INT8:
        quantize_int8(source, path, layers)
    else:
        quantize_int8_static(source, path, layers, samples)
