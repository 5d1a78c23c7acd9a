"""The colour model of the graph cut: a mixture of Gaussians for person and background."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import Floats, Labels

CLUSTERS = 5
"""Gaussians of a colour model, as many as GrabCut (2004) takes; chosen, not measured."""


MODEL_PIXELS = 20_000
"""A colour model is learnt from at most this many seeds, evenly spaced. Chosen, not measured."""


OUTLIERS = 0.01
"""Share of uniform colour in each model: what neither has seen costs -ln 0.01 = 4.6 in both and decides nothing."""


VARIANCE_FLOOR = 0.02**2
"""Added to the variances of each cluster: a flat seed region has none, and its likelihood would have no bound."""


@dataclass(frozen=True)
class ColourModel:
    """A mixture of Gaussians in sRGB.

    Attributes:
        shares: K that sum to 1.
        means: Kx3.
        covariances: Kx3x3.
    """

    shares: Floats
    means: Floats
    covariances: Floats


def learn_colours(colours: Floats, clusters: int = CLUSTERS) -> ColourModel:
    """A mixture of Gaussians whose clusters are found by splitting (Orchard, Bouman 1991): no random start.

    The cluster of the largest variance along one direction is cut across that direction at its mean, until
    there are enough or none varies.

    Args:
        colours: Nx3 in 0..1, N at least 1.
        clusters: most Gaussians.

    Returns:
        The model, of ``clusters`` Gaussians or fewer.
    """
    colours = colours[:: -(-len(colours) // MODEL_PIXELS)]
    labels: Labels = np.zeros(len(colours), dtype=np.int64)
    for new in range(1, clusters):
        spread, widest, direction = max(
            (_main_axis(colours[labels == k], k) for k in range(new)), key=lambda candidate: candidate[0]
        )
        if spread < 1e-9:
            break
        own = labels == widest
        along = (colours - colours[own].mean(axis=0)) @ direction
        labels[own & (along > 0)] = new
    members = [colours[labels == k] for k in range(int(labels.max()) + 1)]
    return ColourModel(
        np.array([len(m) / len(colours) for m in members]),
        np.stack([m.mean(axis=0) for m in members]),
        np.stack([np.cov(m.T, bias=True) + VARIANCE_FLOOR * np.eye(3) for m in members]),
    )


def _main_axis(colours: Floats, cluster: int) -> tuple[float, int, Floats]:
    """Largest variance of the colours along a direction, the cluster's number, and that direction."""
    variances, directions = np.linalg.eigh(np.cov(colours.T, bias=True))
    return float(variances[-1]), cluster, directions[:, -1]


def log_likelihood(rgb: Floats, model: ColourModel) -> Floats:
    """ln Pr(I | model), with ``OUTLIERS`` of uniform colour over the unit cube.

    Args:
        rgb: HxWx3 in 0..1.
        model: of ``learn_colours``.

    Returns:
        HxW natural logarithms of a density, at least ln ``OUTLIERS``.
    """
    density = np.full(rgb.shape[:2], OUTLIERS)
    for share, mean, covariance in zip(model.shares, model.means, model.covariances, strict=True):
        whiten = np.linalg.inv(np.linalg.cholesky(covariance))
        squared = (((rgb - mean) @ whiten.T) ** 2).sum(axis=2)  # HxWx3 -> HxW
        scale = np.linalg.det(whiten) / (2 * np.pi) ** 1.5
        density += (1 - OUTLIERS) * share * scale * np.exp(-squared / 2)
    return np.asarray(np.log(density), dtype=np.float64)
