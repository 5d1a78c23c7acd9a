"""Closed-form matting (Levin, Lischinski, Weiss 2008), an option beside the paper's KNN matting [6].

Solved in the unknown band's bounding box only. The matting Laplacian joins pixels of one 3x3 window, so that nothing
farther than 2 px from an unknown pixel enters the system: the matte is the whole photo's.
"""

from contextlib import redirect_stdout
from io import StringIO

import cv2
import numpy as np

from portraiture.reference.arrays import Floats, box_around
from portraiture.reference.errors import InputError
from portraiture.reference.matting.trimap import UNKNOWN, is_solvable

WINDOW_PX = 2
"""Reach of the Laplacian: the 3x3 windows that hold an unknown pixel reach 2 px from it."""


def closed_form_matte_band(rgb: Floats, trimap: Floats) -> Floats:
    """Solves the unknown pixels; known ones keep their value.

    Args:
        rgb: HxWx3 in 0..1.
        trimap: HxW of 0, 0.5 and 1.

    Returns:
        HxW matte in 0..1. A trimap that is not solvable comes back as it is, unknown pixels at 0.5.

    Raises:
        InputError: the solver finds no solution.
    """
    if not is_solvable(trimap):
        return trimap.copy()
    unknown = trimap == UNKNOWN
    reach = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * WINDOW_PX + 1,) * 2)
    sides = trimap[(cv2.dilate(unknown.astype(np.uint8), reach) > 0) & ~unknown]
    if (sides == sides[0]).all():  # L maps constants to 0: what only one side touches is that side
        return np.where(unknown, sides[0], trimap)
    import pymatting  # compiles numba code at its first import

    box = box_around(unknown, WINDOW_PX)
    try:
        # L_u a_u = -R a_k, L the matting Laplacian of (Levin 2008, 12); conjugate gradients in pymatting
        with redirect_stdout(StringIO()):  # pymatting prints what its preconditioner tries
            solved = np.asarray(pymatting.estimate_alpha_cf(rgb[box], trimap[box]), dtype=np.float64)  # known ones kept
    except ValueError as error:
        raise InputError(f"matting: expected a solution, found none ({error}); check the trimap") from error
    alpha = trimap.copy()
    alpha[box] = solved
    return alpha
