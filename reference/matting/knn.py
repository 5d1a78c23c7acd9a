"""KNN matting of the band (Chen et al. 2013), for photo and mask."""

import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.matting.trimap import UNKNOWN, is_solvable


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
    return np.where(trimap == UNKNOWN, alpha, trimap)
