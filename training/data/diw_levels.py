"""Depth in the Wild as depth maps: its one pair of points a photo is drawn as two disks, the rest is unknown.

The maps are drawn once into the user's cache folder, named after the records' content. Their order alone has a meaning.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.files import cache_folder, new_folder, read_bytes
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.depth_order import DiwRecord, read_diw

DIW_TRAIN = "DIW_train.csv"
"""The records that are trained on."""

NEARER, FARTHER = 80, 240
"""Levels of the two points; chosen, so that no ratio of theirs is close to the least that counts."""

RADIUS = 0.012
"""Radius of a disk as a share of the photo's diagonal, less where the points are near each other. Chosen: a disk is
still there at a quarter of the size."""

_DRAWING = 1
"""Enters the folder's name: raise it when maps are drawn otherwise."""


def drawn_pairs(root: Path) -> dict[Path, Path]:
    """The depth map of each photo of the records; photos that are not there are left out.

    Args:
        root: the folder with ``DIW_train.csv``.

    Raises:
        InputError: no photo is there, or the records are malformed.
    """
    records = [record for record in read_diw(root / DIW_TRAIN) if record.photo.is_file()]
    if not records:
        raise InputError(f"{root / DIW_TRAIN}: expected photos beside it, found none of its own; download them there")
    content = hashlib.sha256(f"{_DRAWING}".encode() + read_bytes(root / DIW_TRAIN, "records"))
    for record in records:
        content.update(str(record.photo.relative_to(root)).encode())
    folder = cache_folder() / f"diw-{content.hexdigest()[:16]}"
    if not folder.is_dir():
        with new_folder(folder) as temporary:
            for k, record in enumerate(records):
                cv2.imwrite(str(temporary / f"{k}.png"), levels_of(record, read_photo(record.photo).shape[:2]))
    return {record.photo: folder / f"{k}.png" for k, record in enumerate(records)}


def levels_of(record: DiwRecord, size: tuple[int, int]) -> np.ndarray:
    """Levels (H, W) uint8, 0 unknown.

    Args:
        record: of the photo.
        size: height and width of the photo as it is read, in pixels.
    """
    scale = np.array(size) / record.size
    a, b = (np.minimum((np.array(p) + 0.5) * scale, np.array(size) - 1).astype(int) for p in (record.a, record.b))
    apart = float(np.hypot(*(a - b)))
    radius = max(1, int(min(RADIUS * np.hypot(*size), apart / 2 - 1)))
    levels = np.zeros(size, np.uint8)
    for point, level in (
        (a, FARTHER if record.relation > 0 else NEARER),
        (b, NEARER if record.relation > 0 else FARTHER),
    ):
        cv2.circle(levels, (int(point[1]), int(point[0])), radius, level, -1)
    return levels
