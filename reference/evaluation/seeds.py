"""Where the graph cut is sure of person and background."""

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bools, as_map, person_pixels
from portraiture.reference.errors import InputError, OptionError


def seeds_from_mask(coarse_mask: AnyArray, erode_px: float = 15, dilate_px: float = 30) -> tuple[Bools, Bools]:
    """Seeds from a coarse mask: surely person deep inside, surely background far outside.

    Where a side is nowhere that deep its seeds are the half of it that is deepest, by distance. The photo's
    border is no boundary.

    Args:
        coarse_mask: HxW in 0..1 or bool, person from 0.5 on.
        erode_px: person seeds are farther than this from the background, in pixels, 0 or more.
        dilate_px: background seeds are farther than this from the person, in pixels, 0 or more.

    Returns:
        Foreground seeds and background seeds, HxW each, neither empty.

    Raises:
        InputError: not a map, or the mask has no person or no background.
        OptionError: a distance is negative.
    """
    person = person_pixels(as_map("coarse_mask", coarse_mask, coarse_mask.shape[:2]))
    if person.all() or not person.any():
        found = "person" if person.any() else "background"
        raise InputError(f"coarse_mask: expected person and background, found only {found}; use seeds_from_prior")
    if not (erode_px >= 0 and dilate_px >= 0):
        raise OptionError(f"erode_px, dilate_px: expected 0 or more, found {erode_px}, {dilate_px}; try 15, 30")
    return _deep(person, erode_px), _deep(~person, dilate_px)


def _deep(side: Bools, depth_px: float) -> Bools:
    distance = cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance > min(depth_px, float(distance.max()) / 2), dtype=np.bool_)


def seeds_from_prior(shape: tuple[int, int]) -> tuple[Bools, Bools]:
    """Seeds for a selfie without any estimate: an ellipse for the face, a block for the chest, the upper sides.

    Args:
        shape: (H, W), at least 16x16.

    Returns:
        Foreground seeds and background seeds, HxW each.

    Raises:
        InputError: the shape is smaller.
    """
    height, width = shape
    if min(shape) < 16:
        raise InputError(f"shape: expected 16x16 or more, found {shape}; use a larger photo")
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None] + 0.5) / width
    face = ((y - 0.43) / 0.12) ** 2 + ((x - 0.5) / 0.11) ** 2 < 1
    chest = (y > 0.8) & (np.abs(x - 0.5) < 0.15)
    corner = (y < 0.4) & (np.abs(x - 0.5) > 0.46)
    top = (y < 0.03) & (np.abs(x - 0.5) > 0.35)
    return np.asarray(face | chest, dtype=np.bool_), np.asarray(corner | top, dtype=np.bool_)
