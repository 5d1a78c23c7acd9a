"""The lens: how large a blur each depth layer gets, section 3.3 before equation (10).

The paper fixes the order only: the person is clear, nothing before the person is blurred, farther layers get
larger disks. Here the radius grows linearly with depth behind the focus, up to the aperture at the farthest:
``layer_radii``. A lens blurs what is nearer than its focus as well: ``lens_radii``, not in the paper.
"""

import math

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.errors import InputError, OptionError

APERTURE_PAPER = 0.016
"""The paper setting: largest disk radius as a share of the image diagonal, 9.3 px at 500x300."""

FOCUS_ON_PERSON = -1.0
"""Where a focus must be a number, a negative one means the person's depth: in exported models and rendered pairs."""

MIN_SPAN = 1e-3
"""Depth behind the focus counts as at least this much: noise of a flat depth must not blur it fully."""


def image_diagonal_px(shape: tuple[int, ...]) -> float:
    """Diagonal of an image of shape (H, W, ...), in pixels."""
    return math.hypot(shape[0], shape[1])


def person_depth(mask: Floats, depth: Floats) -> float:
    """The mask-weighted mean depth, sum_i m_i z_i / sum_i m_i: the default focus.

    Args:
        mask: HxW in 0..1.
        depth: HxW in 0..1.

    Returns:
        The depth of the person.

    Raises:
        InputError: the mask is 0 everywhere.
    """
    total = float(mask.sum())
    if total <= 0:
        raise InputError("mask: expected a person, found none to focus on; give a mask or a focus")
    return float((mask * depth).sum() / total)


def layer_radii(centres: Floats, focus: float, aperture: float, shape: tuple[int, ...]) -> Floats:
    """Disk radius of each depth layer.

    Args:
        centres: K layer depths, larger is farther.
        focus: depth that stays sharp.
        aperture: radius of the farthest layer as a share of the diagonal.
        shape: (H, W, ...) of the image that is blurred.

    Returns:
        K radii in pixels: 0 up to the focus, ``aperture * diagonal`` at the farthest layer (less where it is
        within ``MIN_SPAN`` of the focus).
    """
    span = max(float(centres.max()) - focus, MIN_SPAN)
    share = np.clip((centres - focus) / span, 0.0, 1.0)
    return np.asarray(aperture * image_diagonal_px(shape) * share, dtype=np.float64)


def far_depth(depth: Floats) -> float:
    """Mean depth of the farthest sixth of the depth range: about the centre of the farthest of six layers.

    Args:
        depth: HxW in 0..1.
    """
    low, high = float(depth.min()), float(depth.max())
    share = np.clip(100 * (depth - low - 5 / 6 * (high - low)) / max(high - low, MIN_SPAN), 0.0, 1.0)
    return float((share * depth).mean() / max(float(share.mean()), 1e-5))


def smooth_radii(mask: Floats, depth: Floats, aperture: float, focus: float | None) -> Floats:
    """Disk radius of each pixel without layers: the circle of confusion that the RNN filter is given.

    Args:
        mask, depth: HxW in 0..1.
        aperture: largest radius as a share of the diagonal.
        focus: depth that stays sharp; None: the person's, 0 where there is none.

    Returns:
        HxW radii in pixels: 0 up to the focus, ``aperture * diagonal`` from the farthest layer's centre on.
    """
    if focus is None:
        focus = float((mask * depth).mean() / max(float(mask.mean()), 1e-4))
    share = np.clip((depth - focus) / max(far_depth(depth) - focus, MIN_SPAN), 0.0, 1.0)
    return np.asarray(aperture * image_diagonal_px(depth.shape) * share, dtype=np.float64)


def lens_radii(centres: Floats, focus: float, aperture: float, shape: tuple[int, ...]) -> Floats:
    """Disk radius of each depth layer on both sides of the focus.

    Args:
        centres, focus, aperture, shape: as in ``layer_radii``.

    Returns:
        K radii in pixels: ``aperture * diagonal`` at the layer that is farthest from the focus, in proportion to
        the distance from it elsewhere.
    """
    distance = np.abs(centres - focus)
    share = distance / max(float(distance.max()), MIN_SPAN)
    return np.asarray(aperture * image_diagonal_px(shape) * share, dtype=np.float64)


def depth_at(depth: AnyArray, x: float, y: float) -> float:
    """The depth at a tapped point: the median within 1 % of the longer side around it.

    Args:
        depth: HxW.
        x, y: pixel of the depth map, from its top left corner.

    Raises:
        OptionError: the point lies outside.
    """
    height, width = depth.shape
    column, row = round(x), round(y)
    if not (0 <= column < width and 0 <= row < height):
        raise OptionError(f"focus: expected a point inside the photo ({width}x{height}), found {x:g},{y:g}")
    reach = max(1, round(0.01 * max(height, width)))
    patch = depth[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return float(np.median(patch))
