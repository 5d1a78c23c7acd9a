"""Trimap and KNN matting, paper 4.1 ("DoF rendering") and [6]."""

import cv2
import numpy as np

TRIMAP_PX = 10
UNKNOWN = 0.5


def trimap(mask: np.ndarray, radius_px: int = TRIMAP_PX) -> np.ndarray:
    """0 background, 1 person, 0.5 within ``radius_px`` of the segmentation's boundary.

    Args:
        mask: HxW in 0..1; the boundary is where it crosses one half.
        radius_px: 10 in the paper.
    """
    person = (mask >= 0.5).astype(np.uint8)
    # Euclidean distance of each pixel to the nearest pixel of the other side
    inside = cv2.distanceTransform(person, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - person, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    result = person.astype(np.float64)
    result[(inside <= radius_px) & (outside <= radius_px)] = UNKNOWN
    return result


def knn_matte(rgb: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Alpha by KNN matting (pymatting), HxW in 0..1; known pixels keep their value.

    A trimap without unknown pixels, without person or without background is returned as it is, unknown read as known.

    Args:
        rgb: HxWx3 in 0..1.
        known: trimap.
    """
    if not (known == UNKNOWN).any() or not (known == 1).any() or not (known == 0).any():
        return np.where(known == UNKNOWN, float((known == 1).any()), known)
    from pymatting import estimate_alpha_knn

    alpha = np.clip(estimate_alpha_knn(rgb, known), 0, 1)
    return np.where(known == UNKNOWN, alpha, known)
