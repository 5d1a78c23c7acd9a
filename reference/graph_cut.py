"""Interactive graph cuts (Boykov, Jolly 2001, the paper's [3]): the GC row of table 1, a baseline for the mask.

Seeds are hard constraints and the source of two colour models; one minimum cut then gives the global minimum of
    E(A) = sum_p R_p(A_p) + lambda sum_{p,q in N} B_pq 1(A_p != A_q).
Units: R is in nats, limited at ``OUTLIERS``; B is at most 1 for a horizontal pair.
"""

from dataclasses import dataclass

import cv2
import maxflow
import numpy as np
import numpy.typing as npt

from portraiture.reference.arrays import AnyArray, Floats, Labels, as_map, as_rgb
from portraiture.reference.errors import InputError, OptionError

Bools = npt.NDArray[np.bool_]

SMOOTHNESS = 100.0
"""The best of 10..200 for ``seeds_from_prior`` on 43 selfies of Shen's training list at 400x300."""

CLUSTERS = 5
MODEL_PIXELS = 20_000
"""A colour model is learnt from at most so many seeds, evenly spaced."""

OUTLIERS = 0.01
"""Share of uniform colour in each model: what neither has seen costs -ln 0.01 = 4.6 in both and decides nothing."""

VARIANCE_FLOOR = 0.02**2
"""Added to each cluster's variances: a flat seed region has none, and its likelihood would have no bound."""

_PAIRS = (
    (np.s_[:, :-1], np.s_[:, 1:], ((0, 0, 0), (0, 0, 1), (0, 0, 0)), 1.0),
    (np.s_[:-1, :], np.s_[1:, :], ((0, 0, 0), (0, 0, 0), (0, 1, 0)), 1.0),
    (np.s_[:-1, :-1], np.s_[1:, 1:], ((0, 0, 0), (0, 0, 0), (0, 0, 1)), 2**0.5),
    (np.s_[:-1, 1:], np.s_[1:, :-1], ((0, 0, 0), (0, 0, 0), (1, 0, 0)), 2**0.5),
)
"""Pixels p, their neighbours q, the step p -> q as PyMaxflow's structure, and the distance."""


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


def segment(
    rgb: AnyArray,
    foreground_seeds: Bools,
    background_seeds: Bools,
    smoothness: float = SMOOTHNESS,
    neighbours: int = 8,
    clusters: int = CLUSTERS,
) -> Bools:
    """Segments the person by one minimum cut. Deterministic.

    Args:
        rgb: HxWx3 sRGB, float in 0..1 or uint8.
        foreground_seeds: HxW, surely person; at least one pixel.
        background_seeds: HxW, surely background; at least one pixel.
        smoothness: lambda, 0 or more.
        neighbours: 4 or 8.
        clusters: Gaussians of each colour model, at least 1.

    Returns:
        HxW, True for the person; every seed keeps its side. Of several minima the one with the fewest
        person pixels.

    Raises:
        InputError: an array is not what it must be, a side has no seed, or a pixel is a seed of both.
        OptionError: ``smoothness``, ``neighbours`` or ``clusters`` is not valid.
    """
    image = as_rgb(rgb)
    _check_seeds(foreground_seeds, background_seeds, image.shape[:2])
    if not 0 <= smoothness < np.inf:
        raise OptionError(f"smoothness: expected 0 or more, found {smoothness}; the default is {SMOOTHNESS}")
    if clusters < 1:
        raise OptionError(f"clusters: expected 1 or more, found {clusters}; the default is {CLUSTERS}")
    # R_p("obj") = -ln Pr(I_p | "obj"),  R_p("bkg") = -ln Pr(I_p | "bkg")
    as_person, as_background = (
        -log_likelihood(image, learn_colours(image[seeds], clusters)) for seeds in (foreground_seeds, background_seeds)
    )
    return minimum_cut(
        as_person, as_background, pair_weights(image, neighbours), smoothness, foreground_seeds, background_seeds
    )


def pair_weights(rgb: Floats, neighbours: int = 8) -> list[Floats]:
    """B_pq of every pair of neighbours.

    Args:
        rgb: HxWx3 in 0..1.
        neighbours: 4 or 8.

    Returns:
        One array for each direction: right Hx(W-1), down (H-1)xW, and with 8 neighbours down-right and
        down-left, (H-1)x(W-1); each in 0..1.

    Raises:
        OptionError: another number of neighbours.
    """
    if neighbours not in (4, 8):
        raise OptionError(f"neighbours: expected 4 or 8, found {neighbours}; the default is 8")
    pairs = _PAIRS[: neighbours // 2]
    contrasts = [((rgb[p] - rgb[q]) ** 2).sum(axis=2) for p, q, _, _ in pairs]
    count = sum(c.size for c in contrasts)
    # sigma^2 = mean ||I_p - I_q||^2; a constant photo has no contrast and every weight is 1 / dist
    variance = sum(float(c.sum()) for c in contrasts) / max(count, 1)
    # B_pq = exp(-||I_p - I_q||^2 / 2 sigma^2) / dist(p, q)
    return [
        np.exp(-contrast / (2 * variance if variance > 0 else 1.0)) / distance
        for contrast, (_, _, _, distance) in zip(contrasts, pairs, strict=True)
    ]


def cut_energy(
    mask: Bools, as_person: Floats, as_background: Floats, weights: list[Floats], smoothness: float
) -> float:
    """E(A) of the module's docstring.

    Args:
        mask: HxW, True for the person.
        as_person: HxW, R_p of a person pixel.
        as_background: HxW, R_p of a background pixel.
        weights: of ``pair_weights``.
        smoothness: lambda.

    Returns:
        The energy.
    """
    regions = float(np.where(mask, as_person, as_background).sum())
    pairs = zip(weights, _PAIRS, strict=False)
    return regions + smoothness * sum(float(w[mask[p] != mask[q]].sum()) for w, (p, q, _, _) in pairs)


def minimum_cut(
    as_person: Floats,
    as_background: Floats,
    weights: list[Floats],
    smoothness: float,
    foreground_seeds: Bools,
    background_seeds: Bools,
) -> Bools:
    """The global minimum of E(A) among the masks that obey the seeds.

    Args:
        as_person: HxW, R_p of a person pixel, finite.
        as_background: HxW, R_p of a background pixel, finite.
        weights: of ``pair_weights``.
        smoothness: lambda, 0 or more.
        foreground_seeds: HxW, True on every pixel that must be person.
        background_seeds: HxW, True on every pixel that must be background.

    Returns:
        HxW, True for the person.
    """
    base = np.minimum(as_person, as_background)  # capacities may not be negative; a constant changes no cut
    to_source, to_sink = as_background - base, as_person - base
    # K = 1 + max_p sum_q B_pq: no set of n-links is dearer than a seed's t-link, times lambda
    around = np.zeros(as_person.shape)
    for weight, (p, q, _, _) in zip(weights, _PAIRS, strict=False):
        around[p] += weight
        around[q] += weight
    hard = 1.0 + smoothness * float(around.max())
    to_source, to_sink = (
        np.where(own, hard, np.where(other, 0.0, cost))
        for own, other, cost in (
            (foreground_seeds, background_seeds, to_source),
            (background_seeds, foreground_seeds, to_sink),
        )
    )
    graph = maxflow.Graph[float](as_person.size, len(weights) * as_person.size)
    nodes = graph.add_grid_nodes(as_person.shape)
    for weight, (p, _, structure, _) in zip(weights, _PAIRS, strict=False):
        capacity = np.zeros(as_person.shape)
        capacity[p] = smoothness * weight
        graph.add_grid_edges(nodes, weights=capacity, structure=np.array(structure), symmetric=True)
    graph.add_grid_tedges(nodes, to_source, to_sink)
    graph.maxflow()
    return np.asarray(~graph.get_grid_segments(nodes), dtype=np.bool_)  # False: the source's side, the person


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


def seeds_from_mask(coarse_mask: AnyArray, erode_px: float = 15, dilate_px: float = 30) -> tuple[Bools, Bools]:
    """Seeds from a coarse mask: surely person deep inside, surely background far outside.

    Where a side is nowhere that deep its seeds are the half of it that is deepest, by distance. The photo's
    border is no boundary.

    Args:
        coarse_mask: HxW in 0..1 or bool, person from 0.5 on.
        erode_px: person seeds are farther than this from the background, in pixels, 0 or more.
        dilate_px: background seeds are farther than this from the person, in pixels, 0 or more.

    Returns:
        Foreground seeds and background seeds, HxW each, neither empty.

    Raises:
        InputError: not a map, or the mask has no person or no background.
        OptionError: a distance is negative.
    """
    person = as_map("coarse_mask", coarse_mask, coarse_mask.shape[:2]) >= 0.5
    if person.all() or not person.any():
        found = "person" if person.any() else "background"
        raise InputError(f"coarse_mask: expected person and background, found only {found}; use seeds_from_prior")
    if not (erode_px >= 0 and dilate_px >= 0):
        raise OptionError(f"erode_px, dilate_px: expected 0 or more, found {erode_px}, {dilate_px}; try 15, 30")
    return _deep(person, erode_px), _deep(~person, dilate_px)


def _deep(side: Bools, depth_px: float) -> Bools:
    distance = cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance > min(depth_px, float(distance.max()) / 2), dtype=np.bool_)


def seeds_from_prior(shape: tuple[int, int]) -> tuple[Bools, Bools]:
    """Seeds for a selfie without any estimate: an ellipse for the face, a block for the chest, the upper sides.

    Args:
        shape: (H, W), at least 16x16.

    Returns:
        Foreground seeds and background seeds, HxW each.

    Raises:
        InputError: the shape is smaller.
    """
    height, width = shape
    if min(shape) < 16:
        raise InputError(f"shape: expected 16x16 or more, found {shape}; use a larger photo")
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None] + 0.5) / width
    face = ((y - 0.43) / 0.12) ** 2 + ((x - 0.5) / 0.11) ** 2 < 1
    chest = (y > 0.8) & (np.abs(x - 0.5) < 0.15)
    corner = (y < 0.4) & (np.abs(x - 0.5) > 0.46)
    top = (y < 0.03) & (np.abs(x - 0.5) > 0.35)
    return np.asarray(face | chest, dtype=np.bool_), np.asarray(corner | top, dtype=np.bool_)


def _check_seeds(foreground_seeds: Bools, background_seeds: Bools, shape: tuple[int, ...]) -> None:
    for name, seeds in (("foreground_seeds", foreground_seeds), ("background_seeds", background_seeds)):
        if seeds.shape != shape or seeds.dtype != np.bool_:
            found = f"{seeds.dtype} of shape {seeds.shape}"
            raise InputError(f"{name}: expected bool of the photo's shape {shape}, found {found}; compare first")
        if not seeds.any():
            raise InputError(f"{name}: expected at least one pixel, found none; mark one or use seeds_from_prior")
    if (foreground_seeds & background_seeds).any():
        raise InputError("seeds: expected each pixel on one side, found some on both; remove the overlap")
