"""How near a rendering comes to the truth, on the whole and at the person's edge."""

import numpy as np

from portraiture.reference.arrays import Bools, Floats
from portraiture.reference.matting.trimap import UNKNOWN, trimap
from portraiture.reference.metrics import psnr_db, ssim

BAND_PX = 10
"""Half width of the band at the person's edge, in pixels: as wide as the paper's trimap."""


def edge_band(mask: Floats, width_px: float = BAND_PX) -> Bools:
    """Pixels within ``width_px`` of the person's edge, HxW bool."""
    return np.asarray(trimap(mask, width_px) == UNKNOWN, dtype=np.bool_)


def picture_scores(picture: Floats, truth: Floats, mask: Floats) -> dict[str, float]:
    """How near a picture is to the true one.

    Args:
        picture: HxWx3 float in 0..1, of 11x11 pixels or more.
        truth: HxWx3 float in 0..1.
        mask: HxW in 0..1, the true mask; some pixel lies at its edge.

    Returns:
        ``psnr_db`` and ``ssim`` of the whole picture, and ``edge_psnr_db`` of the band at the person's edge.
    """
    band = edge_band(mask)
    return {
        "psnr_db": psnr_db(picture, truth),
        "ssim": ssim(picture, truth),
        "edge_psnr_db": psnr_db(picture[band], truth[band]),
    }
