"""The depth at a tapped point: the median of a window that is drawn here pixel by pixel."""

import numpy as np

from portraiture.reference.lens.focus import depth_at


def test_a_tap_takes_the_median_within_one_per_cent_of_the_longer_side() -> None:
    """300x200: three pixels around the point are 7x7; of these 49 pixels 5x5 are just more than half."""
    depth = np.zeros((300, 200))
    depth[98:103, 48:53] = 0.8
    assert depth_at(depth, x=50, y=100) == 0.8
    assert depth_at(depth.T, x=100, y=50) == 0.8
    depth[98, 48] = 0  # 24 of the 49
    assert depth_at(depth, x=50, y=100) == 0
