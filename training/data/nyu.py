"""What is NYU's own: its camera, the unit of its depth maps, and its maps of classes (people, floor)."""

from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.training.data.layouts import Sample

FOCAL_PX, FOCAL_WIDTH_PX = 519.0, 640
"""Focal length of the camera, in pixels of a frame of that width."""

BORDER_PX = 12
"""Width of the white sensor border, cut on all sides, in pixels."""

LEVELS_PER_METRE = 25.5
"""Scale of the 8-bit maps in ``nyu_depths``: 10 m is 255."""

FOLDER = "nyu_labels40"
"""Of the maps of classes."""

PERSON, FLOOR = 30, 1
"""Numbers of classes: those of NYU40 less one."""


def class_map(path: Path) -> np.ndarray:
    """A map of classes, (H, W) of integers.

    Raises:
        InputError: it does not decode, or is no grey image.
    """
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None or label.ndim != 2:
        raise InputError(f"{path}: expected a grey map of class numbers, found another; copy it again")
    return np.asarray(label)


def floor_of(room: Sample, height: int, width: int) -> np.ndarray:
    """The floor of a room at another size, without the sensor border.

    Args:
        room: of NYU, with its map of classes in the folder beside the photos'.
        height, width: of the result, in pixels.

    Returns:
        (height, width, 1) uint8, 1 on the floor.
    """
    inner = slice(BORDER_PX, -BORDER_PX)
    floor = class_map(room.photo.parents[1] / FOLDER / f"{room.id}.png")[inner, inner] == FLOOR
    return np.asarray(cv2.resize(floor.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST))[..., None]
