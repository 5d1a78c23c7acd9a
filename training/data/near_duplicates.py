"""Photos of one shot or sitting lie on one side of the split: the list of them, and how they are found.

``near_duplicates.csv`` names each group's photos by set and id, the part in which each would lie by its place in its
set, and the side that the whole group belongs to: training as soon as one photo lies in a set's training part.
``python -m portraiture.tools.evaluate.near_duplicates`` writes it.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

LIST = Path(__file__).parent / "near_duplicates.csv"

LEAST_SIMILARITY = 0.55
"""Photos are compared closely from this cosine of their features on; of four pairs known by eye the least had 0.68."""

SURE_MATCHES, LEAST_MATCHES, SURE_SIMILARITY = 10, 6, 0.68
"""Points that lie alike in both photos: so many make a near-duplicate, or fewer of very similar photos. Looked at on a
sheet of the 102 pairs with 6 to 14 points; the four pairs known by eye have 31 and more."""

_POINTS, _SIDE_PX, _RATIO, _REACH_PX = 500, 320, 0.75, 4.0

_MOST_SCALE = 3.0


@dataclass(frozen=True)
class Keypoints:
    """SIFT: places (n, 2) in pixels and descriptors (n, 128); both may be empty."""

    places: np.ndarray
    descriptors: np.ndarray


@cache
def _listed() -> list[dict[str, str]]:
    with LIST.open(newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def in_training() -> frozenset[tuple[str, str]]:
    """Set and id of every photo whose place in its set is in the held-out part, and whose group belongs to training."""
    moved = ("validation", "train")
    return frozenset((row["set"], row["id"]) for row in _listed() if (row["place"], row["side"]) == moved)


@cache
def listed_sets() -> frozenset[str]:
    """Names of the sets whose groups the list knows."""
    return frozenset(row["set"] for row in _listed())


def keypoints(rgb: np.ndarray) -> Keypoints:
    """Points of a photo HxWx3 uint8, seen at a longest side of 320 px."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    factor = _SIDE_PX / max(grey.shape)
    grey = np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    found, descriptors = cv2.SIFT_create(_POINTS).detectAndCompute(grey, None)  # type: ignore[attr-defined]
    if descriptors is None:
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    return Keypoints(np.array([p.pt for p in found], np.float32), descriptors)


def matches(one: Keypoints, other: Keypoints, one_to_one: bool = False) -> int:
    """Points of two photos that one rotation, scale and shift brings onto each other: of the same background.

    Args:
        one, other: of two photos.
        one_to_one: each point counts once, and what shrinks a photo to a spot is no match. The shipped list was made
            without, between photos of similar features.
    """
    if min(len(one.places), len(other.places)) < 4:
        return 0
    pairs = [p for p in cv2.BFMatcher().knnMatch(one.descriptors, other.descriptors, k=2) if len(p) == 2]
    good = [best for best, second in pairs if best.distance < _RATIO * second.distance]
    if one_to_one:
        nearest = sorted(good, key=lambda m: m.distance)
        good = list({tuple(other.places[m.trainIdx].round()): m for m in reversed(nearest)}.values())
        good = list({tuple(one.places[m.queryIdx].round()): m for m in good}.values())
    if len(good) < 4:
        return 0
    cv2.setRNGSeed(0)
    matrix, inside = cv2.estimateAffinePartial2D(
        one.places[[m.queryIdx for m in good]], other.places[[m.trainIdx for m in good]],
        ransacReprojThreshold=_REACH_PX,
    )  # fmt: skip
    if inside is None or (one_to_one and not 1 / _MOST_SCALE < np.hypot(*matrix[:, 0]) < _MOST_SCALE):
        return 0
    return int(inside.sum())


def are_near_duplicates(similarity: float, points: int) -> bool:
    """The rule.

    Args:
        similarity: cosine of the photos' features, -1..1.
        points: from :func:`matches`.
    """
    return points >= SURE_MATCHES or (points >= LEAST_MATCHES and similarity >= SURE_SIMILARITY)


def groups_of(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Groups of two or more that pairs connect, each ascending, in the order of their first members.

    >>> groups_of(6, [(4, 1), (1, 2), (0, 5)])
    [[0, 5], [1, 2, 4]]

    Args:
        count: number of photos, from 0.
        pairs: numbers of photos that belong together.
    """
    edges = np.array(list(pairs), dtype=np.int64).reshape(-1, 2).T
    _, labels = connected_components(coo_array((np.ones(edges.shape[1]), tuple(edges)), (count, count)), directed=False)
    found: dict[int, list[int]] = {}
    for k, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(k)
    return [group for group in found.values() if len(group) > 1]


def standardized(features: np.ndarray) -> np.ndarray:
    """Features (n, d), each dimension standardized over the photos, each photo's of length 1; 0 where all are equal."""
    standard = (features - features.mean(0)) / (features.std(0) + 1e-6)
    return np.asarray(standard / np.maximum(np.linalg.norm(standard, axis=1, keepdims=True), 1e-6))


def similarities(features: np.ndarray) -> np.ndarray:
    """Cosines (n, n) of :func:`standardized` features (n, d); the diagonal is -1."""
    standard = standardized(features)
    cosines = standard @ standard.T
    np.fill_diagonal(cosines, -1)
    return np.asarray(cosines)


def write_list(groups: Sequence[Sequence[tuple[str, str, bool]]], path: Path = LIST) -> None:
    """Write the list.

    Args:
        groups: of each photo its set, its id, and whether it lies in its set's training part.
        path: file to write.
    """
    rows = ["group,set,id,place,side"]
    for number, group in enumerate(groups, 1):
        side = "train" if any(trained for *_, trained in group) else "validation"
        for name, identity, trained in group:
            rows.append(f"{number},{name},{identity},{'train' if trained else 'validation'},{side}")
    path.write_text("\n".join(rows) + "\n")
