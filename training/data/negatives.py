"""Photos without a person: backgrounds and examples of nobody."""

from pathlib import Path

import numpy as np

from portraiture.reference.photo.folder import photos_in
from portraiture.training.data.bsds_people import WITH_PEOPLE
from portraiture.training.data.layouts import Sample
from portraiture.training.data.near_duplicates import in_training
from portraiture.training.data.nyu import FOLDER, PERSON, class_map


def person_free_photos(folder: Path) -> list[Sample]:
    """The photos of a folder, or of ``images/`` in it, by name, without those of BSDS500 that show people.

    Raises:
        InputError: there is no photo.
    """
    images = folder / "images"
    photos = photos_in(images if images.is_dir() else folder, "--data backgrounds")
    name, trained = folder.absolute().name, in_training()
    return [Sample(p.stem, p, p, (name, p.stem) in trained) for p in photos if p.stem not in WITH_PEOPLE]


def person_free_rooms(nyu: Path, rooms: list[Sample]) -> np.ndarray:
    """Flags (n,) of rooms whose label map shows nobody; all are False where the set has no label maps."""
    labels = nyu / FOLDER
    if not labels.is_dir():
        return np.zeros(len(rooms), bool)
    return np.array([not (class_map(labels / f"{room.id}.png") == PERSON).any() for room in rooms], bool)
