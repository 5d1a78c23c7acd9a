"""Mattes against those that closed-form matting finds from the true masks: the app's, the mask, the reference's."""

from collections.abc import Sequence

import numpy as np

from portraiture.export.pipeline.compose import matte_of
from portraiture.reference.errors import InputError
from portraiture.reference.matte_metrics import matte_errors
from portraiture.reference.matting.closed_form import closed_form_matte_band
from portraiture.reference.matting.matte import matte
from portraiture.reference.matting.trimap import UNKNOWN, is_solvable, trimap
from portraiture.tools.progress import over
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import Predict, read_photo_and_mask

ENDINGS = ("", "_mask", "_solved")
"""Of the figures: of the curve of the mask that an app takes, of the mask, of the reference's matting of it."""


def evaluate_mattes(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """Mean errors of three mattes in the band of ``TRIMAP_PX`` around the true mask's outline, at the photo's size.

    Args:
        samples: photos with masks, good ones: the band is solved from what lies beyond it.
        predict: gives the mask.

    Returns:
        ``photos``, and by each of ``ENDINGS`` the errors of :func:`matte_errors`.

    Raises:
        InputError: a file cannot be read, or no photo has an outline.
    """
    found: dict[str, list[float]] = {}
    photos = 0
    for sample in over(samples, len(samples), "photo", "matte"):
        rgb, person = read_photo_and_mask(sample)
        parts, light = trimap(person.astype(np.float64)), rgb / 255
        if not is_solvable(parts):
            continue
        photos += 1
        mask = predict(rgb).mask
        if mask is None:
            raise InputError("evaluate matte: expected a network of masks, found one of depth; choose another")
        soft = np.asarray(mask, np.float64)
        truth = closed_form_matte_band(light, parts)
        for ending, judged in zip(ENDINGS, (matte_of(soft), soft, matte(light, soft)), strict=True):
            for name, error in matte_errors(judged, truth, parts == UNKNOWN).items():
                found.setdefault(f"{name}{ending}", []).append(error)
    if not photos:
        raise InputError("evaluate matte: expected a photo with a person's outline, found none; take other photos")
    return {"photos": photos, **{name: float(np.mean(errors)) for name, errors in found.items()}}
