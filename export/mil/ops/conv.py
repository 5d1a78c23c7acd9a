"""MIL convolution, transposed convolution and pooling, in one, two or three spatial dimensions.

``pad`` is [before, after] of each spatial dimension, first dimension first; torch's ``F.pad`` has the last first.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.binding import Ints
from portraiture.export.mil.faults import cannot_run

Pads = list[tuple[int, int]]


_CONV: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}

_CONV_TRANSPOSE: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}

_MAX_POOL: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}

_AVG_POOL: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _pairs(pad: Ints | None, dims: int) -> Pads:
    """``pad`` as (before, after) of each spatial dimension."""
    if pad is None:
        return [(0, 0)] * dims
    if len(pad) != 2 * dims:
        raise cannot_run("pad", f"{2 * dims} values", f"{len(pad)}")
    return [(pad[2 * i], pad[2 * i + 1]) for i in range(dims)]


def _torch_pads(pads: Pads) -> list[int]:
    return [value for pair in reversed(pads) for value in pair]


def _padding(pad_type: str, pad: Ints | None, sizes: Ints, kernel: Ints, strides: Ints, dilations: Ints) -> Pads:
    """Padding that a convolution or pooling adds, by ``pad_type``.

    - valid: none; custom: as given;
    - same, same_lower: the output has ceil(size / stride) elements; an odd element goes after, or before.
    """
    if pad_type == "valid":
        return [(0, 0)] * len(kernel)
    if pad_type == "custom":
        return _pairs(pad, len(kernel))
    if pad_type not in ("same", "same_lower"):
        raise cannot_run("pad_type", "valid, custom, same or same_lower", pad_type)
    pads = []
    for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        total = max(0, (-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size)
        small, large = total // 2, total - total // 2
        pads.append((small, large) if pad_type == "same" else (large, small))
    return pads


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Ints | None = None,
    pad_type: str = "valid",
    pad: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Tensor:
    """Convolution (correlation) of N,C,... by weight C_out,C/groups,..., zero padding.

    Args:
        x: (N, C, ...), one to three spatial dimensions.
        weight: (C_out, C / groups, ...).
        bias: (C_out,); default 0.
        strides, dilations: elements, one per spatial dimension; default 1.
        pad_type: valid, custom, same or same_lower.
        pad: elements, for custom.
        groups: number of groups of channels.
    """
    kernel = tuple(weight.shape[2:])
    dims = len(kernel)
    strides, dilations = strides or (1,) * dims, dilations or (1,) * dims
    pads = _padding(pad_type, pad, tuple(x.shape[2:]), kernel, strides, dilations)
    symmetric = tuple(before for before, _ in pads)
    if any(before != after for before, after in pads):
        x, symmetric = F.pad(x, _torch_pads(pads)), (0,) * dims
    result: Tensor = _CONV[dims](x, weight, bias, strides, symmetric, dilations, groups)
    return result


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    pad: Ints | None = None,
    output_shape: Ints | None = None,
    pad_type: str = "valid",
    strides: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Tensor:
    """Transposed convolution by weight C_in,C_out/groups,....

    The full result, (size - 1) stride + (k - 1) dilation + 1 long, is cut: by nothing (valid), by ``pad``
    (custom), or to size x stride, an odd element cut after (same). ``output_shape`` sets the length that is
    kept; elements past the full result receive no input and hold the bias alone.

    Args:
        x: (N, C_in, ...), one to three spatial dimensions.
        weight: (C_in, C_out / groups, ...).
        bias: (C_out,); default 0.
        pad: elements, for custom.
        output_shape: of the whole result.
        pad_type: valid, custom or same.
        strides, dilations: elements, one per spatial dimension; default 1.
        groups: number of groups of channels.
    """
    kernel = tuple(weight.shape[2:])
    sizes = tuple(x.shape[2:])
    dims = len(kernel)
    strides, dilations = strides or (1,) * dims, dilations or (1,) * dims
    full = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(sizes, strides, kernel, dilations, strict=True)]
    if pad_type == "same":
        cut = [f - n * s for f, n, s in zip(full, sizes, strides, strict=True)]
        if min(cut) < 0:
            found = "a smaller one, for which MIL does not document pad_type 'same'"
            raise cannot_run("conv_transpose", "a kernel of at least the stride", found)
        pads = [(c // 2, c - c // 2) for c in cut]
    elif pad_type in ("valid", "custom"):
        pads = _pairs(pad if pad_type == "custom" else None, dims)
    else:
        raise cannot_run("pad_type", "valid, custom or same", pad_type)
    kept = [f - before - after for f, (before, after) in zip(full, pads, strict=True)]
    if output_shape is not None:
        kept = list(output_shape[2:])
    extra = [max(0, before + k - f) for (before, _), k, f in zip(pads, kept, full, strict=True)]
    result: Tensor = _CONV_TRANSPOSE[dims](x, weight, bias, strides, 0, extra, groups, dilations)
    for i in range(dims):
        result = result.narrow(2 + i, pads[i][0], kept[i])
    return result


def _pool_geometry(
    x: Tensor, kernel: Ints, strides: Ints, pad_type: str, pad: Ints | None, ceil_mode: bool
) -> tuple[Pads, Pads]:
    """Declared padding, and what ``ceil_mode`` adds after it so that the last, partial window is computed.

    ceil_mode: outputs = ceil((size + pads - k) / stride) + 1, less one where the last window would start in
    the padding after the input.
    """
    sizes = tuple(x.shape[2:])
    pads = _padding(pad_type, pad, sizes, kernel, strides, (1,) * len(kernel))
    extra = []
    for size, k, stride, (before, after) in zip(sizes, kernel, strides, pads, strict=True):
        padded = size + before + after
        outputs = (padded - k) // stride + 1
        if ceil_mode:
            outputs = -(-(padded - k) // stride) + 1
            if (outputs - 1) * stride >= size + before and before + after > 0:
                outputs -= 1
        extra.append((0, max(0, (outputs - 1) * stride + k - padded)))
    return pads, extra


def max_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Largest element of each window; padding never wins.

    Args:
        x: (N, C, ...), one to three spatial dimensions.
        kernel_sizes, strides: elements, one per spatial dimension; strides default to 1.
        pad_type: valid, custom, same or same_lower.
        pad: elements, for custom.
        ceil_mode: also compute a last, partial window.
    """
    strides = strides or (1,) * len(kernel_sizes)
    pads, extra = _pool_geometry(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    for margin in (pads, extra):
        if any(sum(pair) for pair in margin):
            x = F.pad(x, _torch_pads(margin), value=float("-inf"))
    result: Tensor = _MAX_POOL[len(kernel_sizes)](x, kernel_sizes, strides)
    return result


def avg_pool(
    x: Tensor,
    kernel_sizes: Ints,
    pad_type: str,
    strides: Ints | None = None,
    pad: Ints | None = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Tensor:
    """Mean of each window; padding counts as zeros unless excluded, what ceil_mode adds never counts.

    Args:
        x: (N, C, ...), one to three spatial dimensions.
        kernel_sizes, strides: elements, one per spatial dimension; strides default to 1.
        pad_type: valid, custom, same or same_lower.
        pad: elements, for custom.
        exclude_padding_from_average: padding does not count.
        ceil_mode: also compute a last, partial window.
    """
    strides = strides or (1,) * len(kernel_sizes)
    pads, extra = _pool_geometry(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    counted = torch.ones_like(x[:1, :1])
    counted = F.pad(counted, _torch_pads(pads), value=0.0 if exclude_padding_from_average else 1.0)
    counted = F.pad(counted, _torch_pads(extra))
    x = F.pad(F.pad(x, _torch_pads(pads)), _torch_pads(extra))
    pool = _AVG_POOL[len(kernel_sizes)]
    # mean over the whole window / share of the window that counts
    result: Tensor = pool(x, kernel_sizes, strides) / pool(counted, kernel_sizes, strides)
    return result


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
}
