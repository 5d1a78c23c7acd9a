"""What a predictor gives, coarse and refined, and how its maps are read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.labels import check_label_size, read_label
from portraiture.training.data.layouts import Sample

SUFFIXES = ("", "_coarse")
"""Endings of the figures' names: of the refined and of the coarse map."""


@dataclass(frozen=True)
class PredictedMaps:
    """Refined and coarse mask and depth (H, W) in 0..1 at the photo's size; None where a predictor has no such map."""

    mask: np.ndarray | None
    depth: np.ndarray | None
    coarse_mask: np.ndarray | None
    coarse_depth: np.ndarray | None


Predict = Callable[[np.ndarray], PredictedMaps]
"""From a photo HxWx3 uint8 to its maps."""


def by_suffix(what: str, refined: np.ndarray | None, coarse: np.ndarray | None) -> dict[str, np.ndarray]:
    """The maps that a predictor gave, by the ending of their figures' names.

    Args:
        what: the word for them in the message, such as "masks".
        refined, coarse: (H, W) in 0..1, or None.

    Raises:
        InputError: there is no refined map.
    """
    if refined is None:
        raise InputError(f"evaluate: expected a predictor of {what}, found one that gives none; choose another network")
    return {"": refined} if coarse is None else {"": refined, "_coarse": coarse}


def read_photo_and_mask(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) uint8 and its mask (H, W) of bool; raises where the sizes differ."""
    rgb, truth = read_photo(sample.photo), read_label(sample)
    check_label_size(sample, rgb, truth)
    return rgb, truth
