"""A run's log as a picture: one panel for each figure, over the steps."""

import json
import math
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.files import write_whole

_WIDTH, _HEIGHT, _COLUMNS, _MARGIN = 320, 150, 3, 26
"""Of a panel in pixels, how many stand side by side, and the rim for its words; chosen."""

_FONT, _SCALE, _INK, _LINE = cv2.FONT_HERSHEY_SIMPLEX, 0.38, (60, 60, 60), (180, 90, 20)


def write_curve(log: Path, path: Path) -> None:
    """Draw ``log.jsonl`` as a PNG; a log without a line gives none.

    Args:
        log: a JSON object a line, with its ``step``.
        path: the file; it appears whole or not at all.
    """
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.strip()]  # ours, with NaN
    found: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "seconds") and math.isfinite(value):
                found.setdefault(name, []).append((line["step"], value))
    if not found:
        return
    panels = [_panel(name, np.array(points, np.float64)) for name, points in found.items()]
    panels += [np.full_like(panels[0], 255)] * (-len(panels) % _COLUMNS)
    rows = [np.hstack(panels[k : k + _COLUMNS]) for k in range(0, len(panels), _COLUMNS)]
    content = cv2.imencode(".png", np.vstack(rows))[1].tobytes()
    write_whole(path, lambda file: file.write(content))


def _panel(name: str, curve: np.ndarray) -> np.ndarray:
    """(150, 320, 3) uint8: name and last value, the largest and the smallest value at their heights, the curve.

    Args:
        name: of the figure.
        curve: steps and values (n, 2), n from 1.
    """
    panel = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    steps, values = curve.T
    low, high = float(values.min()), float(values.max())
    x = _place(steps, float(steps.min()), float(steps.max()), _MARGIN, _WIDTH - 2 * _MARGIN)
    y = _place(-values, -high, -low, _MARGIN, _HEIGHT - _MARGIN)
    points = np.column_stack([x, y]).round().astype(np.int32)
    cv2.polylines(panel, [points], False, _LINE, 1, cv2.LINE_AA)
    for point in points:
        cv2.circle(panel, tuple(point.tolist()), 2, _LINE, -1, cv2.LINE_AA)
    right = _WIDTH - 2 * _MARGIN + 6
    words = [
        (f"{name}  {values[-1]:.4g}", (_MARGIN, 15)),
        (f"{high:.4g}", (right, _MARGIN + 4)),
        (f"{low:.4g}", (right, _HEIGHT - _MARGIN + 4)),
        (f"step {steps[-1]:.0f}", (_MARGIN, _HEIGHT - 6)),
    ]
    for text, place in words:
        cv2.putText(panel, text, place, _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    return panel


def _place(values: np.ndarray, low: float, high: float, first: int, last: int) -> np.ndarray:
    """Values low..high as pixels first..last; the middle where all are equal."""
    if high <= low:
        return np.full(values.shape, (first + last) / 2)
    return np.asarray(first + (values - low) / (high - low) * (last - first))
