"""KNN matting [6] restricted to the unknown band: pymatting's Laplacian, over fewer pixels.

Neighbours are searched for unknown pixels only, among the band and its surroundings; what lies farther away is known
and seldom a neighbour, and a known pixel's own neighbours do not enter the system but where they are unknown ones.
Mean absolute difference to the whole image's matte: below 0.005.
"""

import cv2
import numpy as np
import scipy.sparse
from scipy.spatial import KDTree

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.errors import InputError

UNKNOWN = 0.5
SURROUNDINGS_PX = 10
NEIGHBOURS = ((20, 2.0), (10, 0.1))
"""Neighbours and weight of the position against the colour: pymatting's defaults, the paper [6]'s two scales."""

_LEAF = 30
_TOLERANCE = 1e-3
_MAX_ITERATIONS = 2000


def _affinity(colour: Floats, position: Floats, unknown: AnyArray) -> scipy.sparse.csr_matrix:
    """(n, n): 1 where two unknown pixels name each other, 1/2 where only one of two pixels names the other."""
    n = len(colour)
    rows, columns = [], []
    for count, weight in NEIGHBOURS:
        features = np.hstack([colour, weight * position])
        tree = KDTree(features, leafsize=_LEAF, balanced_tree=False, compact_nodes=False)
        k = min(count, n)
        _, found = tree.query(features[unknown], k=k, workers=-1)
        rows.append(np.repeat(unknown, k))
        columns.append(np.reshape(found, -1))
    row, column = np.concatenate(rows), np.concatenate(columns)
    one_way = scipy.sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(n, n))
    return scipy.sparse.csr_matrix((one_way + one_way.T) * 0.5)


def knn_matte_band(rgb: Floats, trimap: Floats) -> Floats:
    """Alpha (H, W) in 0..1; known pixels keep their value.

    Args:
        rgb: HxWx3 in 0..1.
        trimap: HxW of 0, 0.5 and 1 with all three present.

    Raises:
        InputError: the system has no solution within the iterations allowed.
    """
    height, width = trimap.shape
    reach = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * SURROUNDINGS_PX + 1,) * 2)
    band = cv2.dilate((trimap == UNKNOWN).astype(np.uint8), reach) > 0
    y, x = np.nonzero(band)
    values = trimap[band]
    unknown, known = np.flatnonzero(values == UNKNOWN), np.flatnonzero(values != UNKNOWN)
    affinity = _affinity(rgb[band], np.stack([x, y], 1) / max(height, width), unknown)
    degree = np.asarray(affinity.sum(1)).ravel()
    rows = affinity[unknown]
    # L_uu a_u = -L_uk a_k with L = diag(degree) - affinity
    system = scipy.sparse.csr_matrix(scipy.sparse.diags(degree[unknown]) - rows[:, unknown])
    solution = _conjugate_gradients(system, rows[:, known] @ values[known])
    alpha, solved = trimap.copy(), values.copy()
    solved[unknown] = np.clip(solution, 0, 1)
    alpha[band] = solved
    return alpha


def _conjugate_gradients(system: scipy.sparse.csr_matrix, right: Floats) -> Floats:
    """Solves a symmetric positive definite system; the diagonal is the preconditioner.

    SciPy's ``cg`` takes its scalar products from a threaded BLAS, which for vectors of this size spends most of its
    time waiting: 30 times slower on two cores.
    """
    inverse = 1 / (system.diagonal() + 1e-8)
    x, residual = np.zeros_like(right), right.copy()
    z = residual * inverse
    direction, rz = z.copy(), _dot(residual, z)
    enough = _TOLERANCE**2 * _dot(right, right)
    for _ in range(_MAX_ITERATIONS):
        if _dot(residual, residual) <= enough:
            return x
        image = system @ direction
        step = rz / _dot(direction, image)
        x += step * direction
        residual -= step * image
        z = residual * inverse
        rz, previous = _dot(residual, z), rz
        direction = z + (rz / previous) * direction
    raise InputError(f"matting: expected a solution within {_MAX_ITERATIONS} iterations, found none; check the trimap")


def _dot(a: Floats, b: Floats) -> float:
    return float(np.einsum("i,i->", a, b))
