"""The trimap: sure person, sure background, and the band between them that is solved."""

import cv2
import numpy as np

from portraiture.reference.arrays import Floats, person_pixels
from portraiture.reference.settings import TRIMAP_PX

UNKNOWN = 0.5
"""What a trimap holds where the matte is to be solved."""


def trimap(mask: Floats, radius_px: float = TRIMAP_PX) -> Floats:
    """Marks the pixels within ``radius_px`` of the segmentation boundary as unknown.

    Distance is to the centre of the nearest pixel on the other side: a band of 10 px is 20 pixels wide. The
    photo's border is no boundary. 10 px is the paper's number, for photos of about 500 pixels; it is not
    scaled here. Both arguments are trusted: ``render`` has checked the mask, ``RenderSettings`` the radius.

    Args:
        mask: HxW in 0..1, person from 0.5 on.
        radius_px: half width of the band, 0 or more; 0 leaves nothing unknown.

    Returns:
        HxW float64: 1 person, 0 background, 0.5 unknown.
    """
    person = person_pixels(mask)
    result = person.astype(np.float64)
    if person.all() or not person.any():
        return result
    inner, outer = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (person, ~person)
    )
    result[np.maximum(inner, outer) <= radius_px] = UNKNOWN
    return result


def is_solvable(trimap: Floats) -> bool:
    """Whether the trimap has all three parts: something to solve, and both sides to solve it from."""
    return all(bool((trimap == part).any()) for part in (0.0, UNKNOWN, 1.0))
