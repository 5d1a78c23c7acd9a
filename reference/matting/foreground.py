"""Multilevel foreground estimation (Germer et al. 2020): the person's own colour where the matte is soft.

A photo is I = alpha F + (1 - alpha) B. Composited anew with I in place of F, hair keeps a rim of the old background;
with F it does not.
"""

import numpy as np

from portraiture.reference.arrays import Floats, box_around

MARGIN_PX = 16
"""The crop reaches this far beyond the soft pixels, for sure colours on both sides; chosen, not measured."""


def estimate_foreground(image: Floats, alpha: Floats) -> Floats:
    """F of I = alpha F + (1 - alpha) B, solved in the crop around the soft pixels only.

    The equation holds in the space that the photo was composited in: linear light for a camera. In sRGB it is
    an approximation, and the usual one. It trusts that both arrays are of one ``Plan``, and checks nothing.

    Args:
        image: HxWx3 float64 in 0..1.
        alpha: HxW matte in 0..1.

    Returns:
        HxWx3 float64 in 0..1: the estimate where 0 < alpha < 1, to float32; elsewhere the photo itself. An
        alpha without a soft pixel, or with no pixel of 1 to take colour from, returns the photo.
    """
    soft = (alpha > 0) & (alpha < 1)
    foreground = image.copy()
    if not soft.any() or not (alpha == 1).any():
        return foreground
    import pymatting  # compiles numba code at its first import

    box = box_around(soft, MARGIN_PX)
    estimate = np.asarray(pymatting.estimate_foreground_ml(image[box], alpha[box]), dtype=np.float64)
    foreground[box] = np.where(soft[box][..., None], np.clip(estimate, 0.0, 1.0), image[box])
    return foreground
