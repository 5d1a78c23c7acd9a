"""Kernels of a bladed iris for the rungs of a filter: those of ``reference/occlusion/iris.py``, shrunk as disks are."""

import math

import numpy as np

from portraiture.reference.occlusion.iris import iris_kernel
from portraiture.training.models.filters.disks import through

_FREQUENCIES = 24
"""Per axis and side, at which a shrunk kernel is fitted: half those of the disks, and both signs."""

_CUT = 0.2
"""A side is rounded up unless it is this near to the smaller one, in shrunk pixels; chosen."""

_RIDGE = 1e-3
"""Of the fit, a share of its mean power: what aliases cannot tell apart stays small. Chosen."""


def shrunk_iris(radius_px: float, factor: int, blades: int, rotation_deg: float) -> np.ndarray:
    """The kernel of a polygon for a picture that is shrunk by a mean and enlarged bilinearly, both by ``factor``.

    Least squares over all frequencies, as ``shrunk_disk``; it is turned by a half turn, because a network's convolution
    is a correlation.

    Args:
        radius_px: of the disk of the polygon's area, in pixels before shrinking, above 1.
        factor: 1, 2, 4 or 8.
        blades: number of corners, 5..9.
        rotation_deg: as in ``iris_kernel``.

    Returns:
        Square float64 of odd side that sums to 1.
    """
    wanted = iris_kernel(radius_px, blades, rotation_deg)[::-1, ::-1]
    if factor == 1:
        return np.ascontiguousarray(wanted)
    half = math.ceil((wanted.shape[0] / factor - 1) / 2 - _CUT)
    axis = (np.arange(-_FREQUENCIES, _FREQUENCIES) + 0.5) / (2 * _FREQUENCIES)
    down, across = np.meshgrid(axis[_FREQUENCIES:], axis, indexing="ij")  # the other half is its conjugate
    frequencies = np.stack([down.ravel(), across.ravel()])
    weight = 1 / np.hypot(*frequencies)
    passed = through(frequencies, factor) * weight
    given = _waves(half, factor, frequencies) * passed[:, None]
    target = _waves(wanted.shape[0] // 2, 1, frequencies) @ wanted.ravel() * weight
    rows, aims = np.concatenate([given.real, given.imag]), np.concatenate([target.real, target.imag])
    normal = rows.T @ rows
    normal += _RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal))
    kernel = np.linalg.solve(normal, rows.T @ aims).reshape(2 * half + 1, -1)
    return np.asarray(kernel / kernel.sum())


def _waves(half: int, factor: int, frequencies: np.ndarray) -> np.ndarray:
    """What each pixel of a kernel of side 2 half + 1, ``factor`` wide, gives to each frequency: (F, side^2) complex."""
    place = factor * np.arange(-half, half + 1)
    y, x = np.meshgrid(place, place, indexing="ij")
    turns = np.outer(frequencies[0], y.ravel()) + np.outer(frequencies[1], x.ravel())
    return np.asarray(np.exp(-2j * np.pi * turns))
