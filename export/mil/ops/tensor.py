"""MIL operations that move elements: slicing, joining, padding, shapes, gathering."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.binding import Ints, Tensors
from portraiture.export.mil.faults import cannot_run


def concat(values: Tensors, axis: int, interleave: bool = False) -> Tensor:
    """Join along an axis; interleaved, element j of input i becomes element j x inputs + i.

    Args:
        values: one or more, equal but for that axis.
        axis: index of the axis.
        interleave: take an element of each input in turns.
    """
    if not interleave:
        return torch.cat(values, axis)
    axis %= values[0].ndim
    return torch.stack(values, axis + 1).flatten(axis, axis + 1)  # ..., n, inputs, ... -> ..., n inputs, ...


def stack(values: Tensors, axis: int) -> Tensor:
    """Join along a new axis."""
    return torch.stack(values, axis)


def split(x: Tensor, axis: int, num_splits: int | None = None, split_sizes: Ints | None = None) -> tuple[Tensor, ...]:
    """Cut along an axis: into the given sizes, or into ``num_splits`` equal parts.

    Args:
        x: any shape.
        axis: index of the axis.
        num_splits: number of equal parts.
        split_sizes: sizes of the parts; they count first.
    """
    if split_sizes is not None:
        return torch.split(x, list(split_sizes), axis)
    if num_splits is None or x.shape[axis] % num_splits:
        raise cannot_run("split", f"parts that divide {x.shape[axis]} evenly", f"{num_splits}")
    return torch.split(x, x.shape[axis] // num_splits, axis)


@lru_cache(maxsize=65536)
def _slices(
    begin: Ints, end: Ints, stride: Ints, begin_mask: Ints, end_mask: Ints, squeeze_mask: Ints
) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """A torch index, and the axes to reverse first (torch has no negative strides).

    A negative stride reads begin, begin - |s|, ... down to before end. On the reversed axis, position p is -1 - p.
    """
    index: list[Any] = []
    reversed_axes = []
    for axis in range(len(begin)):
        if squeeze_mask[axis]:
            index.append(begin[axis])
            continue
        first = None if begin_mask[axis] else begin[axis]
        last = None if end_mask[axis] else end[axis]
        if stride[axis] < 0:
            reversed_axes.append(axis)
            first = None if first is None else -1 - first
            last = None if last is None else -1 - last
        index.append(slice(first, last, abs(stride[axis])))
    return tuple(index), tuple(reversed_axes)


def slice_by_index(
    x: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints | None = None,
    begin_mask: Ints | None = None,
    end_mask: Ints | None = None,
    squeeze_mask: Ints | None = None,
) -> Tensor:
    """NumPy's x[begin:end:stride] along each axis; masked ends are left open, a squeezed axis is indexed by begin.

    Args:
        x: any shape.
        begin, end, stride: one per axis; stride defaults to 1.
        begin_mask, end_mask: where 1, that end is open.
        squeeze_mask: where 1, the axis goes.
    """
    none = (0,) * x.ndim
    index, reversed_axes = _slices(
        begin, end, stride or (1,) * x.ndim, begin_mask or none, end_mask or none, squeeze_mask or none
    )
    if reversed_axes:
        x = x.flip(reversed_axes)
    return x[index]


def slice_by_size(x: Tensor, begin: Ints, size: Ints) -> Tensor:
    """``size`` elements from ``begin`` along each axis; -1 takes all that remain.

    Args:
        x: any shape.
        begin, size: one per axis.
    """
    for axis, (first, count) in enumerate(zip(begin, size, strict=True)):
        x = x.narrow(axis, first, x.shape[axis] - first if count == -1 else count)
    return x


def pad(x: Tensor, pad: Ints, mode: str = "constant", constant_val: float = 0.0) -> Tensor:
    """Pad the last axes by [before, after] each; with a constant, by reflection, or by the edge value.

    Args:
        x: any shape.
        pad: elements, [before, after] of each of the last axes.
        mode: constant, reflect or replicate.
        constant_val: of the new elements.
    """
    if mode not in ("constant", "reflect", "replicate"):
        raise cannot_run("pad", "mode constant, reflect or replicate", mode)
    # torch: last axis first, and none of the leading axes that stay as they are
    amounts = [value for i in range(len(pad) - 2, -1, -2) for value in pad[i : i + 2]]
    while amounts and amounts[-2:] == [0, 0]:
        del amounts[-2:]
    if not amounts:
        return x
    if mode == "constant":
        return F.pad(x, amounts, value=constant_val)
    return F.pad(x, amounts, mode=mode)


def crop(x: Tensor, crop_height: Ints, crop_width: Ints) -> Tensor:
    """Cut elements off the last two axes: [before, after] each.

    Args:
        x: (..., H, W).
        crop_height, crop_width: elements, [before, after] each.
    """
    height, width = x.shape[-2], x.shape[-1]
    return x[..., crop_height[0] : height - crop_height[1], crop_width[0] : width - crop_width[1]]


def reshape(x: Tensor, shape: Ints) -> Tensor:
    """New shape, same order; 0 keeps an axis, one -1 takes what remains."""
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)])


def transpose(x: Tensor, perm: Ints) -> Tensor:
    """Permute the axes."""
    return x.permute(perm)


def expand_dims(x: Tensor, axes: Ints) -> Tensor:
    """Insert axes of size 1 at these places of the result."""
    rank = x.ndim + len(axes)
    for axis in sorted(a % rank for a in axes):
        x = x.unsqueeze(axis)
    return x


def squeeze(x: Tensor, axes: Ints | None = None) -> Tensor:
    """Remove axes of size 1; an axis of another size stays, as in torch."""
    return x.squeeze() if axes is None else x.squeeze(axes)


def reverse(x: Tensor, axes: Ints | None = None) -> Tensor:
    """Reverse the order along axes (all where not given)."""
    return x.flip(tuple(range(x.ndim)) if axes is None else axes)


def tile(x: Tensor, reps: Ints) -> Tensor:
    """Repeat ``reps[k]`` times along axis k."""
    return x.tile(reps)


def gather(x: Tensor, indices: Tensor, axis: int = 0, batch_dims: int = 0, validate_indices: bool = False) -> Tensor:
    """Elements of an axis by index: shape x[:axis] + indices + x[axis + 1:].

    Args:
        x: any shape.
        indices: integers of any shape; negative ones count from the end.
        axis: index of the axis.
        batch_dims: 0.
        validate_indices: not needed; an index outside raises.
    """
    if batch_dims:
        raise cannot_run("gather", "batch_dims 0", f"{batch_dims}")
    axis %= x.ndim
    index = indices.long()
    index = torch.where(index < 0, index + x.shape[axis], index)
    taken = x.index_select(axis, index.reshape(-1))
    return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """N, C f^2, H, W -> N, C, H f, W f, as torch."""
    return F.pixel_shuffle(x, upscale_factor)


def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """N, C, H f, W f -> N, C f^2, H, W, as torch."""
    return F.pixel_unshuffle(x, downscale_factor)


def shape(x: Tensor) -> Tensor:
    """Sizes of all axes, int32."""
    return torch.tensor(x.shape, dtype=torch.int32)


def fill(shape: Ints, value: Tensor) -> Tensor:
    """A tensor of one value."""
    return value.expand(shape)


def fill_like(ref_tensor: Tensor, value: Tensor) -> Tensor:
    """A tensor of one value, shaped as another."""
    return value.expand(ref_tensor.shape)


def range_1d(start: Tensor, end: Tensor, step: Tensor) -> Tensor:
    """start, start + step, ... before end.

    Args:
        start, end, step: scalars of one type.
    """
    return torch.arange(start.item(), end.item(), step.item(), dtype=start.dtype)


OPERATIONS: dict[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    "concat": concat,
    "stack": stack,
    "split": split,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "pad": pad,
    "crop": crop,
    "reshape": reshape,
    "transpose": transpose,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "reverse": reverse,
    "tile": tile,
    "gather": gather,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "shape": shape,
    "fill": fill,
    "fill_like": fill_like,
    "range_1d": range_1d,
}
