"""The lens: disks of a ladder of fixed radii, and between two of them their mean by the pixel's own radius.

The smallest disks are laid at full size, larger ones at 1/2, 1/4 and 1/8: a disk has no detail much smaller than
itself, and each level costs a quarter of the one before. A kernel is one plane, shared by all planes of the picture:
the disk of equation (5), or what is nearest to it behind shrinking and enlarging. Kernels are not learnt: after 1,200
steps their sums were 0.90 to 1.18, and portraits of whole bodies 0.3 and 0.5 dB farther from the reference's at
apertures 0.016 and 0.04.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import unit, upsample

LADDER: tuple[tuple[float, ...], ...] = ((1.5, 2.5), (3.7, 5.0), (7.0, 10.25, 14.0), (19.0, 26.0))
"""Radii in pixels of the photo, at 1, 1/2, 1/4 and 1/8 of its size. The largest is that of aperture 0.04 at 512x384.

Mean PSNR to the reference as ``render`` writes it, on 10 held-out photos of whole bodies (CCP) at aperture 0.008, 0.016
and 0.04, and values of the kernels for a pixel of the photo: 47.8, 45.1, 42.0 dB and 55. With 3.7 at 1, 7.0 and 10.25
at 1/2, 19 and 26 at 1/4, learnt on: 48.2, 45.2, 42.0 dB and 152.
"""

SHARP = 1.0
"""Up to this radius, in pixels, the disk is one pixel."""

_FREQUENCIES = 48
"""Per axis, at which a shrunk disk is fitted."""


def open_disk(radius_px: float) -> np.ndarray:
    """Equation (5): the pixels nearer than the radius, (2R+1)x(2R+1) float64 that sums to 1."""
    reach = math.ceil(radius_px) - 1
    place = np.arange(-reach, reach + 1)
    disk = (np.hypot(place[:, None], place) < radius_px).astype(np.float64)
    return np.asarray(disk / disk.sum())


def shrunk_disk(radius_px: float, factor: int) -> np.ndarray:
    """The kernel for a picture that is shrunk by a mean and enlarged bilinearly, both by ``factor``.

    It is nearest to equation (5) by least squares over all frequencies, of pictures whose spectrum falls with the
    frequency as that of photos does. Its side is the least one that covers the disk.

    Args:
        radius_px: in pixels before shrinking.
        factor: 1, 2, 4 or 8.

    Returns:
        Square float64 of odd side, alike in all eight directions, that sums to 1.
    """
    if factor == 1:
        return open_disk(radius_px)
    half = math.ceil((2 * radius_px / factor - 1) / 2)
    place = np.abs(np.arange(-half, half + 1))
    pairs = np.sort(np.stack(np.meshgrid(place, place)), 0).reshape(2, -1)
    alike, orbit = np.unique(pairs, axis=1, return_inverse=True)  # pixels that symmetry makes equal
    members = [(orbit == k).reshape(2 * half + 1, -1) for k in range(alike.shape[1])]
    passed = np.stack([_spectrum(member, factor) for member in members], 1) * through(_frequencies(), factor)[:, None]
    weight = 1 / np.hypot(*_frequencies())
    given, wanted = passed * weight[:, None], _spectrum(open_disk(radius_px), 1) * weight
    kernel = np.linalg.lstsq(given, wanted, rcond=None)[0][orbit].reshape(2 * half + 1, -1)
    return np.asarray(kernel / kernel.sum())


def _frequencies() -> np.ndarray:
    """Vertical and horizontal ones in cycles per pixel, over 0 to 1/2: (2, F)."""
    axis = (np.arange(_FREQUENCIES) + 0.5) / (2 * _FREQUENCIES)
    return np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(2, -1)


def _spectrum(kernel: np.ndarray, factor: int) -> np.ndarray:
    """How much of each frequency a kernel passes that is even along both axes, its pixels ``factor`` wide: (F,)."""
    axis, place = _frequencies()[1, :_FREQUENCIES], np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    cosines = np.cos(2 * np.pi * factor * np.outer(axis, place))
    return np.asarray((cosines @ kernel @ cosines.T).ravel())


def through(frequencies: np.ndarray, factor: int) -> np.ndarray:
    """How much of each frequency passes a mean over ``factor`` pixels and enlarging bilinearly by as much: (F,).

    The mean passes sin(pi n f) / (n sin(pi f)) along each axis, and enlarging the square of that.

    Args:
        frequencies: vertical and horizontal ones in cycles per pixel, (2, F).
        factor: 1, 2, 4 or 8.
    """
    f = np.pi * frequencies
    return np.asarray(np.prod(np.sin(factor * f) / (factor * np.sin(f)), 0) ** 3)


def _share(radius_px: Tensor, low: float, high: float) -> Tensor:
    """How far radii have come from one rung to the next, 0..1."""
    return unit((radius_px - low) / (high - low))


class DiskLevel(nn.Module):
    """The rungs of one level.

    Args:
        radii_px: in pixels of the photo, increasing.
        factor: 1, 2, 4 or 8.
    """

    def __init__(self, radii_px: tuple[float, ...], factor: int) -> None:
        super().__init__()
        self.radii_px = radii_px
        disks = [torch.from_numpy(shrunk_disk(radius, factor)).float() for radius in radii_px]
        self.kernels = nn.ParameterList(nn.Parameter(disk[None, None], requires_grad=False) for disk in disks)

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
        self.levels = nn.ModuleList(DiskLevel(radii, 2**k) for k, radii in enumerate(LADDER))

    def forward(self, x: Tensor, radius_px: Tensor) -> Tensor:
        """Blur.

        Args:
            x: (N, C, H, W), H and W multiples of 8; what is outside counts as 0.
            radius_px: (N, 1, H, W) in pixels, 0 or more; beyond the largest rung it counts as that.

        Returns:
            (N, C, H, W).
        """
        pictures, radii = [x], [radius_px]
        for _ in LADDER[1:]:
            pictures.append(F.avg_pool2d(pictures[-1], (2, 2)))
            radii.append(F.avg_pool2d(radii[-1], (2, 2)))
        total, _ = self.levels[-1](pictures[-1], radii[-1])
        for k in range(len(LADDER) - 2, -1, -1):
            own, last = self.levels[k](pictures[k], radii[k])
            total = own + _share(radii[k], LADDER[k][-1], LADDER[k + 1][0]) * (upsample(total, 2) - last)
        blurred: Tensor = x + _share(radius_px, SHARP, LADDER[0][0]) * (total - x)
        return blurred
