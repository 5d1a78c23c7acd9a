"""MIL compressed weights (``constexpr_*``, evaluated at load) and 8-bit activations (quantize, dequantize).

iOS 16 forms hold packed bytes and a ``shape``; iOS 18 forms hold sub-byte tensors and block-wise parameters.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from portraiture.export.mil.binding import Ints
from portraiture.export.mil.dtypes import unpack_bits
from portraiture.export.mil.faults import cannot_run

_QUANTIZED = {"int8": (torch.int8, -128, 127), "uint8": (torch.uint8, 0, 255)}


def _along(parameter: Tensor, axis: int, rank: int, compute: torch.dtype) -> Tensor:
    """A scalar, or a vector laid along one axis of a tensor of that rank."""
    if parameter.ndim == 0:
        return parameter.to(compute)
    return parameter.to(compute).reshape([-1 if d == axis % rank else 1 for d in range(rank)])


def _blocks(parameter: Tensor, sizes: torch.Size) -> Tensor:
    """Repeat block-wise parameters to ``sizes``, which each of their sizes divides."""
    for axis, (count, size) in enumerate(zip(parameter.shape, sizes, strict=True)):
        if size % count:
            raise cannot_run("compressed weights", f"blocks that divide {size} evenly", f"{count} blocks")
        if count != size:
            parameter = parameter.repeat_interleave(size // count, axis)
    return parameter


def constexpr_affine_dequantize(
    quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: int, compute: torch.dtype
) -> Tensor:
    """w = scale (q - zero_point), both scalars or vectors along an axis.

    Args:
        quantized_data: int8 or uint8, any shape.
        zero_point, scale: scalars, or one per element of the axis.
        axis: that the vectors lie along.
        compute: type of the result.
    """
    rank = quantized_data.ndim
    shifted = quantized_data.to(compute) - _along(zero_point, axis, rank, compute)
    return shifted * _along(scale, axis, rank, compute)


def constexpr_blockwise_shift_scale(
    data: Tensor, scale: Tensor, compute: torch.dtype, offset: Tensor | None = None
) -> Tensor:
    """w = scale (q - offset), one scale per block of data.shape / scale.shape elements.

    Args:
        data: integers, any shape.
        scale: as many axes; each of its sizes divides that of data.
        compute: type of the result.
        offset: shaped as scale; default 0.
    """
    values = data.to(compute)
    if offset is not None:
        values = values - _blocks(offset, data.shape).to(compute)
    return values * _blocks(scale, data.shape)


def constexpr_lut_to_dense(
    indices: Tensor, lut: Tensor, shape: Ints | None = None, vector_axis: int | None = None
) -> Tensor:
    """w = table[index].

    iOS 16: one table, indices packed with log2(table size) bits each. iOS 18: table of shape
    blocks..., entries, 1; an index looks into its block's table.

    Args:
        indices: uint8; packed bytes where a shape is given (iOS 16).
        lut: the table, or a table per block (iOS 18).
        shape: of the result, for packed indices.
        vector_axis: not supported; entries are scalars.
    """
    if shape is not None:
        count, bits = math.prod(shape), int(math.log2(lut.numel()))
        index = unpack_bits(indices.numpy(), count, bits, signed=False).astype(np.int64)
        return lut[torch.from_numpy(index)].reshape(shape)
    if lut.shape[-1] != 1 or lut.ndim != indices.ndim + 2:
        raise cannot_run("constexpr_lut_to_dense", "scalar entries", f"vectors along axis {vector_axis}")
    block = []
    for axis, (count, size) in enumerate(zip(lut.shape, indices.shape, strict=False)):
        place = _blocks(torch.arange(count), torch.Size([size]))
        block.append(place.reshape([-1 if d == axis else 1 for d in range(indices.ndim)]))
    return lut[..., 0][(*block, indices.long())]


def constexpr_sparse_to_dense(nonzero_data: Tensor, mask: Tensor, shape: Ints | None = None) -> Tensor:
    """w = the next non-zero value where the mask's bit is set, else 0; iOS 16 packs the mask.

    Args:
        nonzero_data: (n,), in order.
        mask: bits; packed bytes where a shape is given (iOS 16).
        shape: of the result, for a packed mask.
    """
    if shape is not None:
        bits = unpack_bits(mask.numpy(), math.prod(shape), 1, signed=False)
        mask = torch.from_numpy(bits).reshape(shape)
    dense = torch.zeros(mask.shape, dtype=nonzero_data.dtype)
    dense[mask.bool()] = nonzero_data
    return dense


def constexpr_cast(source_val: Tensor, output_dtype: str, compute: torch.dtype) -> Tensor:
    """fp16 to fp32.

    Args:
        source_val: fp16, any shape.
        output_dtype: fp32.
        compute: type of the result.
    """
    if output_dtype != "fp32":
        raise cannot_run("constexpr_cast", "output_dtype fp32", output_dtype)
    return source_val.to(compute)


def quantize(
    input: Tensor,
    scale: Tensor,
    output_dtype: str,
    compute: torch.dtype,
    zero_point: Tensor | None = None,
    axis: int = 0,
) -> Tensor:
    """q = clip(round(x / scale) + zero_point), halves to even.

    Args:
        input: floats, any shape.
        scale: scalar, or one per element of the axis.
        output_dtype: int8 or uint8.
        compute: type that it computes in.
        zero_point: shaped as scale; default 0.
        axis: that vectors lie along.
    """
    if output_dtype not in _QUANTIZED:
        raise cannot_run("quantize", "output_dtype int8 or uint8", output_dtype)
    dtype, low, high = _QUANTIZED[output_dtype]
    levels = torch.round(input / _along(scale, axis, input.ndim, compute))
    if zero_point is not None:
        levels = levels + _along(zero_point, axis, input.ndim, compute)
    return levels.clamp(low, high).to(dtype)


def dequantize(
    input: Tensor, scale: Tensor, compute: torch.dtype, zero_point: Tensor | None = None, axis: int = 0
) -> Tensor:
    """x = scale (q - zero_point).

    Args:
        input: int8 or uint8, any shape.
        scale: scalar, or one per element of the axis.
        compute: type of the result.
        zero_point: shaped as scale; default 0.
        axis: that vectors lie along.
    """
    values = input.to(compute)
    if zero_point is not None:
        values = values - _along(zero_point, axis, input.ndim, compute)
    return values * _along(scale, axis, input.ndim, compute)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "constexpr_affine_dequantize": constexpr_affine_dequantize,
    "constexpr_blockwise_shift_scale": constexpr_blockwise_shift_scale,
    "constexpr_lut_to_dense": constexpr_lut_to_dense,
    "constexpr_sparse_to_dense": constexpr_sparse_to_dense,
    "constexpr_cast": constexpr_cast,
    "quantize": quantize,
    "dequantize": dequantize,
}
