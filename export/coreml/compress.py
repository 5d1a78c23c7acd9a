"""Smaller Core ML packages from the fp16 one: weights as int8, or as indices into a table (palettized).

Both are expanded to fp16 when the model is loaded or run; the arithmetic is fp16 in either, so that recurrences
compute the same as in the fp16 package.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from portraiture.export.formats import INT8_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.networks.exported import Exported
from portraiture.export.networks.layers import layers_in_file, weights_of
from portraiture.export.plan import PALETTE_BITS as BITS
from portraiture.export.plan import Kind

LEAST_WEIGHTS = {Precision.INT8: INT8_LEAST_WEIGHTS, Precision.PALETTIZED: 16384}
"""A layer of fewer weights stays fp16. A table of 256 values costs more than a scale per channel, so that palettizing
begins at larger layers; 16384 was chosen, not measured."""


KEPT_FP16 = re.compile(rf"encoder_blocks_({SENSITIVE_BLOCKS})_project")
"""These layers stay fp16, whatever their size."""


PALETTE_BITS = 8
"""The smallest number that passes the gate. With 6 (2.5 MB instead of 3.0) the mask's IoU is 0.970 on the gate's photo,
and depth falls to 24.8 dB on one of six validation photos."""

_BINS, _ROUNDS = 1024, 30
"""Bins of the weights' histogram, and rounds of the search; chosen, not measured."""


def palette(weight: np.ndarray, bits: int = PALETTE_BITS) -> tuple[np.ndarray, np.ndarray]:
    """A layer's table of values, 256 by default, and the index of each weight, by k-means in one dimension.

    Lloyd's algorithm. It begins with the spacing that is best for many levels: their density is the cube root of the
    density of the weights. In a sorted array a cluster is a run, so that a round searches the middles between the means
    and takes differences of cumulated sums. (The k-means of coremltools needs scikit-learn.)

    Args:
        weight: of any shape.
        bits: of an index, up to 8.

    Returns:
        (2^bits,) ascending and of the weight's type, and indices uint8, flat.
    """
    values = np.sort(weight.astype(np.float64).ravel())
    sums = np.concatenate([[0.0], np.cumsum(values)])
    counts, edges = np.histogram(values, _BINS)
    share = np.concatenate([[0.0], np.cumsum(np.cbrt(counts))])
    levels = (np.arange(1 << bits) + 0.5) / (1 << bits)
    table = np.interp(levels * share[-1], share, edges)
    for _ in range(_ROUNDS):
        ends = np.concatenate([[0], np.searchsorted(values, (table[1:] + table[:-1]) / 2), [len(values)]])
        counts = np.diff(ends)
        means = np.diff(sums[ends]) / np.maximum(counts, 1)
        table = np.where(counts > 0, means, table)  # an empty cluster stays where it is
    index = np.searchsorted((table[1:] + table[:-1]) / 2, weight.astype(np.float64).ravel())
    return table.astype(weight.dtype), index.astype(np.uint8)


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
