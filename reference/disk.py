"""The disk blur kernel, paper 3.3, equation (5)."""

import math

import cv2
import numpy as np


def disk_kernel(radius_px: float) -> np.ndarray:
    """Equation (5) as an array of odd side, float64, summing to 1.

    A radius up to 1 gives the identity, since only the centre lies nearer than it.
    """
    reach = max(0, math.ceil(radius_px) - 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    # w_ij = 1/C where ||p_i - p_j|| < r, 0 otherwise
    inside = (np.hypot(y, x) < radius_px).astype(np.float64)
    if reach == 0:
        inside[:] = 1.0
    return np.asarray(inside / inside.sum())


def disk_sum(image: np.ndarray, radius_px: float) -> np.ndarray:
    """sum_j w_ij I_j over the pixels j inside the image; beyond the border there is nothing (zero).

    Args:
        image: HxW or HxWxC float64.
        radius_px: disk radius.
    """
    kernel = disk_kernel(radius_px)
    if kernel.size == 1:
        return image.copy()
    # the kernel is symmetric: correlation is convolution. OpenCV turns to FFT by itself for large kernels.
    return np.asarray(cv2.filter2D(image, cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT)).reshape(
        image.shape
    )


def disk_blur(image: np.ndarray, radius_px: float) -> np.ndarray:
    """Uniform disk blur; at the border the kernel is normalised over the pixels that exist.

    Args:
        image: HxW or HxWxC float64.
        radius_px: disk radius.
    """
    weight = disk_sum(np.ones(image.shape[:2]), radius_px)
    if image.ndim == 3:
        weight = weight[..., None]
    return np.asarray(disk_sum(image, radius_px) / weight)
