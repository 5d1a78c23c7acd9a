"""The layer CRF, paper 3.3, equations (7) and (9), minimised by alpha expansion with graph cuts [15].

The pairwise weight varies from edge to edge, which PyMaxflow's own ``aexpansion_grid`` cannot express; the expansion
move is therefore written out. For the binary choice x_i (1: take label alpha) the cost of an edge is

    E(0,0) = w [l_i != l_j]   E(0,1) = w [l_i != alpha]   E(1,0) = w [l_j != alpha]   E(1,1) = 0

which is submodular for a Potts term, and becomes, after Kolmogorov and Zabih, two unary terms and one directed edge of
capacity E(0,1) + E(1,0) - E(0,0).
"""

from dataclasses import dataclass

import cv2
import numpy as np

MAX_CYCLES = 5


@dataclass(frozen=True)
class EdgeWeights:
    """exp(-||f_S(z)_{i->j}||) of each edge: (H, W-1) between horizontal, (H-1, W) between vertical neighbours."""

    horizontal: np.ndarray
    vertical: np.ndarray


def edge_weights(depth: np.ndarray) -> EdgeWeights:
    """Equation (9) without the indicator.

    f_S is the Sobel operator along the edge's own direction; an edge takes the mean of its two pixels' responses. Depth
    is in 0..1, so that responses lie in -4..4.
    """
    gx = cv2.Sobel(depth, cv2.CV_64F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.Sobel(depth, cv2.CV_64F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    return EdgeWeights(
        np.exp(-np.abs(gx[:, 1:] + gx[:, :-1]) / 2),
        np.exp(-np.abs(gy[1:] + gy[:-1]) / 2),
    )


def crf_energy(labels: np.ndarray, unary: np.ndarray, weights: EdgeWeights, smoothness: float) -> float:
    """E(l | z) = sum_i u(l_i | z_i) + lambda sum_(i,j) e(l_i, l_j | z_i, z_j), equation (7)."""
    data = np.take_along_axis(unary, labels[..., None], 2).sum()
    cut = (weights.horizontal * (labels[:, 1:] != labels[:, :-1])).sum()
    cut += (weights.vertical * (labels[1:] != labels[:-1])).sum()
    return float(data + smoothness * cut)


def _expand(
    labels: np.ndarray, alpha: int, unary: np.ndarray, weights: EdgeWeights, smoothness: float
) -> np.ndarray:
    """The best expansion move of one label."""
    import maxflow

    height, width = labels.shape
    graph = maxflow.Graph[float](height * width, 2 * height * width)
    nodes = graph.add_grid_nodes((height, width))
    keep = np.take_along_axis(unary, labels[..., None], 2)[..., 0].copy()
    take = unary[..., alpha].copy()
    edges = (
        (weights.horizontal, (slice(None), slice(0, -1)), (slice(None), slice(1, None)), (0, 1)),
        (weights.vertical, (slice(0, -1), slice(None)), (slice(1, None), slice(None)), (1, 0)),
    )
    for weight, i, j, (dy, dx) in edges:
        w = smoothness * weight
        e00, e01, e10 = w * (labels[i] != labels[j]), w * (labels[i] != alpha), w * (labels[j] != alpha)
        # E = E00 + (E10 - E00) x_i - E10 x_j + (E01 + E10 - E00) (1 - x_i) x_j
        take[i] += e10 - e00
        take[j] -= e10
        capacity = np.zeros((height, width))
        capacity[i] = e01 + e10 - e00
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=capacity, structure=structure, symmetric=False)
    least = np.minimum(keep, take)
    # a node on the sink's side (segment 1) takes alpha, and its source edge is cut
    graph.add_grid_tedges(nodes, take - least, keep - least)
    graph.maxflow()
    return np.where(graph.get_grid_segments(nodes), alpha, labels)


def label_layers(unary: np.ndarray, weights: EdgeWeights, smoothness: float = 10.0) -> np.ndarray:
    """Labels (H, W) that minimise (7), from the best unary labels by expansion moves; the energy never rises.

    Args:
        unary: (H, W, K).
        weights: of the edges.
        smoothness: lambda, 10 in the paper.
    """
    labels = np.asarray(unary.argmin(2))
    energy = crf_energy(labels, unary, weights, smoothness)
    for _ in range(MAX_CYCLES):
        before = energy
        for alpha in range(unary.shape[2]):
            moved = _expand(labels, alpha, unary, weights, smoothness)
            moved_energy = crf_energy(moved, unary, weights, smoothness)
            if moved_energy < energy:
                labels, energy = moved, moved_energy
        if energy >= before - 1e-9 * abs(before):
            break
    return labels
