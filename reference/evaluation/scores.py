"""How near a rendering comes to the truth, on the whole and at the person's edge."""

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.metrics import psnr_db, ssim

BAND_PX = 10


def edge_band(mask: Floats, width_px: float = BAND_PX) -> np.ndarray:
    """Pixels within ``width_px`` of the person's edge, HxW bool."""
    person = mask >= 0.5
    distances = [
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (person, ~person)
    ]
    return np.asarray(np.maximum(*distances) <= width_px)


def judge(picture: Floats, truth: Floats, mask: Floats) -> dict[str, float]:
    """PSNR and SSIM of the whole picture, PSNR in the band at the person's edge."""
    band = edge_band(mask)
    return {
        "psnr_db": psnr_db(picture, truth),
        "ssim": ssim(picture, truth),
        "edge_psnr_db": psnr_db(picture[band], truth[band]),
    }
