"""The iris: disk or regular polygon, and the normalised convolution with it.

No equation of the paper: equation (5) has disks only. The border is as in ``disk``: pixels outside the photo do
not exist, and the kernel is renormalised over the pixels inside.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.paper.disk import disk_kernel

SUPERSAMPLE = 16
"""Samples along each side of a pixel that an edge of the polygon crosses. Chosen, not measured."""


@dataclass(frozen=True)
class Iris:
    """The shape of a lens's opening. ``RenderSettings`` has checked both values.

    Attributes:
        blades: 0 for the disk of (5), or 5..9 for a regular polygon.
        rotation_deg: as in ``iris_kernel``.
    """

    blades: int = 0
    rotation_deg: float = 0.0

    def kernel(self, radius_px: float, inverted: bool = False) -> Floats:
        """``iris_kernel`` of this iris; ``inverted`` for a point that is nearer than the focus."""
        return iris_kernel(radius_px, self.blades, self.rotation_deg + (180.0 if inverted else 0.0))


def iris_kernel(radius_px: float, blades: int = 0, rotation_deg: float = 0.0) -> Floats:
    """What a bright point becomes: the point spread function, to be convolved with, not correlated.

    A point behind the focus shows the iris as the photographer sees it through the lens, upright; that is this
    kernel. A point nearer than the focus shows it inverted: add a half turn, ``rotation_deg + 180``. The two differ
    for odd blade counts only. It trusts the radius of a ``Plan`` and the other two of ``RenderSettings``.

    Args:
        radius_px: radius of the disk in pixels, or of the disk that has the polygon's area; finite, 0 or more. Up
            to 1 gives the 1x1 identity, as in (5).
        blades: 0 for the disk of (5), without antialiasing; 5..9 for a regular polygon, antialiased.
        rotation_deg: how far the polygon is turned, in degrees, counter-clockwise as seen in the photo; at 0 a corner
            points up. Of no effect on the disk.

    Returns:
        (2R+1)x(2R+1) float64 that sums to 1.
    """
    disk = disk_kernel(radius_px)
    return disk if blades == 0 or radius_px <= 1 else _polygon_kernel(radius_px, blades, rotation_deg)


def _polygon_kernel(radius_px: float, blades: int, rotation_deg: float) -> Floats:
    # n/2 R^2 sin(2 pi/n) = pi r^2: R, the corners' distance, of equal area; the edges' distance is R cos(pi/n)
    corner_px = radius_px * math.sqrt(2 * math.pi / (blades * math.sin(2 * math.pi / blades)))
    edge_px = corner_px * math.cos(math.pi / blades)
    turn = math.radians(rotation_deg % (360 / blades))
    normals = math.pi / 2 + turn + (2 * np.arange(blades) + 1) * math.pi / blades  # corners at 90 deg, edges between
    reach = math.ceil(corner_px - 0.5)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)

    def beyond(across: Floats, down: Floats) -> Floats:
        """Distance beyond the edge that is exceeded most, negative inside; rows grow downwards."""
        out: Floats = np.full(across.shape, -np.inf)
        for angle in normals:
            np.maximum(out, across * math.cos(angle) - down * math.sin(angle) - edge_px, out=out)
        return out

    distance = beyond(x, y)
    kernel = (distance < 0).astype(np.float64)
    crossed = np.abs(distance) <= math.sqrt(0.5)  # an edge can cross these pixels, and no others
    step = (np.arange(SUPERSAMPLE) + 0.5) / SUPERSAMPLE - 0.5
    # N -> NxSxS -> N: the share of each crossed pixel that is inside
    across = x[crossed][:, None, None] + step[None, None, :] + 0 * step[None, :, None]
    down = y[crossed][:, None, None] + step[None, :, None] + 0 * step[None, None, :]
    kernel[crossed] = (beyond(across, down) < 0).mean(axis=(1, 2))
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def convolve(values: Floats, kernel: Floats) -> Floats:
    """sum_j k_(i-j) v_j with zeros outside the photo.

    Args:
        values: HxW or HxWxC.
        kernel: odd-sized, of any shape; OpenCV correlates, so it is turned by a half turn first.

    Returns:
        The shape of ``values``, float64.
    """
    turned = np.ascontiguousarray(kernel[::-1, ::-1])
    sums = cv2.filter2D(np.ascontiguousarray(values), cv2.CV_64F, turned, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(sums, dtype=np.float64).reshape(values.shape)
