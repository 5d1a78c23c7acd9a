"""A contact sheet for a photographer's eye: portraits beside OpenCV's plain blur by the mask, two crops of each at 2x.

::

    portraiture render PHOTOS/* -o portraits
    portraiture predict PHOTOS/* -o maps
    python -m portraiture.tools.evaluate.look PHOTOS --portraits portraits --maps maps -o look.png

A row is a photo: the whole portrait, then photo, portrait and plain blur of the part of the person's edge where the two
differ most, and of the lower end of the person, where the ground or the photo's rim is.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.photo.folder import photos_in
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.evaluate.program import exit_code

CROP_PX = 144
"""Side of a crop in pixels of the photo; chosen. It is drawn twice as large."""

GAP_PX = 4
"""White between two pictures, in pixels; chosen."""

SIGMA_SHARE = 0.008
"""Of the plain blur, against the diagonal: half the radius of the renderers' largest disk."""

EDGE_PX = 15
"""How far from the mask's outline a crop is looked for, in pixels; chosen."""


def plain_blur(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The photo over its own Gaussian blur by the mask: what anybody gets from OpenCV.

    Args:
        photo: HxWx3 uint8.
        mask: HxW in 0..1.

    Returns:
        HxWx3 uint8.
    """
    sigma = SIGMA_SHARE * float(np.hypot(*mask.shape))
    blurred = cv2.GaussianBlur(photo, (0, 0), sigma).astype(np.float32)
    person = mask.astype(np.float32)[..., None]
    return np.asarray(np.rint(person * photo + (1 - person) * blurred).astype(np.uint8))


def telling_crops(mask: np.ndarray, difference: np.ndarray) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Two squares of ``CROP_PX``: the outline where two pictures differ most, and the person's lower end.

    Args:
        mask: HxW in 0..1, at least ``CROP_PX`` high and wide.
        difference: HxW, of the two pictures.

    Returns:
        Rows and columns of each.
    """
    person = (mask > 0.5).astype(np.uint8)
    kernel = np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8)
    band = cv2.dilate(person, kernel) - cv2.erode(person, kernel)
    rows = np.flatnonzero(person.any(axis=1))
    lower = int(rows[-1]) if rows.size else mask.shape[0] - 1
    columns = np.flatnonzero(person[max(0, lower - CROP_PX // 4) : lower + 1].any(axis=0))
    middle = int(columns.mean()) if columns.size else mask.shape[1] // 2
    sums = cv2.boxFilter(difference.astype(np.float32) * band, -1, (CROP_PX, CROP_PX), normalize=False)
    sums[max(0, lower - CROP_PX) :] = 0  # the other crop is there
    y, x = np.unravel_index(int(sums.argmax()), sums.shape)
    return _square(int(y), int(x), mask.shape), _square(lower - CROP_PX // 4, middle, mask.shape)


def _square(y: int, x: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The square around a point, moved into the picture."""
    top, left = (int(np.clip(at - CROP_PX // 2, 0, n - CROP_PX)) for at, n in zip((y, x), shape[:2], strict=True))
    return slice(top, top + CROP_PX), slice(left, left + CROP_PX)


def row_of(photo: np.ndarray, portrait: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One row of the sheet, uint8 RGB, twice ``CROP_PX`` high.

    Args:
        photo, portrait: HxWx3 uint8.
        mask: HxW in 0..1.
    """
    plain = plain_blur(photo, mask)
    difference = np.abs(portrait.astype(np.float32) - plain).mean(axis=2)
    height, width = 2 * CROP_PX, 3 * CROP_PX
    scale = min(height / portrait.shape[0], width / portrait.shape[1])
    small = cv2.resize(portrait, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    whole = np.full((height, width, 3), 255, np.uint8)
    whole[: small.shape[0], : small.shape[1]] = small
    cells = [whole]
    for rows, columns in telling_crops(mask, difference):
        for picture in (photo, portrait, plain):
            cells.append(picture[rows, columns].repeat(2, axis=0).repeat(2, axis=1))
    padded = [np.pad(cell, ((0, 0), (0, GAP_PX), (0, 0)), constant_values=255) for cell in cells]
    return np.concatenate(padded, axis=1)


def write_look(photos: Path, portraits: Path, maps: Path, sheet: Path) -> int:
    """Write the sheet of all photos of which there is a portrait and a mask; the number of its rows.

    Args:
        photos: a folder of photos.
        portraits: what ``render`` made of them: ``STEM_portrait.*``.
        maps: what ``predict`` made of them: ``STEM_mask.png``.
        sheet: the PNG.

    Raises:
        InputError: a file cannot be read, or there is no such photo.
    """
    rows = []
    for path in photos_in(photos, "PHOTOS"):
        found = sorted(portraits.glob(f"{path.stem}_portrait.*"))
        mask_file = maps / f"{path.stem}_mask.png"
        if not found or not mask_file.is_file():
            continue
        photo, portrait = read_photo(path), read_photo(found[0])
        if min(photo.shape[:2]) < CROP_PX or photo.shape != portrait.shape:
            continue
        rows.append(row_of(photo, portrait, read_photo(mask_file)[..., 0] / 255.0))
    if not rows:
        raise InputError(f"{photos}: expected photos of at least {CROP_PX} px with a portrait in {portraits} and a mask"
                         f" in {maps}, found none; run portraiture render and predict on them")  # fmt: skip
    write_photo(sheet, np.concatenate([np.pad(r, ((0, GAP_PX), (0, 0), (0, 0)), constant_values=255) for r in rows]))
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a sheet; return the exit code."""
    parser = argparse.ArgumentParser(description="Portraits beside OpenCV's plain blur by the mask.")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args(arguments)

    def write() -> None:
        count = write_look(options.photos, options.portraits, options.maps, options.out)
        print(f"{options.out}: {count} photos")

    return exit_code("look", write)


if __name__ == "__main__":
    sys.exit(main())
