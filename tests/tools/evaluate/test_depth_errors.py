"""Depth damaged as it is said, and each part left out alone."""

import sys

import cv2
import numpy as np
import pytest

from portraiture.tools.evaluate import depth_errors
from portraiture.tools.evaluate.depth_errors import ERRORS, DepthError, main, scores_of


def test_a_depth_is_damaged_by_as_much_as_is_said() -> None:
    flat = np.full((200, 200), 0.5)
    for error in ERRORS:
        found = error.damage(flat, np.random.default_rng(0)) - flat
        assert found.std() == pytest.approx(error.noise, rel=0.02)
    step = np.zeros((40, 40))
    step[:, 20:] = 1
    leaked = DepthError("leak", 0.0, 0.0, 3.0).damage(step, np.random.default_rng(0))
    np.testing.assert_allclose(leaked, cv2.GaussianBlur(step, (0, 0), 3.0), atol=1e-12)


def test_the_table_has_a_row_for_each_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def scores(seed: int, error: DepthError) -> list[float]:
        asked.append((seed, error))
        return [30.0 + seed, 31, 32, 33]

    monkeypatch.setattr(depth_errors, "scores_of", scores)
    monkeypatch.setattr(sys, "argv", ["depth_errors", "--scenes", "3"])
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(ERRORS)
    assert lines[2].split("|")[1:-1][0].strip() == ERRORS[0].name
    assert [float(v) for v in lines[2].split("|")[2:-1]] == [31, 31, 32, 33]
    assert asked == [(seed, error) for error in ERRORS for seed in range(3)]


def test_the_feather_helps_where_single_pixels_are_wrong() -> None:
    thresholds, crf, feathered, both = scores_of(0, DepthError("pixels", 0.1))
    assert feathered > thresholds + 0.5
    assert both > crf + 0.5
