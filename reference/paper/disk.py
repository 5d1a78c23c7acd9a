"""Disk blur kernel, section 3.3, equation (5).

The border: pixels outside the photo do not exist. The kernel is renormalised over the pixels inside
(normalised convolution), so that a constant photo stays constant and no colour is invented at the edge.
"""

import math

import cv2
import numpy as np

from portraiture.reference.arrays import Floats


def disk_kernel(radius_px: float) -> Floats:
    """The kernel of equation (5). It trusts the radius, which comes from an aperture that is checked.

    Args:
        radius_px: radius r in pixels, finite, not negative, need not be whole. The disk is open: a pixel at exactly
            r is outside, so that every radius up to 1 is the 1x1 identity.

    Returns:
        (2R+1)x(2R+1) float64 that sums to 1, R the largest whole number below r.

    >>> disk_kernel(1.2)
    array([[0. , 0.2, 0. ],
           [0.2, 0.2, 0.2],
           [0. , 0.2, 0. ]])
    """
    reach = max(math.ceil(radius_px) - 1, 0)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    # (5)  w_ij = 1/C if ||p_i - p_j|| < r, else 0
    inside = (np.hypot(y, x) < radius_px).astype(np.float64)
    inside[reach, reach] = 1.0  # r = 0: no pixel is nearer than 0, the identity is meant
    return np.asarray(inside / inside.sum(), dtype=np.float64)


def weighted_sums(values: Floats, kernel: Floats) -> Floats:
    """sum_j w_ij v_j with zeros outside the photo.

    Args:
        values: HxW or HxWxC.
        kernel: odd-sized, symmetric under a half turn (correlation and convolution are then one).

    Returns:
        The shape of ``values``, float64. OpenCV takes the FFT for kernels above 11x11: rounding about 1e-16.
    """
    sums = cv2.filter2D(np.ascontiguousarray(values), cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(sums, dtype=np.float64).reshape(values.shape)


def disk_blur(image: Floats, radius_px: float) -> Floats:
    """sum_j w_ij I_j, the blur of equation (4), renormalised over the pixels inside the photo.

    Args:
        image: HxW or HxWxC float64.
        radius_px: disk radius in pixels; up to 1 returns a copy.

    Returns:
        The shape of ``image``, float64.
    """
    kernel = disk_kernel(radius_px)
    if kernel.size == 1:
        return image.copy()
    inside = weighted_sums(np.ones(image.shape[:2]), kernel)
    return weighted_sums(image, kernel) / inside.reshape(inside.shape + (1,) * (image.ndim - 2))
