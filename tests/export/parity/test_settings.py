"""Files that are right at the paper's setting alone, and a filter that half does nothing, do not pass."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity import filter_link, settings
from portraiture.export.parity.rows import Row, Status
from portraiture.export.parity.settings import setting_rows
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.settings import SETTINGS
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

SIZE = Size(128, 96)

Fault = Callable[[Callable[[Feeds], Mapping[str, np.ndarray]], Feeds], np.ndarray]


def rows_with(
    truth: Truth, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, fault: Fault, name: str = "filter"
) -> list[Row]:
    """The rows of a file that computes what ``fault`` makes of the float32 network."""
    network = truth.networks.runner(name, SIZE)

    class Faulty:
        contract = network.contract

        def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
            return {"portrait": fault(network.run, feeds)}

    monkeypatch.setattr(settings, "open_file", lambda *_: Faulty())
    file = ModelFile(name, Target.TFLITE, Precision.FP32, SIZE, f"tflite/{name}.tflite")
    return list(setting_rows(Path(), file, truth, photo))


def sound(run: Any, feeds: Feeds) -> np.ndarray:
    return np.asarray(run(feeds)["portrait"])


def ignores_focus(run: Any, feeds: Feeds) -> np.ndarray:
    return sound(run, {**feeds, "focus": FOCUS_ON_PERSON})


def frozen_aperture(run: Any, feeds: Feeds) -> np.ndarray:
    return sound(run, {**feeds, "aperture": APERTURE_PAPER})


def smaller_aperture(run: Any, feeds: Feeds) -> np.ndarray:
    return sound(run, {**feeds, "aperture": 0.8 * float(np.asarray(feeds["aperture"]))})


def always_the_same(run: Any, feeds: Feeds) -> np.ndarray:
    return frozen_aperture(run, {**feeds, "focus": FOCUS_ON_PERSON})


@pytest.mark.parametrize("name", ["filter", "portrait"])
def test_a_sound_file_passes_at_every_setting(
    truth: Truth, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    portraits, changes = rows_with(truth, astronaut, monkeypatch, sound, name)
    assert (portraits.status, changes.status) == (Status.PASSED, Status.PASSED)
    assert portraits.output == f"portrait at {len(SETTINGS)} settings"
    assert "worst at aperture" in changes.note


@pytest.mark.parametrize("fault", [ignores_focus, frozen_aperture, smaller_aperture, always_the_same])
def test_a_file_that_ignores_an_input_fails(
    truth: Truth, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    portraits, changes = rows_with(truth, astronaut, monkeypatch, fault)
    assert portraits.status is Status.FAILED
    assert changes.status is Status.FAILED
    assert changes.difference is not None
    assert changes.difference.psnr_db < 40


def test_a_file_that_ignores_everything_has_no_change_at_all(
    truth: Truth, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, changes = rows_with(truth, astronaut, monkeypatch, always_the_same)
    assert changes.difference is not None
    assert changes.difference.psnr_db == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "status"), [(1.0, Status.PASSED), (0.5, Status.FAILED), (0.0, Status.FAILED)])
def test_the_second_link_counts_what_is_gained_over_the_photo_itself(
    truth: Truth, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, share: float, status: Status
) -> None:
    honest = Pipeline.filter

    def blend(self: Pipeline, maps: Any, aperture: float, focus: float = FOCUS_ON_PERSON) -> np.ndarray:
        return share * honest(self, maps, aperture, focus) + (1 - share) * maps.model_rgb / 255

    monkeypatch.setattr(Pipeline, "filter", blend)
    _, gain = filter_link.filter_rows(truth, Size(512, 384), {0: astronaut})
    assert gain.output == "gain over the photo itself"
    assert gain.status is status


def test_where_the_reference_hardly_blurs_no_gain_is_asked_for(
    truth: Truth, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_link, "APERTURE_PAPER", 0.001)
    _, gain = filter_link.filter_rows(truth, SIZE, {0: astronaut})
    assert gain.status is Status.NOT_RUN
    assert "hardly blurs" in gain.note
