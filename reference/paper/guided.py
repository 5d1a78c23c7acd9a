"""Guided disk blur, section 3.3, equation (6): only background enters it, the person does not bleed out."""

import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.paper.disk import disk_kernel, weighted_sums

MIN_BACKGROUND = 1e-9
"""A mean background share below this counts as 0; the rounding of the large-kernel filter, 1e-16, is far below."""


def guided_blur(rgb: Floats, mask: Floats, radius_px: float) -> Floats:
    """sum_j w^_ij(m) I_j.

    Where no background is within reach the sum is 0/0; the input pixel is returned there. The renderers hide
    it: such a pixel has m_i = 1.

    Args:
        rgb: HxWx3 float64.
        mask: HxW in 0..1, 1 is the person.
        radius_px: disk radius in pixels; up to 1 returns a copy of the input.

    Returns:
        HxWx3 float64.
    """
    kernel = disk_kernel(radius_px)
    if kernel.size == 1:
        return rgb.copy()
    background = 1.0 - mask[..., None]  # HxW -> HxWx1
    sums = weighted_sums(np.concatenate([rgb * background, background], axis=2), kernel)  # HxWx4
    total = sums[..., 3:]  # HxWx1
    # (6)  w^_ij(m) = w_ij (1 - m_j) / sum_j w_ij (1 - m_j)
    reached = total > MIN_BACKGROUND
    blurred = sums[..., :3] / np.where(reached, total, 1.0)
    return np.asarray(np.where(reached, blurred, rgb), dtype=np.float64)
