"""From depth, aperture and focus to disk radii, paper 3.3: the farther a layer, the larger its kernel."""

import math

import numpy as np

APERTURE_PAPER = 0.016
"""The paper setting: largest radius as a share of the diagonal, 9.3 px at 500x300."""


def image_diagonal_px(shape: tuple[int, ...]) -> float:
    """Diagonal of an image of shape (H, W, ...)."""
    return math.hypot(shape[0], shape[1])


def person_depth(mask: np.ndarray, depth: np.ndarray) -> float:
    """Mask-weighted mean depth of the person; 0 (nearest) where the mask is empty."""
    return float((mask * depth).mean() / max(float(mask.mean()), 1e-4))


def radius_px(
    depth: np.ndarray, focus: float, farthest: float, aperture: float, shape: tuple[int, ...]
) -> np.ndarray:
    """Disk radius of each depth, of any shape.

    r = aperture * diagonal * clip((z - focus) / (farthest - focus), 0, 1)

    What lies at the focus or before it stays sharp (no foreground blur); the farthest depth gets the largest disk.
    """
    behind = (depth - focus) / max(farthest - focus, 1e-3)
    return np.asarray(aperture * image_diagonal_px(shape) * np.clip(behind, 0.0, 1.0))
