"""The user's photos as inputs of a model, on which static int8 finds the ranges of its activations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portraiture.export.contract import APERTURE, Size, model_contract
from portraiture.export.formats import LAYOUT, Target
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import to_layout
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.photo.folder import photos_in, spread
from portraiture.reference.photo.read import read_photo

MOST_PHOTOS = 64
"""More of them do not change the ranges any more, and each is kept in memory."""


APERTURES = (APERTURE_PAPER, APERTURE.high, APERTURE_PAPER / 2)
"""One for each photo, in turns: the filter's ranges depend on it."""


def calibration_photos(folder: Path) -> tuple[Path, ...]:
    """The photos of a folder, at most ``MOST_PHOTOS``, evenly spread over the sorted names.

    Raises:
        InputError: no folder, or no photo in it.
    """
    return tuple(spread(photos_in(folder, "--calibrate"), MOST_PHOTOS))


def tflite_samples(name: str, size: Size, photos: Sequence[Path], truth: Truth) -> list[dict[str, np.ndarray]]:
    """Inputs of a model, one set per photo, in TFLite's layout.

    Maps are the network's own, the focus is on the person.

    Args:
        name: of the model.
        size: its size.
        photos: files; each is stretched to the size, as an app does.
        truth: of the weights that are exported.

    Raises:
        InputError: a photo cannot be read.
    """
    contract = model_contract(name)
    samples = []
    for k, path in enumerate(photos):
        feeds = {**truth.feeds(name, size, read_photo(path)), "aperture": APERTURES[k % len(APERTURES)]}
        samples.append({s.name: to_layout(s, feeds[s.name], size, LAYOUT[Target.TFLITE]) for s in contract.inputs})
    return samples
