"""MIL resizing of the last two axes: separable, by explicit source coordinates.

Output element i of n_out reads the input at coordinate c(i), clamped to [0, n_in - 1]. What differs between
the operations and their modes is c alone.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.faults import cannot_run

Coordinates = Callable[[int, int], Tensor]
"""Source coordinate of each output element, float64, from the two sizes."""


def _aligned(n_in: int, n_out: int) -> Tensor:
    """Corners on corners: c = i (n_in - 1) / (n_out - 1); 0 for one element."""
    return torch.arange(n_out, dtype=torch.float64) * ((n_in - 1) / max(n_out - 1, 1))


def _half_pixel(n_in: int, n_out: int) -> Tensor:
    """Centres of pixels: c = (i + 1/2) n_in / n_out - 1/2."""
    return (torch.arange(n_out, dtype=torch.float64) + 0.5) * (n_in / n_out) - 0.5


def _corner(n_in: int, n_out: int) -> Tensor:
    """Corners of pixels: c = i n_in / n_out."""
    return torch.arange(n_out, dtype=torch.float64) * (n_in / n_out)


def _aligned_or_centre(n_in: int, n_out: int) -> Tensor:
    """As aligned, but one element reads the input's centre."""
    return _aligned(n_in, n_out) if n_out > 1 else torch.full((1,), (n_in - 1) / 2, dtype=torch.float64)


def _offset(n_in: int, n_out: int) -> Tensor:
    """c = (i + 1/2) max(1, n_in - 1) / n_out."""
    return (torch.arange(n_out, dtype=torch.float64) + 0.5) * (max(1, n_in - 1) / n_out)


_SAMPLING = {
    "STRICT_ALIGN_CORNERS": _aligned,
    "ALIGN_CORNERS": _aligned_or_centre,
    "DEFAULT": _corner,  # MIL writes the spacing as (n_in - n_in/n_out) / (n_out - 1), which is n_in/n_out
    "OFFSET_CORNERS": _offset,
    "UNALIGN_CORNERS": _half_pixel,
}


@lru_cache(maxsize=256)
def _taps(coordinates: Coordinates, n_in: int, n_out: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of each output element: lower neighbour, upper neighbour (int64), weight of the upper one (float64)."""
    source = coordinates(n_in, n_out).clamp(0, n_in - 1)
    lower = source.floor().long()
    return lower, (lower + 1).clamp(max=n_in - 1), source - lower


def _linear(x: Tensor, axis: int, n_out: int, coordinates: Coordinates) -> Tensor:
    """Resize one axis (-2 or -1) linearly."""
    lower, upper, weight = _taps(coordinates, x.shape[axis], n_out)
    weight = weight.to(x.dtype).reshape(-1, *[1] * (-axis - 1))  # (n_out,) or (n_out, 1)
    return x.index_select(axis, lower).lerp_(x.index_select(axis, upper), weight)


def _bilinear(x: Tensor, height: int, width: int, coordinates: Coordinates) -> Tensor:
    """Resize the last two axes linearly."""
    factors = (height / x.shape[-2], width / x.shape[-1])
    if coordinates is _half_pixel and all(math.frexp(factor)[0] == 0.5 and factor >= 1 for factor in factors):
        # torch's own, three times as fast, has coordinates in float32: exact where factors are powers of 2
        planes = x.reshape(1, -1, *x.shape[-2:])
        return F.interpolate(planes, (height, width), mode="bilinear").reshape(*x.shape[:-2], height, width)
    return _linear(_linear(x, -1, width, coordinates), -2, height, coordinates)  # few long rows are quickly copied


def upsample_bilinear(
    x: Tensor,
    scale_factor_height: float = 1.0,
    scale_factor_width: float = 1.0,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Tensor:
    """Bilinear to floor(size x factor); the spacing is recomputed from the two sizes.

    ``half_pixel_centers`` defaults to not ``align_corners``.

    Args:
        x: (..., H, W).
        scale_factor_height, scale_factor_width: factors of the sizes.
        align_corners: corners on corners.
        half_pixel_centers: centres of pixels are at 1/2.
    """
    half_pixel = not align_corners if half_pixel_centers is None else half_pixel_centers
    if align_corners and half_pixel:
        raise cannot_run("upsample_bilinear", "align_corners or half_pixel_centers", "both")
    coordinates = _aligned if align_corners else (_half_pixel if half_pixel else _corner)
    height, width = math.floor(x.shape[-2] * scale_factor_height), math.floor(x.shape[-1] * scale_factor_width)
    return _bilinear(x, height, width, coordinates)


def resize_bilinear(
    x: Tensor, target_size_height: int = 1, target_size_width: int = 1, sampling_mode: str = "DEFAULT"
) -> Tensor:
    """Bilinear to a given size, by one of five sampling modes.

    Args:
        x: (..., H, W).
        target_size_height, target_size_width: sizes of the result.
        sampling_mode: one of five names, which choose the coordinates.
    """
    if sampling_mode not in _SAMPLING:
        raise cannot_run("resize_bilinear", f"sampling_mode in {', '.join(_SAMPLING)}", sampling_mode)
    return _bilinear(x, target_size_height, target_size_width, _SAMPLING[sampling_mode])


def _nearest(x: Tensor, axis: int, n_out: int) -> Tensor:
    """c = floor(i n_in / n_out), in whole numbers."""
    n_in = x.shape[axis]
    return x.index_select(axis, torch.arange(n_out) * n_in // n_out)


def upsample_nearest_neighbor(x: Tensor, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0) -> Tensor:
    """Nearest neighbour to floor(size x factor).

    Args:
        x: (..., H, W).
        scale_factor_height, scale_factor_width: factors of the sizes.
    """
    for axis, factor in ((-2, scale_factor_height), (-1, scale_factor_width)):
        x = _nearest(x, axis, math.floor(x.shape[axis] * factor))
    return x


def resize_nearest_neighbor(x: Tensor, target_size_height: int, target_size_width: int) -> Tensor:
    """Nearest neighbour to a given size.

    Args:
        x: (..., H, W).
        target_size_height, target_size_width: sizes of the result.
    """
    return _nearest(_nearest(x, -2, target_size_height), -1, target_size_width)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "upsample_bilinear": upsample_bilinear,
    "resize_bilinear": resize_bilinear,
    "upsample_nearest_neighbor": upsample_nearest_neighbor,
    "resize_nearest_neighbor": resize_nearest_neighbor,
}
