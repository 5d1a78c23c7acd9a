"""Smaller Core ML packages from the fp16 one: weights as int8, or as indices into a table (palettized).

Both are expanded to fp16 when the model is loaded or run; the arithmetic is fp16 in either, so that recurrences
compute the same as in the fp16 package.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from portraiture.export.formats import INT8_LEAST_WEIGHTS, PALETTE_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.networks.exported import Exported
from portraiture.export.networks.layers import layers_in_file, weights_of
from portraiture.export.palette import palette
from portraiture.export.plan import PALETTE_BITS as BITS
from portraiture.export.plan import Kind

LEAST_WEIGHTS = {Precision.INT8: INT8_LEAST_WEIGHTS, Precision.PALETTIZED: PALETTE_LEAST_WEIGHTS}
"""A layer of fewer weights stays fp16."""


KEPT_FP16 = re.compile(rf"encoder_blocks_({SENSITIVE_BLOCKS})_project")
"""These layers stay fp16, whatever their size."""


def stored(weight: np.ndarray, kind: Kind) -> np.ndarray:
    """A layer's weights as a package of a plan holds them, float32; coremltools quantizes the fp16 ones, in fp16.

    int8 has a scale per channel of the first axis.
    """
    half = weight.astype(np.float16)
    if kind in BITS:
        table, index = palette(half, BITS[kind])
        half = table[index].reshape(half.shape)
    elif kind is Kind.INT8:
        largest = np.abs(half).max(tuple(range(1, half.ndim)), keepdims=True)
        scale = (largest + largest) / np.float16(254)
        with np.errstate(divide="ignore", invalid="ignore"):  # a channel of zeros
            q = np.nan_to_num(np.clip(np.round(half / scale), -127, 127))
        half = (q * scale).astype(np.float16)
    return half.astype(np.float32)


def stored_bytes(weight: np.ndarray, kind: Kind) -> int:
    """What they take: of int8 an fp16 scale and an int8 zero per channel beside them, of a palette its fp16 table."""
    if kind in BITS:
        return -(-weight.size * BITS[kind] // 8) + (2 << BITS[kind])
    return 2 * weight.size if kind is Kind.FP16 else weight.size + 3 * weight.shape[0]


def compress(model: Any, precision: Precision, network: Exported, kinds: Mapping[str, Kind] | None = None) -> Any:
    """A converted ``MLModel`` in another precision; for fp32 and fp16 the conversion's own result.

    INT8: w = scale q, one scale per output channel, symmetric. PALETTIZED: w = table[q], one table per layer.

    Args:
        model: in fp16.
        precision: of the weights.
        network: what it was made of.
        kinds: the kind of each of its layers, for a plan.
    """
    import coremltools.optimize.coreml as optimize

    if precision is Precision.PLAN:
        assert kinds is not None
        return _planned(model, network, kinds)
    if precision not in (Precision.INT8, Precision.PALETTIZED):
        return model
    least = LEAST_WEIGHTS[precision]
    layers = optimize.get_weights_metadata(model, weight_threshold=least)
    kept = {name: None for name in layers if KEPT_FP16.search(name)}
    if precision is Precision.INT8:
        linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=least)
        return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(linear, op_name_configs=kept))
    table = optimize.OpPalettizerConfig(mode="custom", lut_function=palette, weight_threshold=least)
    return optimize.palettize_weights(model, optimize.OptimizationConfig(table, op_name_configs=kept))


def _planned(model: Any, network: Exported, kinds: Mapping[str, Kind]) -> Any:
    """The same with each layer's weights as a plan says."""
    import coremltools.optimize.coreml as optimize

    wanted = {layer for layer, kind in kinds.items() if kind is not Kind.FP16}
    if not wanted:
        return model
    least = min(w.size for name, w in weights_of(network).items() if name in wanted) - 1
    # coremltools' own list of weights fails where a constant is one of several inputs of a concatenation
    constants = model._mil_program.functions["main"].find_ops(op_type="const")
    held = {op.name: op.val.val for op in constants if isinstance(op.val.val, np.ndarray)}
    layers = layers_in_file(network, {n: v for n, v in held.items() if v.dtype == np.float16}, wanted)
    linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=least)
    int8 = {name: linear for name, layer in layers.items() if kinds[layer] is Kind.INT8}
    tables = {}
    for name, layer in layers.items():
        if kinds[layer] in BITS:
            function = partial(palette, bits=BITS[kinds[layer]])
            tables[name] = optimize.OpPalettizerConfig(mode="custom", lut_function=function, weight_threshold=least)
    if int8:
        model = optimize.linear_quantize_weights(model, optimize.OptimizationConfig(None, op_name_configs=int8))
    if tables:
        model = optimize.palettize_weights(model, optimize.OptimizationConfig(None, op_name_configs=tables))
    return model
