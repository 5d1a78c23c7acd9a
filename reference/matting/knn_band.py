"""KNN matting [6] restricted to the unknown band: pymatting's Laplacian, over fewer pixels.

Neighbours are searched for unknown pixels only, among the band and its surroundings; what lies farther away is known
and seldom a neighbour. A known pixel's own neighbours are not searched: it is taken to name whoever names it.
Mean absolute difference to the whole image's matte: below 0.005.
"""

import cv2
import numpy as np
import scipy.sparse
from scipy.spatial import KDTree

from portraiture.reference.arrays import Floats
from portraiture.reference.errors import InputError
from portraiture.reference.matting.trimap import UNKNOWN

SURROUNDINGS_PX = 15
"""Known pixels up to this far from the band can be neighbours, in pixels. Chosen, not measured."""


NEIGHBOURS = ((20, 2.0), (10, 0.1))
"""Neighbours and weight of the position against the colour: pymatting's defaults, the paper [6]'s two scales."""


_LEAF = 30
"""Points per leaf of the search tree; it changes the time alone. Chosen, not measured."""


_APPROXIMATION = 1.0
"""A k-th neighbour is at most 1 + this times as far as the true one: a third faster, 0.0001 off in the matte."""


_TOLERANCE = 1e-3
"""The solver stops at this residual, as a share of the right side. Chosen, not measured."""


_MAX_ITERATIONS = 2000
"""The solver gives up after this many. Chosen, not measured."""


def _one_way(colour: Floats, position: Floats, count: int) -> scipy.sparse.csr_matrix:
    """How often each of the first ``count`` pixels names each of all n as its neighbour: (count, n) of 0 to 2."""
    n = len(colour)
    named = []
    for neighbours, weight in NEIGHBOURS:
        features = np.hstack([colour, weight * position])
        tree = KDTree(features, leafsize=_LEAF, balanced_tree=False, compact_nodes=False)
        k = np.arange(1, min(neighbours, n) + 1)  # a list, so that one neighbour keeps its axis
        named.append(tree.query(features[:count], k=k, eps=_APPROXIMATION, workers=-1)[1])
    columns = np.concatenate(named, axis=1)
    starts = np.arange(0, columns.size + 1, columns.shape[1])
    return scipy.sparse.csr_matrix((np.ones(columns.size), columns.ravel(), starts), shape=(count, n))


def knn_matte_band(rgb: Floats, trimap: Floats) -> Floats:
    """Solves the unknown pixels; known ones keep their value. It trusts that the trimap is solvable.

    Args:
        rgb: HxWx3 in 0..1.
        trimap: HxW of 0, 0.5 and 1 with all three present.

    Returns:
        HxW matte in 0..1.

    Raises:
        InputError: the system has no solution within the iterations allowed.
    """
    height, width = trimap.shape
    reach = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * SURROUNDINGS_PX + 1,) * 2)
    band = cv2.dilate((trimap == UNKNOWN).astype(np.uint8), reach) > 0
    band_y, band_x = np.nonzero(band)
    is_known = trimap[band] != UNKNOWN
    order = np.argsort(is_known, kind="stable")  # unknown pixels first
    y, x, count = band_y[order], band_x[order], int((~is_known).sum())
    # coordinates in 0..1 along each side, as in pymatting
    one_way = _one_way(rgb[y, x], np.stack([x / max(width - 1, 1), y / max(height - 1, 1)], 1), count)
    known = trimap[y[count:], x[count:]]
    # (D - W_uu) a_u = W_uk a_k with D the sums of the rows of both; W_uu is symmetrised, W_uk taken as mutual
    among, across = one_way[:, :count], one_way[:, count:]
    among = (among + among.T) * 0.5
    degree = np.asarray(among.sum(1) + across.sum(1)).ravel()
    system = scipy.sparse.csr_matrix(scipy.sparse.diags(degree) - among)
    alpha = trimap.copy()
    alpha[y[:count], x[:count]] = np.clip(_conjugate_gradients(system, across @ known), 0, 1)
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
