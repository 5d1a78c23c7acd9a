"""Smaller Core ML packages from the fp16 one: weights as int8, or as indices into a table (palettized).

Both are expanded to fp16 when the model is loaded or run; the arithmetic is fp16 in either, so that recurrences are
what they are in the fp16 package.
"""

from typing import Any

from portraiture.export.contract import Precision

LEAST_WEIGHTS = 512
"""A smaller weight stays fp16: it saves nothing, and the layers of few weights are those that steer the recurrences."""

PALETTE_BITS = 6


def compress(model: Any, precision: Precision) -> Any:
    """A converted ``MLModel`` in another precision; fp32 and fp16 are what conversion itself gives.

    INT8: w = scale q by output channel, symmetric. PALETTIZED: w = table[q], 64 values a layer, found by k-means.
    """
    import coremltools.optimize.coreml as compression

    if precision is Precision.INT8:
        config = compression.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=LEAST_WEIGHTS)
        return compression.linear_quantize_weights(model, compression.OptimizationConfig(global_config=config))
    if precision is Precision.PALETTIZED:
        palette = compression.OpPalettizerConfig(mode="kmeans", nbits=PALETTE_BITS, weight_threshold=LEAST_WEIGHTS)
        return compression.palettize_weights(model, compression.OptimizationConfig(global_config=palette))
    return model
