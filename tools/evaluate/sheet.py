"""Draws sheets of pictures side by side."""

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.evaluation.scores import edge_band

SHEET_SCENES = 4
"""Scenes on a sheet; chosen, so that it can be looked at whole."""

GAP_PX = 6
"""White between two pictures, in pixels; chosen."""

HEADER_PX = 36
"""Height of the line of names, in pixels; chosen."""

FONT, MAX_FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.7
"""Font of the names, and its largest size; chosen."""


def draw_rows(pictures: dict[str, Floats], matte: Floats, header: bool) -> list[np.ndarray]:
    """A scene's part of the sheet: the pictures side by side, and below each its crop at the person's edge, enlarged.

    Args:
        pictures: HxWx3 in 0..1 by the name of their column; ``photo`` and ``truth`` among them.
        matte: HxW in 0..1.
        header: whether the line of names comes first.

    Returns:
        uint8 RGB of one width: the names if wanted, the pictures, the crops.
    """
    whole = {name: np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for name, p in pictures.items()}
    rows, columns = _telling_window(pictures["photo"], pictures["truth"], matte)
    crops = [p[rows, columns].repeat(2, axis=0).repeat(2, axis=1) for p in whole.values()]
    corners = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
    cv2.rectangle(whole["photo"], *corners, (255, 255, 0), 1)
    width = matte.shape[1] + GAP_PX
    names = [np.concatenate([_heading(name, width) for name in whole], axis=1)] if header else []
    return [*names, _line(list(whole.values()), width, GAP_PX), _line(crops, width, 3 * GAP_PX)]


def _telling_window(photo: Floats, truth: Floats, matte: Floats) -> tuple[slice, slice]:
    """Half the width and a quarter of the height, where the lens changes most near the person's edge."""
    change = np.abs(photo - truth).mean(axis=2) * edge_band(matte)
    height, width = matte.shape[0] // 4, matte.shape[1] // 2
    integral = cv2.integral(change)
    sums = integral[height:, width:] - integral[:-height, width:] - integral[height:, :-width]
    sums += integral[:-height, :-width]
    top, left = (int(i) for i in np.unravel_index(int(sums.argmax()), sums.shape))
    return slice(top, top + height), slice(left, left + width)


def _heading(name: str, width: int) -> np.ndarray:
    """A column's name, white on dark, as large as fits."""
    strip = np.full((HEADER_PX, width, 3), 32, np.uint8)
    (wide, _), _ = cv2.getTextSize(name, FONT, 1.0, 1)
    scale = min(MAX_FONT_SCALE, (width - 2 * GAP_PX) / wide)
    cv2.putText(strip, name, (GAP_PX, HEADER_PX * 2 // 3), FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return strip


def _line(pictures: list[np.ndarray], width: int, gap_px: int) -> np.ndarray:
    """Pictures side by side, each padded with white to ``width``, and a gap below."""
    cells = [
        np.pad(p, ((0, gap_px), (0, width - p.shape[1]), (0, 0)), mode="constant", constant_values=255)
        for p in pictures
    ]
    return np.concatenate(cells, axis=1)
