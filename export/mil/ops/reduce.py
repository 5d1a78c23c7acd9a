"""MIL operations that sum: reductions, softmax, cumulative sums, matrix products, normalisations."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.binding import Ints, Tensors


def _reduction(function: Callable[[Tensor, Ints, bool], Tensor]) -> Callable[..., Tensor]:
    """A reduction over ``axes`` (all of them where not given); integers keep their type."""

    def operation(x: Tensor, axes: Ints | None = None, keep_dims: bool = False) -> Tensor:
        return function(x, tuple(range(x.ndim)) if axes is None else axes, keep_dims).to(x.dtype)

    return operation


def _norm2(x: Tensor, axes: Ints, keep_dims: bool) -> Tensor:
    return x.square().sum(axes, keepdim=keep_dims).sqrt()


def _product(x: Tensor, axes: Ints, keep_dims: bool) -> Tensor:
    for axis in sorted((a % x.ndim for a in axes), reverse=True):
        x = x.prod(axis, keepdim=keep_dims)
    return x


def reduce_argmax(x: Tensor, axis: int = -1, keep_dims: bool = False) -> Tensor:
    """Index of the largest element along an axis, int32.

    Args:
        x: any shape.
        axis: index of the axis.
        keep_dims: keep it with size 1.
    """
    return x.argmax(axis, keepdim=keep_dims).to(torch.int32)


def reduce_argmin(x: Tensor, axis: int = -1, keep_dims: bool = False) -> Tensor:
    """Index of the smallest element along an axis, int32.

    Args:
        x: any shape.
        axis: index of the axis.
        keep_dims: keep it with size 1.
    """
    return x.argmin(axis, keepdim=keep_dims).to(torch.int32)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """y = exp(x) / sum exp(x) along an axis."""
    return torch.softmax(x, axis)


def cumsum(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Cumulative sum along an axis; exclusive starts at 0, reverse runs from the end.

    Args:
        x: any shape.
        axis: index of the axis.
        exclusive: leave out the element itself.
        reverse: sum from the end.
    """
    x = x.flip(axis) if reverse else x
    total = x.cumsum(axis).to(x.dtype)
    if exclusive:
        total = torch.cat([torch.zeros_like(total.narrow(axis, 0, 1)), total.narrow(axis, 0, x.shape[axis] - 1)], axis)
    return total.flip(axis) if reverse else total


def matmul(x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False) -> Tensor:
    """Matrix product over the last two axes, the others broadcast.

    Args:
        x, y: (..., rows, columns).
        transpose_x, transpose_y: exchange the last two axes of one first.
    """
    return torch.matmul(x.mT if transpose_x else x, y.mT if transpose_y else y)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x weight^T + bias.

    Args:
        x: (..., n).
        weight: (m, n).
        bias: (m,); default 0.
    """
    return F.linear(x, weight, bias)


def einsum(values: Tensors, equation: str) -> Tensor:
    """Einstein summation."""
    return torch.einsum(equation, *values)


def batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, each channel (second axis) by itself.

    Args:
        x: (N, C, ...).
        mean, variance: (C,).
        gamma, beta: (C,); default 1 and 0.
        epsilon: added to the variance.
    """
    return F.batch_norm(x, mean, variance, gamma, beta, False, 0.0, epsilon)


def instance_norm(x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-5) -> Tensor:
    """As batch_norm, with mean and variance of each image's channel.

    Args:
        x: (N, C, ...).
        gamma, beta: (C,); default 1 and 0.
        epsilon: added to the variance.
    """
    return F.instance_norm(x, None, None, gamma, beta, True, 0.0, epsilon)


def layer_norm(
    x: Tensor,
    axes: Ints | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta over ``axes``, the shape of gamma and beta.

    Args:
        x: any shape.
        axes: indices of the axes; default all.
        gamma, beta: the sizes of those axes; default 1 and 0.
        epsilon: added to the variance.
    """
    axes = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    mean = x.mean(axes, keepdim=True)
    y = (x - mean) / torch.sqrt((x - mean).square().mean(axes, keepdim=True) + epsilon)
    shape = [x.shape[d] if d in axes else 1 for d in range(x.ndim)]
    y = y if gamma is None else y * gamma.reshape(shape)
    return y if beta is None else y + beta.reshape(shape)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "reduce_sum": _reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "reduce_mean": _reduction(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "reduce_max": _reduction(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "reduce_min": _reduction(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "reduce_prod": _reduction(_product),
    "reduce_sum_square": _reduction(lambda x, axes, keep: x.square().sum(axes, keepdim=keep)),
    "reduce_l1_norm": _reduction(lambda x, axes, keep: x.abs().sum(axes, keepdim=keep)),
    "reduce_l2_norm": _reduction(_norm2),
    "reduce_log_sum_exp": _reduction(lambda x, axes, keep: x.logsumexp(axes, keepdim=keep)),
    "reduce_argmax": reduce_argmax,
    "reduce_argmin": reduce_argmin,
    "softmax": softmax,
    "cumsum": cumsum,
    "matmul": matmul,
    "linear": linear,
    "einsum": einsum,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "layer_norm": layer_norm,
}
