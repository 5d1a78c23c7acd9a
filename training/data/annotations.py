"""Masks of people from annotation files: COCO's ``annotations.json`` and Supervisely's ``ann/NAME.json``.

They are drawn once into the user's cache folder, named after the annotations' content, and read from there as masks.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from portraiture.reference.errors import InputError
from portraiture.reference.files import cache_folder, new_folder, read_bytes
from portraiture.reference.photo.decode import TURNS
from portraiture.reference.photo.kinds import DAMAGE
from portraiture.training.data.annotation_shapes import coco_masks, supervisely_masks

DRAWING = 1
"""Enters the name of the folder of masks: raise it when they are drawn otherwise."""


def annotation_files(root: Path) -> list[Path]:
    """The annotations of a folder: COCO's one file, or Supervisely's one per photo; empty where there are none."""
    one = [root / "annotations.json", *sorted((root / "annotations").glob("*.json"))]
    coco = [path for path in one if path.is_file()]
    return coco or sorted((root / "ann").glob("*.json"))


def drawn_masks(root: Path, photos: Sequence[Path]) -> Path:
    """The folder of the photos' masks, ``STEM.png`` each, drawn when they are asked for the first time.

    Args:
        root: the folder with the annotations.
        photos: of it, with file names as the annotations give them.

    Raises:
        InputError: a photo has no annotations, or they are of another form or damaged.
    """
    files = annotation_files(root)
    if len(files) > 1 and files[0].parent.name != "ann":
        raise InputError(
            f"{files[0].parent}: expected one file of annotations, found {len(files)}; leave the one of these photos"
        )
    content = hashlib.sha256(f"{DRAWING}".encode())
    for path in files:
        content.update(path.name.encode() + hashlib.sha256(read_bytes(path, "annotations")).digest())
    for photo in photos:
        content.update(photo.name.encode())
    folder = cache_folder() / f"masks-{content.hexdigest()[:16]}"
    if not folder.is_dir():
        draw = supervisely_masks(files) if files[0].parent.name == "ann" else coco_masks(files[0])
        with new_folder(folder) as temporary:
            for photo in photos:
                cv2.imwrite(str(temporary / f"{photo.stem}.png"), _upright(photo, draw(photo.name)))
    return folder


def _upright(photo: Path, mask: np.ndarray) -> np.ndarray:
    """A mask as its photo is looked at; annotated on the photo as it is stored, on its side, it is turned with it."""
    try:
        with Image.open(photo) as image:
            stored, turn = (image.height, image.width), image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE as error:
        raise InputError(f"{photo}: expected a photo, found bytes that do not decode; copy it again") from error
    shown = stored[::-1] if turn >= 5 else stored
    if mask.shape == shown:
        return mask
    if mask.shape == stored:
        return np.asarray(Image.fromarray(mask).transpose(TURNS[turn]))
    raise InputError(
        f"{photo}: expected annotations of {shown[0]}x{shown[1]} (height x width), found {mask.shape[0]}x"
        f"{mask.shape[1]}; export them for this photo"
    )
