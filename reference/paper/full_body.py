"""The renderer for whole-body portraits, section 3.3, equation (10): one blur per depth layer, feathered."""

import math

import cv2
import numpy as np

from portraiture.reference.arrays import Floats, Labels
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.paper.guided import guided_blur

FEATHER_SHARE = 0.005
"""Default sigma of the Gaussian g as a share of the diagonal, 2.9 px at 500x300. The paper states none; chosen."""


TRUNCATION = 4.0
"""g is cut at this many sigmas along each axis, where it has fallen to 0.0003."""


def layer_weights(labels: Labels, count: int, feather_px: float) -> Floats:
    """To what degree each pixel belongs to each layer: sum_t g_it 1(l_t = l).

    g is normalised over the pixels inside the photo, so that the weights of a pixel sum to 1.

    Args:
        labels: HxW in 0..count-1.
        count: K, 1 or more.
        feather_px: sigma of g in pixels, 0 or more; 0 leaves the layers hard.

    Returns:
        HxWxK float64.
    """
    hard: Floats = (labels[..., None] == np.arange(count)).astype(np.float64)  # HxWxK
    if feather_px <= 0:
        return hard
    reach = math.ceil(TRUNCATION * feather_px)
    # g is separable: g_it = tap(dy) tap(dx)
    tap: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) / feather_px) ** 2)
    weights = np.empty_like(hard)
    for layer in range(count):
        plane = np.ascontiguousarray(hard[..., layer])
        weights[..., layer] = cv2.sepFilter2D(plane, cv2.CV_64F, tap, tap, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(weights / weights.sum(axis=2, keepdims=True), dtype=np.float64)


def render_full_body(
    rgb: Floats, alpha: Floats, labels: Labels, radii_px: Floats, feather_px: float | None = None
) -> Floats:
    """Equation (10).

    Args:
        rgb: HxWx3 float64 in 0..1.
        alpha: HxW matte in 0..1.
        labels: HxW depth layer of each pixel, 0..K-1, near to far.
        radii_px: K disk radii in pixels, 0 or more.
        feather_px: sigma of g in pixels, 0 or more; None takes ``FEATHER_SHARE`` of the diagonal.

    Returns:
        HxWx3 float64.
    """
    sigma = FEATHER_SHARE * image_diagonal_px(labels.shape) if feather_px is None else feather_px
    weights = layer_weights(labels, radii_px.size, sigma)
    background = np.zeros_like(rgb)
    for layer, radius_px in enumerate(radii_px):
        share = weights[..., layer, None]  # HxWx1
        if share.any():
            background += share * guided_blur(rgb, alpha, float(radius_px))
    # (10)  B_i = m_i I_i + (1 - m_i) sum_l sum_t g_it 1(l_t = l) sum_j w^l_ij(m) I_j
    person = alpha[..., None]  # HxWx1
    return person * rgb + (1.0 - person) * background
