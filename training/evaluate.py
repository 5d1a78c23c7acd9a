"""Evaluation: the same figures for any predictor, whatever runtime or network is behind it.

Figures of the refined maps have plain names, those of the coarse maps, where a predictor has them, end in ``_coarse``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.reference.metrics import boundary_f, iou, psnr_db, ssim
from portraiture.training.data.cache import NYU_BORDER_PX, read_rgb
from portraiture.training.data.ordinal import MIN_LEVEL, DiwRecord, sample_pairs
from portraiture.training.data.pairs import Sample, check_label_size, read_depth, read_mask

PAIRS_PER_SET = 5000
NOTICEABLE_AREA = 0.02
"""A photo of nobody with more of it taken for a person is counted."""

NAMES = ("", "_coarse")


@dataclass(frozen=True)
class PredictedMaps:
    """Refined and coarse mask and depth (H, W) in 0..1 at the photo's size; None where a predictor has no such map."""

    mask: np.ndarray | None
    depth: np.ndarray | None
    coarse_mask: np.ndarray | None
    coarse_depth: np.ndarray | None


Predict = Callable[[np.ndarray], PredictedMaps]
"""From a photo HxWx3 uint8 to its maps."""


def _named(what: str, refined: np.ndarray | None, coarse: np.ndarray | None) -> dict[str, np.ndarray]:
    """The maps that are there, by the ending of their figures' names; the refined one must be."""
    if refined is None:
        raise InputError(f"evaluate: expected a predictor of {what}, found one that gives none; leave it out")
    return {"": refined} if coarse is None else {"": refined, "_coarse": coarse}


def _read_pair(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 and its mask (H, W) of bool; raises where the sizes differ."""
    rgb, truth = read_rgb(sample.photo), read_mask(sample.label)
    check_label_size(sample, rgb, truth)
    return rgb, truth


def score_masks(samples: Sequence[Sample], predict: Predict) -> tuple[dict[str, float], list[float]]:
    """Figures of a set, and the refined mask's IoU of each photo.

    Args:
        samples: photos with masks.
        predict: gives masks.

    Returns:
        ``mean_iou`` (mean of the photos'), ``set_iou`` (of the set's pixels), ``boundary_f_2px`` (at 2 px of the
        photo's own size), each 0..1, with the number of ``photos``; and the IoU in the order of the samples.

    Raises:
        InputError: a file cannot be read, or a label's size is not its photo's.
    """
    per_image: dict[str, list[float]] = {n: [] for n in NAMES}
    boundary: dict[str, list[float]] = {n: [] for n in NAMES}
    pixels = {n: np.zeros(2) for n in NAMES}
    for sample in tqdm(samples, unit="photo", desc="segmentation"):
        rgb, truth = _read_pair(sample)
        maps = predict(rgb)
        for name, soft in _named("masks", maps.mask, maps.coarse_mask).items():
            mask = soft >= 0.5
            per_image[name].append(iou(mask, truth))
            boundary[name].append(boundary_f(mask, truth))
            pixels[name] += ((mask & truth).sum(), (mask | truth).sum())
    result: dict[str, float] = {"photos": len(samples)}
    for name in NAMES:
        if per_image[name]:
            result[f"mean_iou{name}"] = float(np.mean(per_image[name]))
            result[f"set_iou{name}"] = float(pixels[name][0] / max(1, pixels[name][1]))
            result[f"boundary_f_2px{name}"] = float(np.mean(boundary[name]))
    return result, per_image[""]


def evaluate_segmentation(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """The figures of :func:`score_masks`."""
    return score_masks(samples, predict)[0]


def evaluate_nobody(photos: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """What is taken for a person in photos that show nobody.

    Args:
        photos: without a person; their labels are not read.
        predict: gives masks.

    Returns:
        ``false_area``: mean share of pixels with a mask of 0.5 or more. ``photos_above_2_percent``: how many photos
        have more than 2 % of such pixels.
    """
    areas: dict[str, list[float]] = {n: [] for n in NAMES}
    for photo in tqdm(photos, unit="photo", desc="nobody"):
        maps = predict(read_rgb(photo.photo))
        for name, soft in _named("masks", maps.mask, maps.coarse_mask).items():
            areas[name].append(float((soft >= 0.5).mean()))
    result: dict[str, float] = {"photos": len(photos)}
    for name, found in areas.items():
        if found:
            result[f"false_area{name}"] = float(np.mean(found))
            result[f"photos_above_2_percent{name}"] = sum(a > NOTICEABLE_AREA for a in found)
    return result


def body_std(depth: np.ndarray, person: np.ndarray) -> float:
    """Standard deviation of a depth (H, W) inside a mask (H, W) of bool, in the depth's units: std(z[person])."""
    return float(depth[person].astype(np.float64).std())


def body_spread(depth: np.ndarray, person: np.ndarray) -> float:
    """How much the body's depth varies beside the photo's: std(z[person]) / std(z).

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
    found: dict[str, list[float]] = {f"{key}{name}": [] for name in NAMES for key in _BODY_FIGURES}
    passed_over = 0
    for sample in tqdm(samples, unit="photo", desc="depth on people"):
        rgb, person = _read_pair(sample)
        if person.all() or not person.any():
            passed_over += 1
            continue
        maps = predict(rgb)
        for name, depth in _named("depth", maps.depth, maps.coarse_depth).items():
            for key, figure in _BODY_FIGURES.items():
                found[f"{key}{name}"].append(figure(depth, person))
    judged = len(samples) - passed_over
    if not judged:
        raise InputError(
            f"evaluate depth: expected masks of person and background, found none in {len(samples)} labels"
        )
    means = {key: float(np.mean(values)) for key, values in found.items() if values}
    return {"photos": judged, "photos_passed_over": passed_over, **means}


def _whdr(wrong: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """Share of wrong pairs of all photos together, by name."""
    joined = {name: np.concatenate([w[name] for w in wrong]) for name in wrong[0]}
    if not joined[""].size:
        raise InputError("evaluate depth: expected pairs of known and unequal depth, found none; check the depth maps")
    return {"pairs": joined[""].size, **{f"whdr{name}": float(w.mean()) for name, w in joined.items()}}


def evaluate_ordinal(
    samples: Sequence[Sample], predict: Predict, border_px: int = 0, least_level: float = 1
) -> dict[str, float]:
    """WHDR, equal weights, on about 5,000 seeded pairs of a set.

    Args:
        samples: photos with depth maps, larger is farther, 0 unknown.
        predict: gives depth.
        border_px: rim that is cut from photo and label.
        least_level: smallest depth level that is known.

    Returns:
        ``whdr`` in 0..1 (a tie is wrong), ``pairs`` and ``photos``.

    Raises:
        InputError: a file cannot be read, a label's size is not its photo's, or there are no pairs.
    """
    rng = np.random.default_rng(0)
    count = -(-PAIRS_PER_SET // len(samples))
    wrong = []
    for sample in tqdm(samples, unit="photo", desc="depth"):
        rgb, level = read_rgb(sample.photo), read_depth(sample.label)
        check_label_size(sample, rgb, level)
        inner = slice(border_px, -border_px or None)
        # unknown and nearly equal pairs are dropped: draw more, keep what is asked for
        known_from_4 = level[inner, inner] * ((MIN_LEVEL + 1) / least_level)
        pairs = sample_pairs(known_from_4, 4 * count, rng)
        a, b, relation = pairs.a[:count], pairs.b[:count], pairs.relation[:count]
        maps = predict(np.ascontiguousarray(rgb[inner, inner]))
        named = _named("depth", maps.depth, maps.coarse_depth)
        wrong.append({name: np.sign(z.ravel()[a] - z.ravel()[b]) != relation for name, z in named.items()})
    return {"photos": len(samples), **_whdr(wrong)}


def evaluate_nyu(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """:func:`evaluate_ordinal` without NYU's outer 12 px, and without its levels of 3 and less."""
    return evaluate_ordinal(samples, predict, NYU_BORDER_PX, MIN_LEVEL + 1)


def evaluate_diw(records: Sequence[DiwRecord], predict: Predict) -> dict[str, float]:
    """WHDR on Depth in the Wild, one pair a photo."""
    wrong = []
    for record in tqdm(records, unit="photo", desc="depth"):
        maps = predict(read_rgb(record.photo))
        judged = {}
        for name, depth in _named("depth", maps.depth, maps.coarse_depth).items():
            scale = np.array(depth.shape) / record.size
            (ya, xa), (yb, xb) = (tuple((np.array(p) * scale).astype(int)) for p in (record.a, record.b))
            judged[name] = np.array([np.sign(depth[ya, xa] - depth[yb, xb]) != record.relation])
        wrong.append(judged)
    return {"photos": len(records), **_whdr(wrong)}


def evaluate_filters(pictures: Iterable[tuple[dict[str, np.ndarray], np.ndarray]]) -> dict[str, dict[str, float]]:
    """Mean PSNR and SSIM of filters.

    Args:
        pictures: of each photo, the filters' pictures by name and the reference's, HxWx3 float in 0..1.

    Returns:
        ``photos``, ``psnr_db`` and ``ssim`` by the filter's name.

    Raises:
        InputError: there are no pictures.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for by_name, reference in pictures:
        for name, picture in by_name.items():
            found.setdefault(name, []).append((psnr_db(picture, reference), ssim(picture, reference)))
    if not found:
        raise InputError("evaluate filter: expected a photo on which a person is found, found none; take other photos")
    means = {name: np.mean(figures, 0) for name, figures in found.items()}
    return {
        name: {"photos": len(found[name]), "psnr_db": float(psnr), "ssim": float(similarity)}
        for name, (psnr, similarity) in means.items()
    }
