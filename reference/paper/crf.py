"""Depth labelling by a conditional random field, section 3.3, equations (7) and (9).

Units: depth is in 0..1 and the Sobel kernel is not divided by its weight 8, so that a step of d between two
flat sides answers 4d. A full step lowers the cost of a cut to exp(-4) = 0.018, a step of 0.1 to 0.67; on a
smooth depth every pair costs nearly 1. With K = 6 evenly filled layers the unary term (8) reaches about 36 at
a layer's edge, which is the scale that lambda = 10 works against.
"""

import cv2
import maxflow
import numpy as np

from portraiture.reference.arrays import Floats, Labels

MAX_CYCLES = 20
"""Most sweeps over all labels; 2 to 4 are usual. Chosen, not measured."""


LEAST_GAIN = 1e-9
"""A move that lowers the energy by less is taken for rounding, and is not made. Chosen."""


def pair_weights(depth: Floats) -> tuple[Floats, Floats]:
    """exp(-||f_S(z)_{i->j}||) for both directions of the 4-neighbourhood.

    f_S between two pixels is the Sobel derivative along the line that joins them (horizontal for a horizontal
    pair, vertical for a vertical one), averaged over the two pixels: equal for i->j and j->i.

    Args:
        depth: HxW in 0..1.

    Returns:
        Hx(W-1) weights between (y, x) and (y, x+1), (H-1)xW weights between (y, x) and (y+1, x), in 0..1.
    """
    edge = cv2.BORDER_REPLICATE
    along_x = np.asarray(cv2.Sobel(depth, cv2.CV_64F, 1, 0, ksize=3, borderType=edge), dtype=np.float64)
    along_y = np.asarray(cv2.Sobel(depth, cv2.CV_64F, 0, 1, ksize=3, borderType=edge), dtype=np.float64)
    # (9)  e(l_i, l_j | z_i, z_j) = 1(l_i != l_j) exp(-||f_S(z)_{i->j}||)
    weight_h = np.exp(-np.abs(along_x[:, :-1] + along_x[:, 1:]) / 2)
    weight_v = np.exp(-np.abs(along_y[:-1] + along_y[1:]) / 2)
    return weight_h, weight_v


def crf_energy(labels: Labels, unary: Floats, weight_h: Floats, weight_v: Floats, smoothness: float) -> float:
    """E(l | z), equation (7).

    Args:
        labels: HxW in 0..K-1.
        unary: HxWxK, 0 or more.
        weight_h: Hx(W-1) of ``pair_weights``, in 0..1.
        weight_v: (H-1)xW of ``pair_weights``, in 0..1.
        smoothness: lambda, 0 or more.

    Returns:
        The energy.
    """
    # (7)  E(l|z) = sum_i u(l_i|z_i) + lambda sum_{(i,j) in N, i<j} e(l_i, l_j | z_i, z_j)
    unaries = np.take_along_axis(unary, labels[..., None], axis=2).sum()
    pairs = weight_h[labels[:, 1:] != labels[:, :-1]].sum() + weight_v[labels[1:] != labels[:-1]].sum()
    return float(unaries + smoothness * pairs)


def label_layers(depth: Floats, unary: Floats, smoothness: float = 10.0, max_cycles: int = MAX_CYCLES) -> Labels:
    """Labels every pixel with a depth layer.

    Args:
        depth: HxW in 0..1.
        unary: HxWxK of ``DepthLayers``.
        smoothness: lambda of (7), not negative; 0 takes the cheapest label of each pixel.
        max_cycles: most sweeps over all labels; 2 to 4 are usual.

    Returns:
        HxW labels 0..K-1. No expansion move lowers their energy, unless ``max_cycles`` ended the search.
    """
    weight_h, weight_v = pair_weights(depth)
    return minimise(unary, weight_h, weight_v, smoothness, max_cycles)


def minimise(
    unary: Floats, weight_h: Floats, weight_v: Floats, smoothness: float, max_cycles: int = MAX_CYCLES
) -> Labels:
    """Alpha expansion (Boykov, Veksler, Zabih 2001) from the cheapest label of each pixel.

    PyMaxflow's own ``aexpansion_grid`` takes one pairwise matrix for all pixels; equation (9) has one for
    every pair, hence the move below. A move is kept only where it lowers the energy, so that the energy never
    rises. The result is within twice the global minimum (Potts), and equal to it for two labels.

    Args:
        unary: HxWxK.
        weight_h: Hx(W-1), not negative.
        weight_v: (H-1)xW, not negative.
        smoothness: lambda, not negative.
        max_cycles: most sweeps over all labels.

    Returns:
        HxW labels 0..K-1.
    """
    count = unary.shape[2]
    labels: Labels = unary.argmin(axis=2).astype(np.int64)
    weight_h, weight_v = smoothness * weight_h, smoothness * weight_v
    failures = 0  # moves in a row that did not help; once all K labels have failed none is left
    for move in range(count * max_cycles):
        moved = _expand(labels, move % count, unary, weight_h, weight_v)
        failures = failures + 1 if moved is labels else 0
        labels = moved
        if failures == count:
            break
    return labels


def _expand(labels: Labels, alpha: int, unary: Floats, weight_h: Floats, weight_v: Floats) -> Labels:
    """The best labelling if each pixel keeps its label (x = 0) or takes ``alpha`` (x = 1), by one cut.

    Dead-end elimination makes the graph small: the pairs of a pixel gain at most the sum of their weights, so a pixel
    whose unary term loses as much never gains, and keeps its label whatever the others do. A few per cent stay free.
    The weights include lambda. ``labels`` itself comes back where no labelling is cheaper by ``LEAST_GAIN``.
    """
    rises = unary[..., alpha] - np.take_along_axis(unary, labels[..., None], axis=2)[..., 0]  # HxWx1 -> HxW
    most_gain = np.zeros(labels.shape)
    pairs = (weight_h, np.s_[:, :-1], np.s_[:, 1:]), (weight_v, np.s_[:-1, :], np.s_[1:, :])
    for weight, p, q in pairs:
        most_gain[p] += weight
        most_gain[q] += weight
    free = (labels != alpha) & (rises < most_gain)
    count = int(free.sum())
    if not count:
        return labels
    node = np.full(labels.shape, -1)
    node[free] = np.arange(count)
    cost = rises[free]  # what x = 1 adds to the energy
    cut = np.zeros(0)  # what x_i != x_j adds to it, for the edges of the graph
    i, j = np.zeros((2, 0), dtype=np.int64)
    for weight, p, q in pairs:
        at = np.nonzero(free[p] | free[q])
        w, node_p, node_q, label_p, label_q = weight[at], node[p][at], node[q][at], labels[p][at], labels[q][at]
        same, both = label_p == label_q, (node_p >= 0) & (node_q >= 0)
        # A pair of weight w, less what it costs now; a free pixel is never alpha (Kolmogorov, Zabih 2004):
        #   both free, equal labels    w [x_p != x_q]
        #   both free, other labels    w / 2 [x_p != x_q] - w / 2 (x_p + x_q)
        #   one fixed, equal labels    + w x
        #   one fixed to alpha         - w x
        #   one fixed to another       0
        one_fixed = 1.0 * same - ((label_p == alpha) | (label_q == alpha))
        linear = w * np.where(both, np.where(same, 0.0, -0.5), one_fixed)
        for ends in (node_p, node_q):
            cost += np.bincount(ends[ends >= 0], linear[ends >= 0], count)
        cut = np.append(cut, (w * np.where(same, 1.0, 0.5))[both])
        i, j = np.append(i, node_p[both]), np.append(j, node_q[both])
    graph = maxflow.Graph[float](count, len(cut))
    nodes = graph.add_nodes(count)
    graph.add_edges(i, j, cut, cut)
    graph.add_grid_tedges(nodes, np.maximum(cost, 0), np.maximum(-cost, 0))
    graph.maxflow()
    takes = np.asarray(graph.get_grid_segments(nodes), dtype=np.bool_)
    if cost[takes].sum() + cut[takes[i] != takes[j]].sum() > -LEAST_GAIN:
        return labels
    moved = labels.copy()
    moved[free] = np.where(takes, alpha, labels[free])
    return moved
