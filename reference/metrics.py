"""Figures of quality: PSNR and SSIM of pictures, IoU and boundary F-score of masks, WHDR of depth."""

import math

import cv2
import numpy as np

from portraiture.reference.errors import InputError


def _same_shape(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise InputError(f"expected equal shapes, found {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("expected finite values, found NaN or infinity")


def psnr_db(candidate: np.ndarray, reference: np.ndarray) -> float:
    """10 log10(1 / mean squared error) with the fixed peak 1.0; infinite for equal arrays."""
    _same_shape(candidate, reference)
    mse = float(np.mean((candidate.astype(np.float64) - reference.astype(np.float64)) ** 2))
    return math.inf if mse == 0 else -10 * math.log10(mse)


def ssim(candidate: np.ndarray, reference: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of HxWx3 pictures in 0..1: Gaussian window of 1.5 px."""
    from skimage.metrics import structural_similarity

    _same_shape(candidate, reference)
    return float(
        structural_similarity(
            candidate.astype(np.float64),
            reference.astype(np.float64),
            data_range=1.0,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two bool masks; 1 where both are empty."""
    _same_shape(mask, truth)
    union = (mask | truth).sum()
    return 1.0 if union == 0 else float((mask & truth).sum() / union)


def _boundary(mask: np.ndarray) -> np.ndarray:
    """Pixels of the mask with a 4-neighbour outside it; the image's border is no boundary."""
    m = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(m - cv2.erode(m, cross, borderType=cv2.BORDER_REPLICATE)).astype(bool)


def boundary_f(mask: np.ndarray, truth: np.ndarray, tolerance_px: float = 2.0) -> float:
    """F-score of boundary pixels that lie within ``tolerance_px`` of the other mask's boundary."""
    _same_shape(mask, truth)
    found, expected = _boundary(mask), _boundary(truth)
    if not found.any() or not expected.any():
        return float(found.any() == expected.any())

    def near(boundary: np.ndarray) -> np.ndarray:
        far = cv2.distanceTransform((~boundary).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(far <= tolerance_px)

    precision = float(near(expected)[found].mean())
    recall = float(near(found)[expected].mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def whdr(depth: np.ndarray, a: np.ndarray, b: np.ndarray, relation: np.ndarray) -> float:
    """Share of point pairs whose order disagrees, equal weights.

    Args:
        depth: (H, W), larger is farther.
        a, b: flat pixel indices of the pairs.
        relation: +1 where A is farther, -1 where it is nearer.
    """
    if not len(a) == len(b) == len(relation) > 0:
        raise InputError(
            f"expected as many points A, B and relations, found {len(a)}, {len(b)}, {len(relation)}"
        )
    z = depth.ravel()
    return float(np.mean(np.sign(z[a] - z[b]) != relation))
