"""The normalised blur with an iris: what the tests compare kernels by."""

import numpy as np
import pytest

from portraiture.reference.occlusion.iris import convolve
from portraiture.reference.paper.guided import MIN_BACKGROUND


@pytest.fixture(scope="session")
def iris_blur():
    return _iris_blur


def _iris_blur(image, kernel, weight=None):
    """sum_j k_(i-j) w_j I_j / sum_j k_(i-j) w_j, over the pixels inside the photo.

    Args:
        image: HxW or HxWxC float64.
        kernel: odd-sized, sums to 1; the 1x1 kernel returns a copy.
        weight: HxW, 0 or more; None takes 1.

    Returns:
        The shape of ``image``, float64; the input where no weight is within reach.
    """
    if kernel.size == 1:
        return image.copy()
    share = np.ones(image.shape[:2]) if weight is None else weight
    tail = (1,) * (image.ndim - 2)
    total = convolve(share, kernel).reshape(share.shape + tail)  # HxW, or HxWx1
    reached = total > MIN_BACKGROUND
    sums = convolve(image * share.reshape(share.shape + tail), kernel)
    return np.where(reached, sums / np.where(reached, total, 1.0), image)
