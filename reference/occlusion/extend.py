"""Extends a layer's colour under whatever hides it: a pyramid of normalised averages."""

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bools, Floats


def fill(premultiplied: Floats, weight: Floats) -> Floats:
    """Extends what is known smoothly over what is not: pull and push through a pyramid of halves.

    Args:
        premultiplied: HxWxC, value times weight.
        weight: HxW in 0..1, 1 is known.

    Returns:
        HxWxC float64: the value where the weight is 1, elsewhere a convex combination of known values; 0 if
        nothing is known.
    """
    height, width = weight.shape
    known = weight[..., None]  # HxWx1
    if (height, width) == (1, 1):
        return np.asarray(premultiplied / np.where(known > 0, known, 1.0), dtype=np.float64)
    if (weight >= 1).all():
        return premultiplied.copy()
    # pull: HxWx(C+1) -> half; one known part of four makes the half known, as to its own level
    half = cv2.resize(
        np.concatenate([premultiplied, known], axis=2),
        ((width + 1) // 2, (height + 1) // 2),
        interpolation=cv2.INTER_AREA,
    )
    share = np.asarray(half[..., -1], dtype=np.float64)
    trust = np.minimum(4 * share, 1.0)
    mean = np.asarray(half[..., :-1], dtype=np.float64) / np.where(share > 0, share, 1.0)[..., None]
    coarse = fill(mean * trust[..., None], trust)
    # push: what is missing comes from the coarser level
    wide = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float64)
    return np.asarray(premultiplied + (1 - known) * wide.reshape(premultiplied.shape), dtype=np.float64)


def extend(values: AnyArray, known: Bools) -> AnyArray:
    """HxW in which each pixel takes the value of the nearest known one; at least one is known."""
    if known.all():
        return values
    _, index = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(index.max()) + 1, dtype=values.dtype)
    table[index[known]] = values[known]
    return np.asarray(table[index])
