"""Measures of section 4: PSNR and SSIM (table 2), IoU (table 1), boundary F, and WHDR on depth pairs."""

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bools, Floats, person_pixels
from portraiture.reference.errors import InputError


def psnr_db(candidate: AnyArray, reference: AnyArray) -> float:
    """Peak signal-to-noise ratio with the fixed peak 1.0.

    Args:
        candidate: any shape, float, nominally 0..1 (values outside count as they are).
        reference: the same shape.

    Returns:
        Decibels; infinity for equal arrays.

    Raises:
        InputError: the shapes differ, a value is not finite, or the arrays are not float.

    >>> round(psnr_db(np.array([0.5, 0.6]), np.array([0.5, 0.5])), 2)
    23.01
    """
    a, b = check_pair(candidate, reference)
    error = float(np.mean((a - b) ** 2))
    return math.inf if error == 0 else -10.0 * math.log10(error)


def ssim(candidate: AnyArray, reference: AnyArray) -> float:
    """Structural similarity (Wang et al. 2004): Gaussian weights of sigma 1.5, data range 1.

    Args:
        candidate: HxW or HxWxC, at least 11x11, float, nominally 0..1.
        reference: the same shape.

    Returns:
        Mean over the channels, -1..1, 1 for equal arrays.

    Raises:
        InputError: as ``psnr_db``, or smaller than 11x11.

    >>> ssim(np.eye(12), np.eye(12))
    1.0
    """
    from skimage.metrics import structural_similarity

    a, b = check_pair(candidate, reference)
    if a.ndim not in (2, 3) or min(a.shape[:2]) < 11:
        raise InputError(f"ssim: expected HxW or HxWxC of 11x11 or more, found {a.shape}; use larger images")
    similarity: Callable[..., Any] = structural_similarity  # untyped in scikit-image
    axis = 2 if a.ndim == 3 else None
    # Wang's window and covariance, not scikit-image's defaults
    paper: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(similarity(a, b, data_range=1.0, channel_axis=axis, **paper))


def share_found(mask: AnyArray, part: AnyArray) -> float:
    """Share of a part of the person that the mask has; 0 of an empty part.

    Args:
        mask: HxW of bool.
        part: the same shape.

    >>> share_found(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.5
    """
    return float((mask & part).sum() / max(1, part.sum()))


def iou(mask: AnyArray, truth: AnyArray) -> float:
    """Intersection over union of the person.

    Args:
        mask: HxW in 0..1 or bool, person from 0.5 on.
        truth: the same shape.

    Returns:
        0..1; 1 where both are empty.

    Raises:
        InputError: the shapes differ or a value is not finite.

    >>> iou(np.array([[0.9, 0.8, 0.1]]), np.array([[1.0, 0.0, 0.0]]))
    0.5
    """
    a, b = _binary_pair(mask, truth)
    union = int((a | b).sum())
    return 1.0 if union == 0 else int((a & b).sum()) / union


def boundary_f(mask: AnyArray, truth: AnyArray, tolerance_px: float = 2) -> float:
    """F-measure of the boundary (Martin et al. 2004, with a distance tolerance in place of a matching).

    A boundary pixel is a person pixel with a 4-neighbour that is none; the photo's border is no boundary.
    Precision is the share of the mask's boundary within ``tolerance_px`` of the truth's, recall the reverse.

    Args:
        mask: HxW in 0..1 or bool, person from 0.5 on.
        truth: the same shape.
        tolerance_px: largest distance that counts as met, in pixels, 0 or more.

    Returns:
        0..1; 1 where neither has a boundary, 0 where one of them has none.

    Raises:
        InputError: the shapes differ or a value is not finite.

    >>> left = np.zeros((9, 9), bool)
    >>> left[:, :3] = True
    >>> boundary_f(left, np.roll(left, 3, axis=1)), boundary_f(left, left)
    (0.6666666666666666, 1.0)
    """
    a, b = (_boundary(person) for person in _binary_pair(mask, truth))
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision, recall = _share_met(a, b, tolerance_px), _share_met(b, a, tolerance_px)
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def whdr(depth: AnyArray, pairs: AnyArray) -> float:
    """Share of depth pairs ordered wrongly (Chen et al. 2016, all weights 1). A tie is wrong.

    Args:
        depth: HxW, larger is farther, any scale.
        pairs: Nx5 integers yA, xA, yB, xB, rel; coordinates count from 0; rel is +1 where A is farther than
            B, -1 where it is nearer.

    Returns:
        0..1.

    Raises:
        InputError: no pairs, another layout, a coordinate outside, or a depth that is not finite.

    >>> whdr(np.array([[0.1, 0.9]]), np.array([[0, 1, 0, 0, 1], [0, 0, 0, 1, 1]]))  # the second says nearer is farther
    0.5
    """
    pairs = np.asarray(pairs)
    if depth.ndim != 2 or not np.isfinite(depth).all():
        raise InputError(f"whdr: expected a finite HxW depth, found shape {depth.shape}; check its source")
    if pairs.ndim != 2 or pairs.shape[1] != 5 or len(pairs) == 0 or pairs.dtype.kind not in "iu":
        found = f"{pairs.dtype} of shape {pairs.shape}"
        raise InputError(f"whdr: expected Nx5 integers yA,xA,yB,xB,rel, found {found}; stack the columns")
    points = pairs[:, :4].astype(np.int64).reshape(-1, 2, 2)  # Nx5 -> N x (A, B) x (y, x)
    if points.min() < 0 or (points >= depth.shape).any():
        raise InputError(f"whdr: expected points inside {depth.shape} found others; count rows and columns from 0")
    relation = pairs[:, 4].astype(np.int64)
    if not np.isin(relation, (-1, 1)).all():
        raise InputError("whdr: expected rel of +1 or -1, found another; drop the pairs without an order")
    far = depth.astype(np.float64)[points[..., 0], points[..., 1]]  # Nx2
    return float(np.mean(np.sign(far[:, 0] - far[:, 1]) != relation))


def check_pair(candidate: AnyArray, reference: AnyArray) -> tuple[Floats, Floats]:
    """Two float arrays of one shape, finite, as float64; raises InputError otherwise."""
    if candidate.shape != reference.shape or candidate.size == 0:
        found = f"{candidate.shape} and {reference.shape}"
        raise InputError(f"metric: expected two arrays of one shape, found {found}; resize one")
    if candidate.dtype.kind != "f" or reference.dtype.kind != "f":
        found = f"{candidate.dtype} and {reference.dtype}"
        raise InputError(f"metric: expected float arrays, found {found}; divide uint8 by 255")
    a, b = candidate.astype(np.float64), reference.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("metric: expected finite values, found NaN or infinity; check what wrote the arrays")
    return a, b


def _binary_pair(mask: AnyArray, truth: AnyArray) -> tuple[Bools, Bools]:
    first, second = (m.astype(np.float64) if m.dtype == np.bool_ else m for m in (mask, truth))
    a, b = check_pair(first, second)
    if a.ndim != 2:
        raise InputError(f"metric: expected HxW masks, found shape {a.shape}; pass one channel")
    return person_pixels(a), person_pixels(b)


def _boundary(person: Bools) -> Bools:
    kept = np.pad(person, 1, mode="edge")
    interior = kept[:-2, 1:-1] & kept[2:, 1:-1] & kept[1:-1, :-2] & kept[1:-1, 2:]
    return np.asarray(person & ~interior, dtype=np.bool_)


def _share_met(boundary: Bools, other: Bools, tolerance_px: float) -> float:
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.mean(distance[boundary] <= tolerance_px))
