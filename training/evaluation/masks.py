"""Figures of masks, the same for any predictor, whatever runtime or network is behind it.

Figures of the refined maps have plain names, those of the coarse maps, where a predictor has them, end in ``_coarse``.
"""

from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm

from portraiture.reference.arrays import person_pixels
from portraiture.reference.metrics import boundary_f, iou, share_found
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import SUFFIXES, Predict, by_suffix, read_photo_and_mask

NOTICEABLE_AREA = 0.02
"""Share of a photo of nobody: those with more of it taken for a person are counted. Chosen, not measured."""


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

    def masks_of(_: Sample, rgb: np.ndarray, __: np.ndarray) -> dict[str, np.ndarray]:
        maps = predict(rgb)
        return by_suffix("masks", maps.mask, maps.coarse_mask)

    return score(samples, masks_of, "segmentation")


MasksOf = Callable[[Sample, np.ndarray, np.ndarray], dict[str, np.ndarray]]
"""From a sample, its photo HxWx3 uint8 and its true mask HxW of bool to soft masks by the ending of their figures."""


def score(samples: Sequence[Sample], masks_of: MasksOf, what: str) -> tuple[dict[str, float], list[float]]:
    """As :func:`score_masks`, of masks from anywhere.

    Args:
        samples: photos with masks.
        masks_of: gives masks.
        what: the word beside the bar.

    Raises:
        InputError: a file cannot be read, or a label's size is not its photo's.
    """
    per_image: dict[str, list[float]] = {n: [] for n in SUFFIXES}
    boundary: dict[str, list[float]] = {n: [] for n in SUFFIXES}
    pixels = {n: np.zeros(2) for n in SUFFIXES}
    for sample in tqdm(samples, unit="photo", desc=what, disable=None):
        rgb, truth = read_photo_and_mask(sample)
        for name, soft in masks_of(sample, rgb, truth).items():
            mask = person_pixels(soft)
            per_image[name].append(iou(mask, truth))
            boundary[name].append(boundary_f(mask, truth))
            pixels[name] += ((mask & truth).sum(), (mask | truth).sum())
    result: dict[str, float] = {"photos": len(samples)}
    for name in SUFFIXES:
        if per_image[name]:
            result[f"mean_iou{name}"] = float(np.mean(per_image[name]))
            result[f"set_iou{name}"] = float(pixels[name][0] / max(1, pixels[name][1]))
            result[f"boundary_f_2px{name}"] = float(np.mean(boundary[name]))
    return result, per_image[""]


def evaluate_segmentation(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """The figures of :func:`score_masks`."""
    return score_masks(samples, predict)[0]


def evaluate_parts(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """How much of a labelled part of the person, such as the hair, the masks have.

    Args:
        samples: photos whose labels show a part alone.
        predict: gives masks.

    Returns:
        ``found``: mean share of the part with a mask of 0.5 or more, 0..1; ``photos_below_half``: how many photos have
        less than half of it.

    Raises:
        InputError: as :func:`score_masks`.
    """
    shares: dict[str, list[float]] = {n: [] for n in SUFFIXES}
    for sample in tqdm(samples, unit="photo", desc="parts", disable=None):
        rgb, part = read_photo_and_mask(sample)
        maps = predict(rgb)
        for name, soft in by_suffix("masks", maps.mask, maps.coarse_mask).items():
            shares[name].append(share_found(person_pixels(soft), part))
    result: dict[str, float] = {"photos": len(samples)}
    for name, found in shares.items():
        if found:
            result[f"found{name}"] = float(np.mean(found))
            result[f"photos_below_half{name}"] = sum(share < 0.5 for share in found)
    return result


def evaluate_nobody(photos: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """What is taken for a person in photos that show nobody.

    Args:
        photos: without a person; their labels are not read.
        predict: gives masks.

    Returns:
        ``false_area``: mean share of pixels with a mask of 0.5 or more. ``photos_above_2_percent``: how many photos
        have more than 2 % of such pixels.
    """
    areas: dict[str, list[float]] = {n: [] for n in SUFFIXES}
    for photo in tqdm(photos, unit="photo", desc="nobody", disable=None):
        maps = predict(read_photo(photo.photo))
        for name, soft in by_suffix("masks", maps.mask, maps.coarse_mask).items():
            areas[name].append(float(person_pixels(soft).mean()))
    result: dict[str, float] = {"photos": len(photos)}
    for name, found in areas.items():
        if found:
            result[f"false_area{name}"] = float(np.mean(found))
            result[f"photos_above_2_percent{name}"] = sum(a > NOTICEABLE_AREA for a in found)
    return result
