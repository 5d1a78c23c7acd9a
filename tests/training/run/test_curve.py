"""The picture of a run's log: a panel for each figure, its curve where its values are."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.training.run.curve import write_curve

BLUE = (180, 90, 20)


def picture(folder: Path, lines: list[dict[str, float]]) -> np.ndarray:
    log = folder / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_curve(log, folder / "curve.png")
    return np.asarray(cv2.imread(str(folder / "curve.png")))


def drawn(panel: np.ndarray) -> np.ndarray:
    """Row of the curve in each column that it crosses, NaN elsewhere."""
    ink = np.abs(panel.astype(int) - BLUE).sum(2) < 90
    rows = np.where(ink.any(0), (ink * np.arange(len(panel))[:, None]).sum(0) / np.maximum(1, ink.sum(0)), np.nan)
    return np.asarray(rows)


def test_a_curve_rises_where_its_values_do(tmp_path: Path) -> None:
    lines = [{"step": k, "seconds": 9 * k, "iou": 0.5 + k / 100, "loss": 3 - k / 10} for k in range(0, 21, 5)]
    sheet = picture(tmp_path, lines)
    assert sheet.shape == (150, 3 * 320, 3)
    iou, loss = drawn(sheet[:, :320]), drawn(sheet[:, 320:640])
    for rows, sign in ((iou, -1), (loss, 1)):
        found = rows[~np.isnan(rows)]
        assert (np.diff(found) * sign >= -0.6).all()
        assert (found[-1] - found[0]) * sign == pytest.approx(98, abs=3)
    assert (sheet[:, 640:] == 255).all()  # two figures alone


def test_a_figure_that_comes_later_and_one_that_stays(tmp_path: Path) -> None:
    lines = [
        {"step": 1, "a": 2.0},
        {"step": 2, "a": 2.0, "b": 1.0},
        {"step": 3, "a": 2.0, "b": 4.0},
        {"step": 3, "c": 1.0, "d": 1.0},
    ]
    sheet = picture(tmp_path, lines)
    assert sheet.shape == (300, 960, 3)
    steady = drawn(sheet[:150, :320])
    assert np.nanmax(steady) - np.nanmin(steady) < 3
    assert not np.isnan(drawn(sheet[150:, :320])).all()


def test_what_is_not_finite_is_left_out(tmp_path: Path) -> None:
    lines = [{"step": 1, "a": 1.0}, {"step": 2, "a": float("nan")}, {"step": 3, "a": 2.0, "b": float("inf")}]
    assert picture(tmp_path, lines).shape == (150, 960, 3)


def test_an_empty_log_gives_no_picture(tmp_path: Path) -> None:
    for text in ("", "\n", '{"step": 3, "seconds": 2}\n'):
        (tmp_path / "log.jsonl").write_text(text)
        write_curve(tmp_path / "log.jsonl", tmp_path / "curve.png")
        assert not (tmp_path / "curve.png").exists()
