"""MIL operations that work element by element: arithmetic, comparison, activations, cast, select.

Parameter names are MIL's own. Two-input operations broadcast as NumPy does.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.faults import cannot_run

_CAST_INTEGERS = {
    "int8": (torch.int8, -(2**7), 2**7 - 1),
    "uint8": (torch.uint8, 0, 2**8 - 1),
    "int16": (torch.int16, -(2**15), 2**15 - 1),
    "uint16": (torch.int32, 0, 2**16 - 1),
    "int32": (torch.int32, -(2**31), 2**31 - 1),
}


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """An operation of one input ``x``."""

    def operation(x: Tensor) -> Tensor:
        return function(x)

    return operation


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An operation of two inputs ``x`` and ``y``."""

    def operation(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y)

    return operation


def inverse(x: Tensor, epsilon: float = 1e-4) -> Tensor:
    """y = 1 / (x + epsilon): not the exact reciprocal, which is why models write ``1 / x`` as a division."""
    return 1 / (x + epsilon)


def rsqrt(x: Tensor, epsilon: float = 1e-12) -> Tensor:
    """y = 1 / sqrt(x + epsilon)."""
    return torch.rsqrt(x + epsilon)


def log(x: Tensor, epsilon: float = 1e-45) -> Tensor:
    """y = ln(x + epsilon)."""
    return torch.log(x + epsilon)


def real_div(x: Tensor, y: Tensor) -> Tensor:
    """y = x / y for floats; MIL does not document how integers round."""
    if not x.is_floating_point():
        raise cannot_run("real_div", "floats", "integers, whose rounding MIL does not document")
    return x / y


def floor_div(x: Tensor, y: Tensor) -> Tensor:
    """y = floor(x / y), towards minus infinity."""
    return torch.div(x, y, rounding_mode="floor")


def clip(x: Tensor, alpha: float, beta: float) -> Tensor:
    """y = min(max(x, alpha), beta).

    Args:
        x: any shape.
        alpha, beta: least and largest value.
    """
    return torch.clamp(x, alpha, beta)


def threshold(x: Tensor, alpha: float) -> Tensor:
    """y = max(x, alpha)."""
    return torch.clamp(x, min=alpha)


def thresholded_relu(x: Tensor, alpha: float) -> Tensor:
    """y = x where x >= alpha, else 0."""
    return torch.where(x >= alpha, x, torch.zeros_like(x))


def clamped_relu(x: Tensor, alpha: float, beta: float) -> Tensor:
    """y = min(beta, x) where x >= 0, else min(beta, alpha x).

    Args:
        x: any shape.
        alpha: slope below 0.
        beta: largest value.
    """
    return torch.clamp(torch.where(x >= 0, x, alpha * x), max=beta)


def leaky_relu(x: Tensor, alpha: float) -> Tensor:
    """y = x where x >= 0, else alpha x."""
    return F.leaky_relu(x, alpha)


def elu(x: Tensor, alpha: float) -> Tensor:
    """y = x where x > 0, else alpha (exp(x) - 1)."""
    return F.elu(x, alpha)


def prelu(x: Tensor, alpha: Tensor) -> Tensor:
    """y = x where x > 0, else alpha_c x, with one alpha per channel (second axis)."""
    return F.prelu(x, alpha)


def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    """y = x Phi(x), exact or in one of two approximations."""
    if mode == "EXACT":
        return F.gelu(x)
    if mode == "TANH_APPROXIMATION":
        return F.gelu(x, approximate="tanh")
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    raise cannot_run("gelu", "mode EXACT, TANH_APPROXIMATION or SIGMOID_APPROXIMATION", mode)


def linear_activation(x: Tensor, alpha: float, beta: float = 0.0) -> Tensor:
    """y = alpha x + beta.

    Args:
        x: any shape.
        alpha: factor.
        beta: summand.
    """
    return alpha * x + beta


def scaled_tanh(x: Tensor, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    """y = alpha tanh(beta x).

    Args:
        x: any shape.
        alpha: factor of the result.
        beta: factor of x.
    """
    return alpha * torch.tanh(beta * x)


def sigmoid_hard(x: Tensor, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """y = min(max(alpha x + beta, 0), 1).

    Args:
        x: any shape.
        alpha: slope.
        beta: value at 0.
    """
    return torch.clamp(alpha * x + beta, 0, 1)


def select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """y = a where cond, else b.

    Args:
        cond: bool; it broadcasts with a and b.
        a, b: of one type.
    """
    return torch.where(cond.bool(), a, b)


def cast(x: Tensor, dtype: str, compute: torch.dtype) -> Tensor:
    """Convert to another type; floats to integers truncate towards zero.

    A cast to fp16 rounds only where the program runs as declared: its output's declared type decides.

    Args:
        x: any shape.
        dtype: MIL's name of the type, such as fp16 or int32.
        compute: type of all floats of the program.
    """
    if dtype in ("fp16", "fp32"):
        return x.to(compute)
    if dtype == "bool":
        return x.bool()
    if dtype not in _CAST_INTEGERS:
        raise cannot_run("cast", f"one of fp16, fp32, bool, {', '.join(_CAST_INTEGERS)}", dtype)
    target, low, high = _CAST_INTEGERS[dtype]
    whole = x.trunc() if x.is_floating_point() else x.to(torch.int64)
    if not bool(((whole >= low) & (whole <= high)).all()):
        raise cannot_run("cast", f"values in {low}..{high} for {dtype}", "others, which MIL does not define")
    return whole.to(target)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "identity": _unary(lambda x: x),
    "abs": _unary(torch.abs),
    "acos": _unary(torch.acos),
    "asin": _unary(torch.asin),
    "atan": _unary(torch.atan),
    "ceil": _unary(torch.ceil),
    "cos": _unary(torch.cos),
    "erf": _unary(torch.erf),
    "exp": _unary(torch.exp),
    "exp2": _unary(torch.exp2),
    "floor": _unary(torch.floor),
    "logical_not": _unary(torch.logical_not),
    "relu": _unary(F.relu),
    "relu6": _unary(F.relu6),
    "round": _unary(torch.round),  # halves to even, as NumPy
    "sigmoid": _unary(torch.sigmoid),
    "sign": _unary(torch.sign),
    "silu": _unary(F.silu),
    "sin": _unary(torch.sin),
    "softplus": _unary(F.softplus),
    "softsign": _unary(F.softsign),
    "sqrt": _unary(torch.sqrt),
    "square": _unary(torch.square),
    "tan": _unary(torch.tan),
    "tanh": _unary(torch.tanh),
    "inverse": inverse,
    "rsqrt": rsqrt,
    "log": log,
    "clip": clip,
    "threshold": threshold,
    "thresholded_relu": thresholded_relu,
    "clamped_relu": clamped_relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "prelu": prelu,
    "gelu": gelu,
    "linear_activation": linear_activation,
    "scaled_tanh": scaled_tanh,
    "sigmoid_hard": sigmoid_hard,
    "add": _binary(torch.add),
    "sub": _binary(torch.sub),
    "mul": _binary(torch.mul),
    "real_div": real_div,
    "floor_div": floor_div,
    "mod": _binary(torch.remainder),  # the sign of y, as Python's %
    "pow": _binary(torch.pow),
    "maximum": _binary(torch.maximum),
    "minimum": _binary(torch.minimum),
    "equal": _binary(torch.eq),
    "not_equal": _binary(torch.ne),
    "less": _binary(torch.lt),
    "less_equal": _binary(torch.le),
    "greater": _binary(torch.gt),
    "greater_equal": _binary(torch.ge),
    "logical_and": _binary(torch.logical_and),
    "logical_or": _binary(torch.logical_or),
    "logical_xor": _binary(torch.logical_xor),
    "select": select,
    "cast": cast,
}
