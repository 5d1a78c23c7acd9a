"""The table of MIL operations the interpreter runs, by type.

Constants (``const``) are decoded by :mod:`~portraiture.export.mil.compiler`. Control flow, scatter, random
numbers, recurrent cells and the rest of MIL are absent on purpose: no exported model uses them, and an unknown
operation raises.
"""

from collections.abc import Callable

from torch import Tensor

from portraiture.export.mil import (
    ops_constexpr,
    ops_conv,
    ops_elementwise,
    ops_reduce,
    ops_resize,
    ops_tensor,
)

OPERATIONS: dict[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    **ops_elementwise.OPERATIONS,
    **ops_reduce.OPERATIONS,
    **ops_conv.OPERATIONS,
    **ops_resize.OPERATIONS,
    **ops_tensor.OPERATIONS,
    **ops_constexpr.OPERATIONS,
}
