"""Ordinal pairs: sampled from metric depth (NYU), or read from Depth in the Wild's records."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.reference.errors import InputError

MIN_LEVEL = 3
"""Depth levels below this are unknown."""


MIN_RATIO = 1.05
"""PointPairs nearer to equal depth than this ratio are not judged."""


@dataclass(frozen=True)
class PointPairs:
    """Point pairs: flat pixel indices of A and B, relation +1 where A is farther, -1 where it is nearer."""

    a: np.ndarray
    b: np.ndarray
    relation: np.ndarray


def sample_pairs(level: np.ndarray, count: int, rng: np.random.Generator) -> PointPairs:
    """Random pairs of known depth whose ratio is above ``MIN_RATIO``; ``count`` are drawn, fewer are kept."""
    flat = level.ravel().astype(np.float32)
    a, b = rng.integers(0, flat.size, (2, count))
    near, far = np.minimum(flat[a], flat[b]), np.maximum(flat[a], flat[b])
    keep = (near > MIN_LEVEL) & (far > MIN_RATIO * near)
    return PointPairs(a[keep], b[keep], np.sign(flat[a] - flat[b])[keep])


@dataclass(frozen=True)
class DiwRecord:
    """One photo of Depth in the Wild with its one pair, 0-based (y, x)."""

    photo: Path
    a: tuple[int, int]
    b: tuple[int, int]
    relation: int
    size: tuple[int, int]


def read_diw(csv_file: Path) -> list[DiwRecord]:
    """Read ``DIW_train.csv`` / ``DIW_test.csv``: two lines a record, coordinates 1-based.

    Raises:
        InputError: missing file, odd number of lines, or a malformed record (its line number is named).
    """
    if not csv_file.is_file():
        raise InputError(f"diw: expected {csv_file}, found none; point --root at the folder with the csv files")
    rows = list(csv.reader(csv_file.read_text().splitlines()))
    if len(rows) % 2:
        raise InputError(f"{csv_file}: expected two lines a record, found {len(rows)} lines")
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
                f"{csv_file} line {i + 1}: expected a path, then yA,xA,yB,xB,>|<,width,height; found {rows[i : i + 2]}"
            ) from error
        records.append(record)
    return records
