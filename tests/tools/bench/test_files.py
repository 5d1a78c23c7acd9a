"""What files cost on this machine, beside the yardstick, in parity's report and in ``inspect``."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import MODELS, Size, model_contract
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Link, Row
from portraiture.export.runner import check_feeds
from portraiture.tools.bench import files as costs_of
from portraiture.tools.bench.memory import forget_peak, peak_kib
from portraiture.tools.cli import main
from portraiture.tools.report.gallery import Gallery
from portraiture.tools.report.html import html_report


@pytest.fixture
def old(two_bundles: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of TFLite and ONNX files; its own float32 file stands for the yardstick, which takes long to convert."""
    root = two_bundles / "old"

    def copied(_: Size, path: Path) -> None:
        shutil.copyfile(root / "tflite/perception_64x64_fp32.tflite", path)

    monkeypatch.setattr(costs_of, "write_yardstick", copied)
    return root


def test_every_file_has_a_time_beside_the_yardstick_and_a_peak(old: Path) -> None:
    files = open_bundle(old).files
    package = ModelFile("perception", Target.COREML, Precision.FP16, Size(64, 64), "coreml/p.mlpackage")
    found = costs_of.file_costs(old, [package, *files], 1, 5, lambda *_: None)
    assert [c.path for c in found] == [package.path, *(f.path for f in files)]
    assert (found[0].ms, found[0].ratio, found[0].peak_mb) == (None, None, None)
    assert found[0].note  # why an interpreter's time is no phone's
    yardsticks = {c.ms / c.ratio for c in found[1:] if c.ms is not None and c.ratio}
    assert len(yardsticks) == 1 or max(yardsticks) - min(yardsticks) < 1e-9  # one run of it for all
    for cost in found[1:]:
        assert cost.ms is not None
        assert cost.ms > 0
        assert cost.peak_mb is not None
        assert 0 < cost.peak_mb < 500


def test_a_file_that_does_not_run_has_its_error(old: Path) -> None:
    gone = ModelFile("perception", Target.ONNX, Precision.FP16, Size(64, 64), "onnx/gone.onnx")
    (cost,) = costs_of.file_costs(old, [gone], 1, 1, lambda *_: None)
    assert cost.ms is None
    assert "gone.onnx" in cost.note


def test_a_peak_can_begin_anew() -> None:
    forget_peak()
    before = peak_kib()
    held = np.ones(2**25)  # 256 MiB
    assert peak_kib() - before > held.nbytes / 1024 * 0.95
    del held
    forget_peak()
    assert peak_kib() - before < 2**17


@pytest.mark.parametrize("name", list(MODELS))
def test_random_inputs_are_the_contracts(name: str) -> None:
    feeds = costs_of.random_feeds(name, Size(64, 96))
    check_feeds(model_contract(name), feeds)
    for spec in model_contract(name).inputs:
        value = np.asarray(feeds[spec.name])
        assert value.min() >= spec.low
        assert value.max() <= spec.high


def test_inspect_writes_them_with_the_manifest(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, expected in (((), None), (("--times",), 4)):
        path = tmp_path / "inspect.json"
        monkeypatch.setattr(sys, "argv", ["portraiture", "inspect", str(old), "--json", str(path), *given])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        written = json.loads(path.read_text())
        assert written["models"] == open_bundle(old).manifest["models"]
        assert (len(written["times"]) if "times" in written else None) == expected
    assert "times MobileNetV2" in capsys.readouterr().out


def test_the_report_of_parity_shows_them(old: Path) -> None:
    cost = costs_of.FileCost("filter onnx fp16 64x64", "onnx/f.onnx", 12.34, 2.345, 88.8, "a <note>").to_json()
    row = Row.not_run(Link.FILE, "bundle", "not asked")
    page = html_report(old, [row], Gallery(), {}, costs=[cost])
    for text in ("filter onnx fp16 64x64", ">12.3<", ">2.35<", ">89<", "a &lt;note&gt;", "Times and memory"):
        assert text in page
    assert "Times and memory" not in html_report(old, [row], Gallery(), {})
