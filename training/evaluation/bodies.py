"""Figures of people's depth: spread on a body, and the body before its background."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import SUFFIXES, Predict, by_suffix, read_photo_and_mask


def body_std(depth: np.ndarray, person: np.ndarray) -> float:
    """Standard deviation of a depth (H, W) inside a mask (H, W) of bool, in the depth's units: std(z[person])."""
    return float(depth[person].astype(np.float64).std())


def body_spread(depth: np.ndarray, person: np.ndarray) -> float:
    """How much the body's depth varies against the whole photo's: std(z[person]) / std(z).

    Free of scale and offset. A constant depth has no spread to compare with and counts as 1.

    Args:
        depth: (H, W), any scale.
        person: (H, W) of bool, at least one pixel.
    """
    if depth.min() == depth.max():  # its standard deviation need not round to 0
        return 1.0
    return body_std(depth, person) / float(depth.astype(np.float64).std())


def person_rank(depth: np.ndarray, person: np.ndarray) -> float:
    """Share of all (person pixel p, background pixel q) pairs where the person is nearer: z_p < z_q; ties count half.

    1 where the whole background is behind the whole person, 0.5 for a constant depth. Exact, by sorting the
    background once: the area under the curve of depth as a detector of background.

    Args:
        depth: (H, W), larger is farther, any scale.
        person: (H, W) of bool, at least one pixel of each side.
    """
    background = np.sort(depth[~person])
    # farther: background pixels with z > z_p; not nearer: with z >= z_p
    farther = background.size - np.searchsorted(background, depth[person], side="right")
    not_nearer = background.size - np.searchsorted(background, depth[person], side="left")
    return float((farther.mean() + not_nearer.mean()) / 2 / background.size)


_BODY_FIGURES = {"body_spread": body_spread, "body_std": body_std, "person_rank": person_rank}


def evaluate_bodies(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """Depth on photos of people with true masks.

    Args:
        samples: photos with masks; one that shows person or background alone is passed over.
        predict: gives depth.

    Returns:
        Means over the photos of :func:`body_spread`, :func:`body_std` and :func:`person_rank`; ``photos`` counts
        those judged, ``photos_passed_over`` the others.

    Raises:
        InputError: as :func:`score_masks`, or no photo shows both person and background.
    """
    found: dict[str, list[float]] = {f"{key}{name}": [] for name in SUFFIXES for key in _BODY_FIGURES}
    passed_over = 0
    for sample in tqdm(samples, unit="photo", desc="depth on people", disable=None):
        rgb, person = read_photo_and_mask(sample)
        if person.all() or not person.any():
            passed_over += 1
            continue
        maps = predict(rgb)
        for name, depth in by_suffix("depth", maps.depth, maps.coarse_depth).items():
            for key, figure in _BODY_FIGURES.items():
                found[f"{key}{name}"].append(figure(depth, person))
    judged = len(samples) - passed_over
    if not judged:
        raise InputError(
            f"evaluate depth: expected masks of person and background, found none in {len(samples)} labels;"
            " check that the masks are not inverted or empty"
        )
    means = {key: float(np.mean(values)) for key, values in found.items() if values}
    return {"photos": judged, "photos_passed_over": passed_over, **means}
