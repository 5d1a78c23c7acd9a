"""Selfies, paper 3.3, equation (4) with the guided kernel (6): the background is always farther than the person."""

import numpy as np

from portraiture.reference.guided import guided_blur


def render_selfie(rgb: np.ndarray, alpha: np.ndarray, radius_px: float) -> np.ndarray:
    """B_i = m_i I_i + (1 - m_i) sum_j w^_ij(m) I_j.

    Args:
        rgb: HxWx3 float64 0..1.
        alpha: HxW matte.
        radius_px: one radius for the whole background.
    """
    m = alpha[..., None]
    return np.asarray(m * rgb + (1 - m) * guided_blur(rgb, alpha, radius_px))
