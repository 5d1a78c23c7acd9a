"""The array types of the reference renderer, and the checks that its doors run once: ``render``, ``render_photo``."""

from typing import Any

import numpy as np
import numpy.typing as npt

from portraiture.reference.errors import InputError

Floats = npt.NDArray[np.float64]

Labels = npt.NDArray[np.int64]

Bytes = npt.NDArray[np.uint8]

AnyArray = npt.NDArray[Any]

Bools = npt.NDArray[np.bool_]


ROUNDING = 1e-6
"""A resize can leave 0..1 by its rounding: values outside by up to this are clipped, by more are an error."""


def largest_code(image: AnyArray) -> int:
    """The code of full light in a picture of uint8 or uint16.

    >>> largest_code(np.zeros((2, 2, 3), np.uint8)), largest_code(np.zeros((2, 2, 3), np.uint16))
    (255, 65535)
    """
    return 65535 if image.dtype == np.uint16 else 255


def as_rgb(rgb: AnyArray) -> Floats:
    """A photo as float64.

    Args:
        rgb: HxWx3 sRGB, uint8 or uint16, or float in 0..1.

    Returns:
        HxWx3 float64 in 0..1; codes are divided by the largest.

    Raises:
        InputError: another shape or type, a value that is not finite or outside 0..1.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise InputError(f"rgb: expected an HxWx3 array, found shape {rgb.shape}; pass an RGB photo, not gray or RGBA")
    if rgb.dtype in (np.uint8, np.uint16):
        return rgb.astype(np.float64) / largest_code(rgb)
    _check_range("rgb", rgb)
    return np.clip(rgb.astype(np.float64), 0.0, 1.0)


def as_map(name: str, array: AnyArray, shape: tuple[int, int]) -> Floats:
    """A mask, matte or depth as float64.

    Args:
        name: the word that the error message uses.
        array: HxW, float in 0..1 or bool.
        shape: (H, W) of the photo.

    Returns:
        HxW float64 in 0..1.

    Raises:
        InputError: another shape or type, a value that is not finite or outside 0..1.
    """
    check_map(name, array, shape)
    return np.clip(array.astype(np.float64), 0.0, 1.0)


def check_map(name: str, array: AnyArray, shape: tuple[int, int]) -> None:
    """Raises as ``as_map`` does, and makes no copy: for maps of many megapixels.

    Args:
        name: the word that the error message uses.
        array: HxW, float in 0..1 or bool.
        shape: (H, W) of the photo.
    """
    if array.shape != shape:
        raise InputError(f"{name}: expected the photo's shape {shape}, found {array.shape}; resize the {name} first")
    if array.dtype != np.bool_:
        _check_range(name, array)


def _check_range(name: str, array: AnyArray) -> None:
    if array.dtype.kind != "f":
        raise InputError(
            f"{name}: expected float values in 0..1, found {array.dtype}; divide by the largest code first"
        )
    low, high = float(array.min()), float(array.max())  # NaN fails the comparison below
    if not (low >= -ROUNDING and high <= 1.0 + ROUNDING):
        raise InputError(f"{name}: expected finite values in 0..1, found {low:.6g}..{high:.6g}; rescale it to 0..1")


def person_pixels(mask: AnyArray) -> Bools:
    """Where a mask or a matte of any shape, in 0..1, shows the person: from one half on."""
    return np.asarray(mask >= 0.5, dtype=np.bool_)


def box_around(pixels: Bools, margin_px: int) -> tuple[slice, slice]:
    """The rows and the columns that hold all true pixels, at least one, and a margin inside the picture.

    >>> box_around(np.array([[False, False], [False, True], [False, False]]), 0)
    (slice(1, 2, None), slice(1, 2, None))
    """
    rows, columns = (
        slice(max(int(places.min()) - margin_px, 0), int(places.max()) + margin_px + 1) for places in np.nonzero(pixels)
    )
    return rows, columns
