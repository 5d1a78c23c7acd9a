"""Matting, section 4.1 "DoF rendering": a trimap around the mask's boundary, solved by KNN matting [6]."""

from collections.abc import Callable

from portraiture.reference.arrays import Floats
from portraiture.reference.matting.knn_band import knn_matte_band
from portraiture.reference.matting.trimap import is_solvable, trimap
from portraiture.reference.settings import TRIMAP_PX


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
        radius_px: half width of the unknown band in pixels, 0 or more.
        solve: makes the matte HxW of a photo HxWx3 and a solvable trimap HxW.

    Returns:
        HxW in 0..1: the matte, solved in the unknown band; or the mask itself where its trimap is not solvable
        (no boundary, or a person so thin that no pixel is surely person).
    """
    parts = trimap(mask, radius_px)
    return solve(rgb, parts) if is_solvable(parts) else mask.copy()
