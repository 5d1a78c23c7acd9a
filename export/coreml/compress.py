"""Smaller Core ML packages from the fp16 one: weights as int8, or as indices into a table (palettized).

Both are expanded to fp16 when the model is loaded or run; the arithmetic is fp16 in either, so that recurrences
compute the same as in the fp16 package.
"""

import re
from typing import Any

from portraiture.export.formats import INT8_LEAST_WEIGHTS, PALETTE_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.palette import palette

LEAST_WEIGHTS = {Precision.INT8: INT8_LEAST_WEIGHTS, Precision.PALETTIZED: PALETTE_LEAST_WEIGHTS}
"""A layer of fewer weights stays fp16."""


KEPT_FP16 = re.compile(rf"encoder_blocks_({SENSITIVE_BLOCKS})_project")
"""These layers stay fp16, whatever their size."""


def compress(model: Any, precision: Precision) -> Any:
    """A converted ``MLModel`` in another precision; for fp32 and fp16 the conversion's own result.

    INT8: w = scale q, one scale per output channel, symmetric. PALETTIZED: w = table[q], one table per layer.
    """
    if precision not in (Precision.INT8, Precision.PALETTIZED):
        return model
    import coremltools.optimize.coreml as optimize

    least = LEAST_WEIGHTS[precision]
    layers = optimize.get_weights_metadata(model, weight_threshold=least)
    kept = {name: None for name in layers if KEPT_FP16.search(name)}
    if precision is Precision.INT8:
        linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=least)
        return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(linear, op_name_configs=kept))
    table = optimize.OpPalettizerConfig(mode="custom", lut_function=palette, weight_threshold=least)
    return optimize.palettize_weights(model, optimize.OptimizationConfig(table, op_name_configs=kept))
