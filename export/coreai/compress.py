"""Smaller Core AI programs from the fp16 one, by ``coreai-opt``: weights as int8, or as indices into a table.

Both are expanded to fp16 when the model is loaded or run; the arithmetic is fp16 in either, as in Core ML's files.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import nn

from portraiture.export.formats import INT8_LEAST_WEIGHTS, PALETTE_LEAST_WEIGHTS, SENSITIVE_BLOCKS, Precision
from portraiture.export.palette import PALETTE_BITS, palette

KEPT_FP16 = re.compile(rf"encoder\.blocks\.({SENSITIVE_BLOCKS})\.project")
"""These layers stay fp16, whatever their size."""


def kept_weights(network: nn.Module) -> list[np.ndarray]:
    """The weights, in fp16, of the layers of a folded network that stay so."""
    layers = [m for n, m in network.named_modules() if KEPT_FP16.search(n) and isinstance(m, nn.Conv2d)]
    return [layer.weight.detach().half().numpy() for layer in layers]


@contextmanager
def _choosing(kept: list[np.ndarray]) -> Iterator[None]:
    """A block in which ``coreai-opt`` leaves some weights as they are, and makes tables by our own search.

    It knows a weight's size and no name. Its own search compiles C++ on the machine that exports.
    """
    from coreai_opt.coreai_utils._utils.palettize_utils import LutParams
    from coreai_opt.coreai_utils.passes import weight_palettization as by_table
    from coreai_opt.coreai_utils.passes import weight_quantization as by_scale

    chosen, searched = by_scale._should_compress_op, by_table._blockwise_compress

    def choose(op: Any, *rules: Any) -> bool:
        if not chosen(op, *rules):
            return False
        weight = by_scale._get_constant_value_as_np_array(op)
        return not any(np.array_equal(weight, other) for other in kept)

    def search(weight: np.ndarray, **_: Any) -> Any:
        table, index = palette(weight)
        return LutParams(index.reshape(weight.shape), table.reshape(*[1] * weight.ndim, -1, 1), None)

    by_scale._should_compress_op = by_table._should_compress_op = choose
    by_table._blockwise_compress = search
    try:
        yield
    finally:
        by_scale._should_compress_op = by_table._should_compress_op = chosen
        by_table._blockwise_compress = searched


def compressed(program: Any, precision: Precision, kept: list[np.ndarray]) -> Any:
    """An ``AIProgram`` in another precision; for fp32 and fp16 the program itself.

    INT8: w = scale q, one scale per output channel, symmetric. PALETTIZED: w = table[q], one table per layer.

    Args:
        program: computing in fp16; it is left as it is.
        precision: of the weights.
        kept: weights that stay fp16.
    """
    if precision not in (Precision.INT8, Precision.PALETTIZED):
        return program
    from coreai_opt.coreai_utils import DType, palettize_weights, quantize_weights

    with _choosing(kept):  # both count weights above the threshold
        if precision is Precision.INT8:
            return quantize_weights(program, DType.INT8, weight_num_threshold=INT8_LEAST_WEIGHTS - 1)
        least = PALETTE_LEAST_WEIGHTS - 1
        return palettize_weights(program, None, PALETTE_BITS, weight_num_threshold=least, enable_fast_kmeans_mode=False)
