"""The lens: disks of a ladder of fixed radii, and between two of them their mean by the pixel's own radius.

Small disks are laid at full size, larger ones at 1/2 and 1/4: a disk has no detail smaller than itself, and each level
costs a quarter of the one before. A kernel is one plane, shared by all planes of the picture. They begin as the disks
of equation (5) and are learnt on: at 1/2 and 1/4 they make up for what shrinking and enlarging blur as well.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import unit, upsample

FULL, HALF, QUARTER = (1.5, 2.5, 3.7), (5.0, 7.0, 10.25), (14.0, 19.0, 26.0)
"""Radii in pixels of the photo at each level. The largest is that of aperture 0.04 at 512x384.

Mean PSNR against the reference's layers with the reference's own centres, on 9, 4 and 4 held-out photos of whole bodies
at aperture 0.016, 0.008 and 0.04: 51.8, 47.0, 46.3 dB; with 15 rungs 52.4, 47.7, 46.8; with 8 50.2, 45.2, 46.0.
"""

SHARP = 1.0
"""Up to this radius, in pixels, the disk is one pixel."""

_SAMPLES = 9
"""Points per side of a kernel's cell by which the share inside the disk is counted."""


def shrunk_disk(radius_px: float, factor: int) -> np.ndarray:
    """The disk's kernel for a picture that is shrunk by a mean and enlarged bilinearly, both by ``factor``.

    These blur too, and so does counting a cell by its share inside: the disk is smaller, so that the variance stays.

    Args:
        radius_px: in pixels before shrinking.
        factor: 1, 2 or 4.

    Returns:
        (2R+1)x(2R+1) float64 that sums to 1.
    """
    if factor == 1:  # equation (5): the pixels nearer than the radius
        reach = math.ceil(radius_px) - 1
        place = np.arange(-reach, reach + 1)
        disk = (np.hypot(place[:, None], place) < radius_px).astype(np.float64)
        return np.asarray(disk / disk.sum())
    variance = radius_px**2 / 4 - (factor**2 - 1) / 12 - (factor**2 - 1) / 6 - factor**2 / 12
    radius = 2 * math.sqrt(variance) / factor
    reach = math.ceil(radius - 0.5)
    points = (np.arange((2 * reach + 1) * _SAMPLES) + 0.5) / _SAMPLES - reach - 0.5
    inside = np.hypot(points[:, None], points) < radius
    shares = inside.reshape(2 * reach + 1, _SAMPLES, 2 * reach + 1, _SAMPLES).mean((1, 3))
    return np.asarray(shares / shares.sum())


def _share(radius_px: Tensor, low: float, high: float) -> Tensor:
    """How far radii have come from one rung to the next, 0..1."""
    return unit((radius_px - low) / (high - low))


class DiskLevel(nn.Module):
    """The rungs of one level.

    Args:
        radii_px: in pixels of the photo, increasing.
        factor: 1, 2 or 4.
    """

    def __init__(self, radii_px: tuple[float, ...], factor: int) -> None:
        super().__init__()
        self.radii_px = radii_px
        disks = [torch.from_numpy(shrunk_disk(radius, factor)).float() for radius in radii_px]
        self.kernels = nn.ParameterList(nn.Parameter(disk[None, None]) for disk in disks)

    def forward(self, x: Tensor, radius_px: Tensor) -> tuple[Tensor, Tensor]:
        """Blur.

        Args:
            x: (N, C, h, w) at this level's size; what is outside counts as 0.
            radius_px: (N, 1, h, w) in pixels of the photo.

        Returns:
            The blur by the radius, at least the first rung's, and the blur by the last rung; (N, C, h, w) each.
        """
        planes = x.shape[1]
        blurs = [
            F.conv2d(x, torch.cat([kernel] * planes), padding=kernel.shape[2] // 2, groups=planes)
            for kernel in self.kernels
        ]
        total = blurs[0]
        for k in range(1, len(blurs)):
            total = total + _share(radius_px, *self.radii_px[k - 1 : k + 1]) * (blurs[k] - blurs[k - 1])
        return total, blurs[-1]


class Disks(nn.Module):
    """Blur by a disk whose radius is each pixel's own."""

    def __init__(self) -> None:
        super().__init__()
        self.level1, self.level2, self.level4 = DiskLevel(FULL, 1), DiskLevel(HALF, 2), DiskLevel(QUARTER, 4)

    def forward(self, x: Tensor, radius_px: Tensor) -> Tensor:
        """Blur.

        Args:
            x: (N, C, H, W), H and W multiples of 4; what is outside counts as 0.
            radius_px: (N, 1, H, W) in pixels, 0 or more; beyond the largest rung it counts as that.

        Returns:
            (N, C, H, W).
        """
        x2, radius2 = F.avg_pool2d(x, (2, 2)), F.avg_pool2d(radius_px, (2, 2))
        x4, radius4 = F.avg_pool2d(x2, (2, 2)), F.avg_pool2d(radius2, (2, 2))
        quarter, _ = self.level4(x4, radius4)
        half, last = self.level2(x2, radius2)
        half = half + _share(radius2, HALF[-1], QUARTER[0]) * (upsample(quarter, 2) - last)
        full, last = self.level1(x, radius_px)
        full = full + _share(radius_px, FULL[-1], HALF[0]) * (upsample(half, 2) - last)
        blurred: Tensor = x + _share(radius_px, SHARP, FULL[0]) * (full - x)
        return blurred
