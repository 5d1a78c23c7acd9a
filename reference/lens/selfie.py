"""What a selfie is, and how the full-body renderer makes one: all behind the person is equally far.

Equation (10) with one disk for every layer is (4) with (6). A selfie is therefore a whole body whose depth is 1 - m:
the filter and the composition at the photo's size know one renderer, and need no mode.
"""

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats

SELFIE_COVER = 0.20
"""A selfie's person covers at least this share of the photo; chosen, not measured."""

SELFIE_BOTTOM = 1 / 3
"""A selfie's person covers at least this share of the bottom row; chosen, not measured."""

COVER_SLOPE, BOTTOM_SLOPE = 50.0, 25.0
"""A network decides by ramps of these slopes around both shares: steps would make a rounding of the mask visible.
Chosen, not measured."""


def fills_the_frame(mask: AnyArray) -> bool:
    """Whether the person of a mask HxW in 0..1 covers a selfie's share of the photo and of its bottom row.

    Both are means of the mask, as in the network's decision: where the rim is half a person, the share of its pixels
    from 0.5 on is another one, and the filter would show what the reference does not.
    """
    return bool(mask.mean() >= SELFIE_COVER and mask[-1].mean() >= SELFIE_BOTTOM)


def selfie_share(mask: Floats) -> float:
    """How far a mask HxW in 0..1 is a selfie's, 0..1: :func:`fills_the_frame` with ramps in place of its steps."""
    cover, bottom = float(mask.mean()), float(mask[-1].mean())
    share = np.clip(0.5 + COVER_SLOPE * (cover - SELFIE_COVER), 0.0, 1.0)
    return float(share * np.clip(0.5 + BOTTOM_SLOPE * (bottom - SELFIE_BOTTOM), 0.0, 1.0))


def scene_depth(mask: Floats, depth: Floats, focus: float | None) -> Floats:
    """The depth that is blurred by: 1 - m of a selfie, the given one otherwise and wherever a focus is chosen.

    Args:
        mask, depth: HxW in 0..1.
        focus: depth that stays sharp; None is the person's.

    Returns:
        HxW in 0..1.
    """
    if focus is not None:
        return depth
    share = selfie_share(mask)
    return share * (1 - mask) + (1 - share) * depth
