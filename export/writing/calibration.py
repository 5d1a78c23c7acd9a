"""What a model is shown to find the ranges of its activations: the user's photos, as the model would get them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portraiture.export.contract import APERTURE, Size, model_contract
from portraiture.export.formats import LAYOUT, Target
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import to_layout
from portraiture.reference.errors import OptionError
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.photo.read import read_photo

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")

MOST_PHOTOS = 64
"""More of them do not change the ranges any more, and each is kept in memory."""


APERTURES = (APERTURE_PAPER, APERTURE.high, APERTURE_PAPER / 2)
"""Given to the photos in turns."""


def calibration_photos(folder: Path) -> tuple[Path, ...]:
    """The photos of a folder, at most ``MOST_PHOTOS``, evenly spread over the sorted names.

    Raises:
        OptionError: no folder, or no photo in it.
    """
    if not folder.is_dir():
        raise OptionError(f"--calibrate: expected a folder of photos, found none at {folder}")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)
    if not found:
        raise OptionError(f"--calibrate: expected photos ({', '.join(PHOTO_SUFFIXES)}) in {folder}, found none")
    places = np.linspace(0, len(found) - 1, min(len(found), MOST_PHOTOS)).round().astype(int)
    return tuple(found[k] for k in places)


def tflite_samples(name: str, size: Size, photos: Sequence[Path], truth: Truth) -> list[dict[str, np.ndarray]]:
    """Inputs of a model, a photo each, in TFLite's layout.

    Maps are the network's own, the focus is on the person.

    Args:
        name: of the model.
        size: its size.
        photos: files; each is stretched to the size, as an app would.
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
