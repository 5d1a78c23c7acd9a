"""The lens: how large a blur each depth layer gets, section 3.3 before equation (10).

The paper fixes the order only: the person is clear, nothing before the person is blurred, farther layers get
larger disks. Here the radius grows linearly with depth behind the focus, up to the aperture at the farthest:
``layer_radii``. A lens blurs what is nearer than its focus as well: ``lens_radii``, not in the paper.
"""

import math

import numpy as np

from portraiture.reference.arrays import Floats

APERTURE_PAPER = 0.016
"""The paper setting: largest disk radius as a share of the image diagonal, 9.3 px at 500x300."""


MIN_SPAN = 1e-3
"""Depth behind the focus counts as at least this much: noise of a flat depth must not blur it fully. Chosen."""


FAR_FROM, FAR_SLOPE = 5 / 6, 100.0
"""The farthest depth is the mean of what lies beyond this share of the depth's range, cut by a ramp of this slope:
about the centre of the farthest of six layers. The slope is chosen, not measured."""


LEAST_MEAN_FAR, LEAST_MEAN_MASK = 1e-5, 1e-4
"""Means that divide count as at least this much: a flat depth, a mask of nobody. Chosen, not measured."""


def image_diagonal_px(shape: tuple[int, ...]) -> float:
    """Diagonal of an image of shape (H, W, ...), in pixels."""
    return math.hypot(shape[0], shape[1])


def layer_radii(
    centres: Floats, focus: float, aperture: float, shape: tuple[int, ...], full: float | None = None
) -> Floats:
    """Disk radius of each depth layer.

    Args:
        centres: K layer depths, larger is farther.
        focus: depth that stays sharp.
        aperture: radius of the farthest layer as a share of the diagonal.
        shape: (H, W, ...) of the image that is blurred.
        full: depth whose radius is the aperture, in place of the farthest layer's.

    Returns:
        K radii in pixels: 0 up to the focus, ``aperture * diagonal`` at the farthest layer (less where it is
        within ``MIN_SPAN`` of the focus); in proportion to that of ``full`` where it is given.
    """
    span = max((float(centres.max()) if full is None else full) - focus, MIN_SPAN)
    share = np.clip((centres - focus) / span, 0.0, 1.0 if full is None else math.inf)
    return np.asarray(aperture * image_diagonal_px(shape) * share, dtype=np.float64)


def far_depth(depth: Floats) -> float:
    """Mean depth of the farthest sixth of the depth range: about the centre of the farthest of six layers.

    Args:
        depth: HxW in 0..1.
    """
    low, high = float(depth.min()), float(depth.max())
    share = np.clip(FAR_SLOPE * (depth - low - FAR_FROM * (high - low)) / max(high - low, MIN_SPAN), 0.0, 1.0)
    return float((share * depth).mean() / max(float(share.mean()), LEAST_MEAN_FAR))


def smooth_radii(mask: Floats, depth: Floats, aperture: float, focus: float | None) -> Floats:
    """Disk radius of each pixel without layers: the circle of confusion that the RNN filter is given.

    Args:
        mask: HxW in 0..1.
        depth: HxW in 0..1, of the scene: see ``scene_depth``.
        aperture: largest radius as a share of the diagonal.
        focus: depth that stays sharp; None: the person's, 0 where there is none.

    Returns:
        HxW radii in pixels: 0 up to the focus, ``aperture * diagonal`` from the farthest layer's centre on.
    """
    if focus is None:
        focus = float((mask * depth).mean() / max(float(mask.mean()), LEAST_MEAN_MASK))
    share = np.clip((depth - focus) / max(far_depth(depth) - focus, MIN_SPAN), 0.0, 1.0)
    return np.asarray(aperture * image_diagonal_px(depth.shape) * share, dtype=np.float64)


def lens_radii(
    centres: Floats, focus: float, aperture: float, shape: tuple[int, ...], full: float | None = None
) -> Floats:
    """Disk radius of each depth layer on both sides of the focus.

    Args:
        centres, focus, aperture, shape, full: as in ``layer_radii``; ``full`` may be nearer than the focus.

    Returns:
        K radii in pixels: ``aperture * diagonal`` at the layer that is farthest from the focus, in proportion to
        the distance from it elsewhere.
    """
    distance = np.abs(centres - focus)
    share = distance / max(float(distance.max()) if full is None else abs(full - focus), MIN_SPAN)
    return np.asarray(aperture * image_diagonal_px(shape) * share, dtype=np.float64)
