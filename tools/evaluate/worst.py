"""``evaluate segmentation --worst``: the photos with the lowest IoU, and how they look."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.training.data.cache import resize_area
from portraiture.training.data.labels import read_label
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import Predict

ROW_PX = 200
"""Height of a row of the sheet in pixels; chosen."""

GAP_PX = 4
"""White between two pictures, in pixels; chosen."""

FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45
"""Font of a row's id and IoU, and its size; chosen, so that they fit on the narrowest photo."""


Scored = tuple[Sample, float]
"""A photo and its IoU."""


def lowest_iou(samples: Sequence[Sample], ious: Sequence[float], count: int) -> list[Scored]:
    """Photos of lowest IoU, the lowest first; equals in the order of the samples.

    Args:
        samples: photos.
        ious: of each photo, 0..1.
        count: how many at most.
    """
    return sorted(zip(samples, ious, strict=True), key=lambda pair: pair[1])[:count]


def write_sheet(path: Path, scored: Sequence[Scored], predict: Predict) -> None:
    """A PNG with one row per photo, 200 px tall: photo (with id and IoU) | truth | mask.

    Args:
        path: the file, written to a temporary name, then renamed.
        scored: photos with masks, one or more.
        predict: gives masks.

    Raises:
        InputError: a file cannot be read or written.
    """
    write_rows(path, [_row(sample, score, predict) for sample, score in scored])


def write_rows(path: Path, rows: Sequence[np.ndarray]) -> None:
    """Rows (200, W, 3) uint8 below each other as a PNG.

    Args:
        path: the file, written to a temporary name, then renamed.
        rows: as :func:`row_of` gives them, one or more.

    Raises:
        InputError: the file cannot be written.
    """
    width = max(row.shape[1] for row in rows)
    padding = [((0, 0), (0, width - row.shape[1]), (0, 0)) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = [np.pad(row, pad, constant_values=255) for row, pad in zip(rows, padding, strict=True)]
    write_photo(path, np.concatenate(sheet))


def _row(sample: Sample, score: float, predict: Predict) -> np.ndarray:
    """(200, W, 3) uint8 RGB; the mask is soft, as predicted."""
    rgb = read_photo(sample.photo)
    mask = predict(rgb).mask
    assert mask is not None  # it has been scored
    return row_of(f"{sample.id} {score:.3f}", rgb, read_label(sample), mask)


def row_of(label: str, rgb: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Photo, truth and mask beside each other, (200, W, 3) uint8 RGB.

    Args:
        label: written onto the photo.
        rgb: HxWx3 uint8.
        truth, mask: HxW in 0..1.
    """
    width = max(1, round(rgb.shape[1] * ROW_PX / rgb.shape[0]))
    soft = [np.rint(m.astype(np.float32) * 255).astype(np.uint8) for m in (truth, mask)]
    photo, *masks = (resize_area(image, ROW_PX, width) for image in (rgb, *soft))
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # white, rimmed with black
        cv2.putText(photo, label, (GAP_PX, ROW_PX - 2 * GAP_PX), FONT, FONT_SCALE, colour, thickness, cv2.LINE_AA)
    cells = [photo, *(np.repeat(m[..., None], 3, axis=2) for m in masks)]
    gap = ((0, 0), (0, GAP_PX), (0, 0))
    return np.concatenate([np.pad(c, gap, constant_values=255) for c in cells], axis=1)
