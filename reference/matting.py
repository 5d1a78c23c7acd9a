"""Matting, section 4.1 "DoF rendering": a trimap around the mask's boundary, solved by KNN matting [6]."""

from collections.abc import Callable

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.errors import OptionError
from portraiture.reference.knn_band import knn_matte_band

TRIMAP_PX = 10
"""Half width of the unknown band, as in the paper."""


def trimap(mask: Floats, radius_px: float = TRIMAP_PX) -> Floats:
    """Marks the pixels within ``radius_px`` of the segmentation boundary as unknown.

    Distance is to the centre of the nearest pixel on the other side: a band of 10 px is 20 pixels wide. The
    photo's border is no boundary. 10 px is the paper's number, for photos of about 500 pixels; it is not
    scaled here.

    Args:
        mask: HxW in 0..1, person from 0.5 on.
        radius_px: half width of the band, 0 or more; 0 leaves nothing unknown.

    Returns:
        HxW float64: 1 person, 0 background, 0.5 unknown.

    Raises:
        OptionError: the radius is negative.
    """
    if not radius_px >= 0:
        raise OptionError(f"trimap_px: expected 0 or more, found {radius_px}; the paper uses {TRIMAP_PX}")
    person = mask >= 0.5
    result = person.astype(np.float64)
    if person.all() or not person.any():
        return result
    inner, outer = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (person, ~person)
    )
    result[np.maximum(inner, outer) <= radius_px] = 0.5
    return result


def is_solvable(trimap: Floats) -> bool:
    """Whether the trimap has all three parts: something to solve, and both sides to solve it from."""
    return all(bool((trimap == part).any()) for part in (0.0, 0.5, 1.0))


def knn_matte(rgb: Floats, trimap: Floats) -> Floats:
    """KNN matting (Chen, Li, Tang 2013) of the whole photo, by pymatting.

    The solver holds known pixels by a penalty only; here they are exactly 1 and 0. Cost grows with the whole
    photo, about 4 s at 500x300 on one core: it is what ``knn_matte_band`` is tested against.

    Args:
        rgb: HxWx3 float64 in 0..1.
        trimap: HxW of 0, 0.5, 1.

    Returns:
        HxW matte in 0..1. A trimap that is not solvable comes back as it is, unknown pixels at 0.5; ``matte``
        puts the mask there.
    """
    if not is_solvable(trimap):
        return trimap.copy()
    import pymatting  # compiles numba code at its first import

    alpha = np.asarray(pymatting.estimate_alpha_knn(rgb, trimap), dtype=np.float64)
    return np.where(trimap == 0.5, alpha, trimap)


def matte(
    rgb: Floats,
    mask: Floats,
    radius_px: float = TRIMAP_PX,
    solve: Callable[[Floats, Floats], Floats] = knn_matte_band,
) -> Floats:
    """The matte that the renderers composite with.

    Args:
        rgb: HxWx3 float64 in 0..1.
        mask: HxW in 0..1.
        radius_px: of ``trimap``.
        solve: from a photo and a solvable trimap to the matte.

    Returns:
        HxW in 0..1: the matte, solved in the unknown band; or the mask itself where its trimap is not solvable
        (no boundary, or a person so thin that no pixel is surely person).
    """
    parts = trimap(mask, radius_px)
    return solve(rgb, parts) if is_solvable(parts) else mask.copy()
