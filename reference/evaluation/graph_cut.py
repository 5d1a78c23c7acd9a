"""Interactive graph cuts (Boykov, Jolly 2001, the paper's [3]): the GC row of table 1, a baseline for the mask.

Seeds are hard constraints and the source of two colour models; one minimum cut then gives the global minimum of
    E(A) = sum_p R_p(A_p) + lambda sum_{p,q in N} B_pq 1(A_p != A_q).
Units: R is in nats, limited at ``OUTLIERS``; B is at most 1 for a horizontal pair.
"""

import maxflow
import numpy as np

from portraiture.reference.arrays import AnyArray, Bools, Floats, as_rgb
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.colour_model import CLUSTERS, learn_colours, log_likelihood

SMOOTHNESS = 100.0
"""The best of 10..200 for ``seeds_from_prior`` on 43 selfies of Shen's training list at 400x300."""


_PAIRS = (
    (np.s_[:, :-1], np.s_[:, 1:], ((0, 0, 0), (0, 0, 1), (0, 0, 0)), 1.0),
    (np.s_[:-1, :], np.s_[1:, :], ((0, 0, 0), (0, 0, 0), (0, 1, 0)), 1.0),
    (np.s_[:-1, :-1], np.s_[1:, 1:], ((0, 0, 0), (0, 0, 0), (0, 0, 1)), 2**0.5),
    (np.s_[:-1, 1:], np.s_[1:, :-1], ((0, 0, 0), (0, 0, 0), (1, 0, 0)), 2**0.5),
)
"""Pixels p, their neighbours q, the step p -> q as PyMaxflow's structure, and the distance."""


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
        as_person: HxW, R_p of a person pixel, in nats.
        as_background: HxW, R_p of a background pixel, in nats.
        weights: those of ``pair_weights``, in 0..1.
        smoothness: lambda, 0 or more.

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
        weights: those of ``pair_weights``, in 0..1.
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


def _check_seeds(foreground_seeds: Bools, background_seeds: Bools, shape: tuple[int, ...]) -> None:
    for name, seeds in (("foreground_seeds", foreground_seeds), ("background_seeds", background_seeds)):
        if seeds.shape != shape or seeds.dtype != np.bool_:
            found = f"{seeds.dtype} of shape {seeds.shape}"
            raise InputError(f"{name}: expected bools of the photo's shape {shape}, found {found}; pass such an array")
        if not seeds.any():
            raise InputError(f"{name}: expected at least one pixel, found none; mark one or use seeds_from_prior")
    if (foreground_seeds & background_seeds).any():
        raise InputError("seeds: expected each pixel on one side, found some on both; remove the overlap")
