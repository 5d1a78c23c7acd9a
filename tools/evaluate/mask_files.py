"""Masks that another program wrote, as a row of ``evaluate segmentation --compare``."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.photo.maps import read_map
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import Predict, PredictedMaps


def masks_of(folder: Path, samples: Sequence[Sample]) -> Predict:
    """A predictor that knows these photos alone.

    Args:
        folder: ``STEM.png`` or ``STEM.npy`` for each photo file STEM, of the photo's size; see ``read_map``.
        samples: the photos.

    Raises:
        InputError: a photo has no mask, or cannot be read.
    """
    files = {}
    for sample in samples:
        found = [file for file in (folder / f"{sample.photo.stem}{end}" for end in (".png", ".npy")) if file.is_file()]
        if not found:
            raise InputError(f"{folder}: expected {sample.photo.stem}.png, found none; write a mask for every photo")
        files[_digest(read_photo(sample.photo))] = found[0]

    def predict(rgb: np.ndarray) -> PredictedMaps:
        mask = read_map(files[_digest(rgb)], (rgb.shape[0], rgb.shape[1]))
        return PredictedMaps(mask.astype(np.float32), None, None, None)

    return predict


def _digest(rgb: np.ndarray) -> bytes:
    return hashlib.sha256(rgb.tobytes()).digest() + repr(rgb.shape).encode()
