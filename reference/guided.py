"""The blur kernel guided by the mask, paper 3.3, equation (6): only background enters the blur."""

import numpy as np

from portraiture.reference.disk import disk_kernel, disk_sum

_MIN_WEIGHT = 1e-9


def guided_blur(rgb: np.ndarray, mask: np.ndarray, radius_px: float) -> np.ndarray:
    """sum_j w^_ij(m) I_j for every pixel i.

    Where no background lies within reach the kernel is undefined; such a pixel keeps its own colour. It lies deep
    inside the person, where (4) and (10) hide it.

    Args:
        rgb: HxWxC float64.
        mask: HxW in 0..1, the person.
        radius_px: disk radius.
    """
    if disk_kernel(radius_px).size == 1:
        return rgb.copy()
    background = 1.0 - mask
    # w^_ij(m) = w_ij (1 - m_j) / sum_j w_ij (1 - m_j)
    weight = disk_sum(background, radius_px)[..., None]
    blurred = disk_sum(rgb * background[..., None], radius_px)
    seen = weight > _MIN_WEIGHT
    return np.where(seen, blurred / np.where(seen, weight, 1.0), rgb)
