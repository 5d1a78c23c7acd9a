"""The table of ``sensitivity`` as a picture: a line for each layer, a dot for each kind, at the PSNR that it leaves."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Effect, Sensitivity
from portraiture.reference.files import write_whole

_LEFT, _RIGHT, _TOP, _ROW = 420, 980, 46, 17
"""Where the axis begins and ends, where the first line stands, and the height of a line, in pixels; chosen."""

_LOW_DB, _HIGH_DB, _EVERY_DB = 20, 100, 10
"""The axis; what lies beyond stands at its end."""

_FONT, _SCALE, _INK, _GRID = cv2.FONT_HERSHEY_SIMPLEX, 0.38, (60, 60, 60), (225, 225, 225)

COLOURS = {
    Kind.FP16: (150, 150, 150),
    Kind.INT8: (180, 90, 20),
    Kind.INT8_DYNAMIC: (200, 170, 60),
    Kind.PALETTE8: (60, 140, 40),
    Kind.PALETTE6: (30, 120, 220),
    Kind.PALETTE4: (40, 40, 200),
}
"""Blue, green, red; chosen to be told apart."""


def place_of(db: float) -> int:
    """Column of a PSNR.

    >>> place_of(20), place_of(float("inf"))
    (420, 980)
    """
    share = (min(max(db, _LOW_DB), _HIGH_DB) - _LOW_DB) / (_HIGH_DB - _LOW_DB)
    return round(_LEFT + share * (_RIGHT - _LEFT))


def picture_of(
    found: Sensitivity,
    effects: Mapping[tuple[str, Kind], Effect],
    chosen: Mapping[str, Kind],
    budget_db: float | None,
) -> np.ndarray:
    """(H, 1000, 3) uint8, blue first.

    Args:
        found: the layers.
        effects: of each.
        chosen: the kind of each layer in the plan, ringed; empty without one.
        budget_db: a line; None without a plan.
    """
    height = _TOP + _ROW * len(found.layers) + 24
    picture = np.full((height, _RIGHT + 20, 3), 255, np.uint8)
    for db in range(_LOW_DB, _HIGH_DB + 1, _EVERY_DB):
        cv2.line(picture, (place_of(db), _TOP - 8), (place_of(db), height - 20), _GRID, 1)
        cv2.putText(picture, f"{db} dB", (place_of(db) - 14, height - 6), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    if budget_db is not None:
        cv2.line(picture, (place_of(budget_db), _TOP - 8), (place_of(budget_db), height - 20), _INK, 1)
    for k, kind in enumerate(found.kinds):
        x = _LEFT + 96 * k
        cv2.circle(picture, (x, 18), 4, COLOURS[kind], -1, cv2.LINE_AA)
        cv2.putText(picture, kind.value, (x + 8, 22), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    cv2.putText(picture, "worst output, this layer alone", (8, 22), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    for row, layer in enumerate(found.layers):
        y = _TOP + _ROW * row
        cv2.putText(picture, layer[-56:], (8, y + 4), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
        for kind in reversed(found.kinds):
            effect = effects.get((layer, kind))
            if effect is None:
                continue
            centre = place_of(min(effect.worst_db(n) for n in range(len(found.outputs)))), y
            cv2.circle(picture, centre, 4, COLOURS[kind], -1, cv2.LINE_AA)
            if chosen.get(layer) is kind:
                cv2.circle(picture, centre, 7, _INK, 1, cv2.LINE_AA)
    return picture


def write_picture(
    path: Path,
    found: Sensitivity,
    effects: Mapping[tuple[str, Kind], Effect],
    chosen: Mapping[str, Kind],
    budget_db: float | None,
) -> None:
    """Write :func:`picture_of` as a PNG.

    Args:
        path: the file; it appears whole or not at all.
        found, effects, chosen, budget_db: as there.
    """
    content = cv2.imencode(".png", picture_of(found, effects, chosen, budget_db))[1].tobytes()
    write_whole(path, lambda file: file.write(content))
