"""Which depth is sharp: the person's, or that of a tapped point."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.errors import InputError, OptionError

FOCUS_ON_PERSON = -1.0
"""Where a focus must be a number, a negative one means the person's depth: in exported models and rendered pairs."""


TAP_REACH = 0.01
"""A tapped point's depth is the median this far around it, a share of the photo's longer side. Chosen, not measured."""


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


def depth_at(depth: AnyArray, x: float, y: float) -> float:
    """The depth at a tapped point: the median within 1 % of the longer side around it.

    Args:
        depth: HxW, larger is farther.
        x: column of the point in pixels of the depth map, from its left edge.
        y: row of the point in pixels, from its top edge.

    Raises:
        OptionError: the point lies outside.
    """
    height, width = depth.shape
    column, row = round(x), round(y)
    if not (0 <= column < width and 0 <= row < height):
        where = f"inside the photo ({width}x{height}), found {x:g},{y:g}"
        raise OptionError(f"focus: expected a point {where}; count pixels from its top left corner")
    reach = max(1, round(TAP_REACH * max(height, width)))
    patch = depth[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return float(np.median(patch))


@dataclass(frozen=True)
class LensSetup:
    """Which of the depth layers a lens blurs, by how much, and where the person stands among them.

    Attributes:
        radii_px: K disk radii in pixels, near to far.
        person_layer: the first layer behind the person, 0..K; the person hides it and all farther ones.
        focus_layer: the first layer that is not nearer than the focus, 0..K.
        person_radius_px: radius of the person's blur in pixels, 0 where the focus is on the person.
    """

    radii_px: Floats
    person_layer: int = 0
    focus_layer: int = 0
    person_radius_px: float = 0.0
