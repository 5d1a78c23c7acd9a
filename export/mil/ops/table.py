"""The table of MIL operations the interpreter runs, by type.

Constants (``const``) are decoded by :mod:`~portraiture.export.mil.compiler`. Control flow, scatter, random
numbers, recurrent cells and the rest of MIL are absent on purpose: no exported model uses them, and an unknown
operation raises.
"""

from collections.abc import Callable

from torch import Tensor

from portraiture.export.mil.ops import constexpr as ops_constexpr
from portraiture.export.mil.ops import conv as ops_conv
from portraiture.export.mil.ops import elementwise as ops_elementwise
from portraiture.export.mil.ops import reduce as ops_reduce
from portraiture.export.mil.ops import resize as ops_resize
from portraiture.export.mil.ops import tensor as ops_tensor

OPERATIONS: dict[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    **ops_elementwise.OPERATIONS,
    **ops_reduce.OPERATIONS,
    **ops_conv.OPERATIONS,
    **ops_resize.OPERATIONS,
    **ops_tensor.OPERATIONS,
    **ops_constexpr.OPERATIONS,
}

CHOOSE = frozenset(
    [
        "concat", "stack", "split", "slice_by_index", "slice_by_size", "pad", "crop", "reshape", "transpose",
        "expand_dims", "squeeze", "reverse", "tile", "gather", "pixel_shuffle", "pixel_unshuffle", "fill",
        "fill_like", "identity", "abs", "sign", "relu", "relu6", "clip", "threshold", "thresholded_relu",
        "maximum", "minimum", "select", "max_pool", "reduce_max", "reduce_min", "upsample_nearest_neighbor",
        "resize_nearest_neighbor",
    ]
)  # fmt: skip
"""Operations whose results are elements of their inputs, or 0, 1, 6 or infinity, each perhaps without its sign.

Of inputs that are binary16 values they give binary16 values: there is nothing to round.
"""
