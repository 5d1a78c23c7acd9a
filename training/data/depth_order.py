"""Which of two points is farther: drawn from metric depth (NYU), or read from Depth in the Wild's records."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.reference.errors import InputError

MIN_LEVEL = 3
"""Depth levels up to this one, itself included, are unknown. Chosen: the least level of 480 NYU maps is 18."""

FEW_KNOWN = 0.1
"""Where less than this share of the points is known, pairs are drawn of them alone. Chosen, not measured."""

MIN_RATIO = 1.05
"""Two points whose depths differ by less than this ratio are not judged. Chosen, not measured."""


@dataclass(frozen=True)
class PointPairs:
    """Pairs of points of one photo.

    Attributes:
        a, b: flat pixel indices of A and B, (n,).
        relation: +1 where A is farther than B, -1 where it is nearer, (n,).
    """

    a: np.ndarray
    b: np.ndarray
    relation: np.ndarray


def draw_point_pairs(level: np.ndarray, count: int, rng: np.random.Generator) -> PointPairs:
    """Random pairs of points, both of known depth, with a ratio of depths above ``MIN_RATIO``.

    Args:
        level: depth levels, any shape; larger is farther, those up to ``MIN_LEVEL`` are unknown.
        count: pairs that are drawn; those that do not fit are dropped.
        rng: draws the points.
    """
    flat = level.ravel().astype(np.float32)
    a, b = rng.integers(0, flat.size, (2, count))
    known = np.flatnonzero(flat > MIN_LEVEL)
    if 0 < len(known) < FEW_KNOWN * flat.size:  # two points of a photo would hardly ever be drawn
        a, b = known[a % len(known)], known[b % len(known)]
    near, far = np.minimum(flat[a], flat[b]), np.maximum(flat[a], flat[b])
    keep = (near > MIN_LEVEL) & (far > MIN_RATIO * near)
    return PointPairs(a[keep], b[keep], np.sign(flat[a] - flat[b])[keep])


@dataclass(frozen=True)
class DiwRecord:
    """One photo of Depth in the Wild with its one pair of points.

    Attributes:
        photo: file.
        a, b: row and column of A and B, from 0.
        relation: +1 where A is farther than B, -1 where it is nearer.
        size: height and width that the points refer to, in pixels.
    """

    photo: Path
    a: tuple[int, int]
    b: tuple[int, int]
    relation: int
    size: tuple[int, int]


def read_diw(csv_file: Path) -> list[DiwRecord]:
    """Read ``DIW_train.csv`` / ``DIW_test.csv``: two lines per record, coordinates from 1.

    Raises:
        InputError: missing file, odd number of lines, or a malformed record (its line number is named).
    """
    if not csv_file.is_file():
        raise InputError(f"diw: expected {csv_file}, found none; point --root at the folder with the csv files")
    rows = list(csv.reader(csv_file.read_text().splitlines()))
    if len(rows) % 2:
        raise InputError(f"{csv_file}: expected two lines per record, found {len(rows)} lines; download it again")
    records = []
    for i in range(0, len(rows), 2):
        try:
            (photo,), (ya, xa, yb, xb, relation, width, height) = rows[i], rows[i + 1]
            points = [int(v) - 1 for v in (ya, xa, yb, xb)]
            sign = {">": 1, "<": -1}[relation.strip()]
            record = DiwRecord(csv_file.parent / photo, (points[0], points[1]), (points[2], points[3]), sign,
                               (int(height), int(width)))  # fmt: skip
        except (ValueError, KeyError) as error:
            raise InputError(
                f"{csv_file} line {i + 1}: expected a path, then yA,xA,yB,xB,>|<,width,height;"
                f" found {rows[i : i + 2]}; download it again or remove the record"
            ) from error
        records.append(record)
    return records
