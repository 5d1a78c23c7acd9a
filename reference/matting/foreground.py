"""Multilevel foreground estimation (Germer et al. 2020): the person's own colour where the matte is soft.

A photo is I = alpha F + (1 - alpha) B. Composited anew with I in place of F, hair keeps a rim of the old background;
with F it does not.
"""

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, as_map, as_rgb

MARGIN_PX = 16
"""The crop reaches so far beyond the soft pixels, for sure colours on both sides."""


def estimate_foreground(rgb: AnyArray, alpha: AnyArray) -> Floats:
    """F of I = alpha F + (1 - alpha) B, solved in the crop around the soft pixels only.

    The equation holds in the space that the photo was composited in: linear light for a camera. In sRGB it is
    an approximation, and the usual one.

    Args:
        rgb: HxWx3, float in 0..1 or uint8.
        alpha: HxW matte in 0..1.

    Returns:
        HxWx3 float64 in 0..1: the estimate where 0 < alpha < 1, to float32; elsewhere the photo itself. An
        alpha without a soft pixel, or with no pixel of 1 to take colour from, returns the photo.

    Raises:
        InputError: an array is not what it must be.
    """
    image = as_rgb(rgb)
    matte = as_map("alpha", alpha, (image.shape[0], image.shape[1]))
    soft = (matte > 0) & (matte < 1)
    foreground = image.copy()
    if not soft.any() or not (matte == 1).any():
        return foreground
    import pymatting  # compiles numba code at its first import

    y, x = np.nonzero(soft)
    box = tuple(slice(max(int(c.min()) - MARGIN_PX, 0), int(c.max()) + MARGIN_PX + 1) for c in (y, x))
    estimate = np.asarray(pymatting.estimate_foreground_ml(image[box], matte[box]), dtype=np.float64)
    foreground[box] = np.where(soft[box][..., None], np.clip(estimate, 0.0, 1.0), image[box])
    return foreground
