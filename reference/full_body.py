"""Whole-body portraits, paper 3.3, equation (10): layers of depth, each with its own kernel."""

import cv2
import numpy as np

from portraiture.reference.guided import guided_blur
from portraiture.reference.lens import image_diagonal_px

FEATHER = 0.003
"""Standard deviation of the feathering Gaussian g as a share of the diagonal: 1.7 px at 500x300."""


def layer_weights(labels: np.ndarray, count: int, sigma_px: float) -> np.ndarray:
    """sum_t g_it 1(l_t = l) for every layer, (H, W, K), summing to 1 over the layers at each pixel."""
    one_hot = (labels[..., None] == np.arange(count)).astype(np.float64)
    if sigma_px <= 0:
        return one_hot
    feathered = np.stack(
        [
            cv2.GaussianBlur(one_hot[..., k], (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
            for k in range(count)
        ],
        2,
    )
    return np.asarray(feathered / feathered.sum(2, keepdims=True))


def render_full_body(
    rgb: np.ndarray,
    alpha: np.ndarray,
    labels: np.ndarray,
    radii_px: np.ndarray,
    sigma_px: float | None = None,
) -> np.ndarray:
    """B_i = m_i I_i + (1 - m_i) sum_l sum_t g_it 1(l_t = l) sum_j w^l_ij(m) I_j.

    Args:
        rgb: HxWx3 float64 0..1.
        alpha: HxW matte.
        labels: HxW layer of each pixel.
        radii_px: (K,) disk radius of each layer.
        sigma_px: of the feathering; default a share of the diagonal.
    """
    sigma = FEATHER * image_diagonal_px(rgb.shape) if sigma_px is None else sigma_px
    weights = layer_weights(labels, len(radii_px), sigma)
    background = np.zeros_like(rgb)
    for k, r in enumerate(radii_px):
        if weights[..., k].any():
            background += weights[..., k, None] * guided_blur(rgb, alpha, float(r))
    m = alpha[..., None]
    return np.asarray(m * rgb + (1 - m) * background)
