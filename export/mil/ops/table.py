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
