"""Outputs and portraits of two bundles: what is compared, and what is said of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.allowed import Allowed, parse_allowed
from portraiture.export.bundle.any_release import open_any_release
from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.findings import Verdict
from portraiture.export.compare import compare
from portraiture.export.difference.outputs import Pictures, judged, not_compared
from portraiture.export.difference.run import compare_bundles
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo

EMPTY, FULL = np.zeros((8, 8)), np.ones((8, 8))
HALF = np.concatenate([np.ones((4, 8)), np.zeros((4, 8))])


def verdict(found: np.ndarray, expected: np.ndarray, *rules: str, as_mask: bool = True) -> Verdict:
    """Of one output of one photo."""
    return judged("a", "mask", [compare(found, expected, as_mask=as_mask)], parse_allowed(rules)).verdict


def test_each_figure_is_held_to_its_own_rule() -> None:
    near = HALF * 0.99
    assert verdict(HALF, HALF, "psnr=99", "iou=1") is Verdict.SAME
    assert verdict(near, HALF) is Verdict.DIFFERS
    assert verdict(near, HALF, "psnr=40") is Verdict.ALLOWED
    assert verdict(near, HALF, "psnr=60") is Verdict.WORSE
    assert verdict(FULL, HALF, "iou=0.5") is Verdict.ALLOWED
    assert verdict(FULL, HALF, "iou=0.51") is Verdict.WORSE
    assert verdict(FULL, HALF, "iou=0.51", as_mask=False) is Verdict.DIFFERS  # no mask: no rule judges it


def test_nan_is_worse_without_any_rule() -> None:
    assert verdict(np.full((8, 8), np.nan), HALF) is Verdict.WORSE
    assert verdict(HALF, np.full((8, 8), np.inf)) is Verdict.WORSE


def test_each_figure_is_that_of_its_worst_photo() -> None:
    photos = [compare(HALF * 0.99, HALF, as_mask=True), compare(HALF, HALF, as_mask=True)]
    found = judged("a", "mask", photos, parse_allowed(["psnr=60"]))
    assert found.verdict is Verdict.WORSE
    assert "2 photos" in found.note
    assert judged("a", "mask", photos[::-1], parse_allowed(["psnr=60"])).verdict is Verdict.WORSE


def test_what_was_not_compared_proves_no_rule() -> None:
    assert not_compared("a", "all", "why", Allowed()).verdict is Verdict.NOT_COMPARED
    assert not_compared("a", "all", "why", parse_allowed(["psnr=20"])).verdict is Verdict.WORSE
    assert not_compared("a", "all", "why", parse_allowed(["iou=0.5"])).verdict is Verdict.NOT_COMPARED
    assert not_compared("a", "all", "why", parse_allowed(["iou=0.5"]), as_mask=True).verdict is Verdict.WORSE


@pytest.mark.slow
def test_portraits_of_two_pipelines_are_compared(sound: Path, patient: object) -> None:
    import onnx
    from onnx import numpy_helper

    root: Path = patient.root  # type: ignore[attr-defined]
    path = root / "onnx/filter_64x64_fp32.onnx"
    model = onnx.load(str(path))
    weight = next(t for t in model.graph.initializer if t.name.endswith("guidance.gates.weight"))
    weight.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weight), weight.name))
    onnx.save(model, str(path))
    manifest = json.loads((root / "manifest.json").read_text())
    (root / "manifest.json").write_text(json.dumps(manifest | {"files": checksums(root)}))
    shown: list[Pictures] = []
    bundles = open_any_release(sound), open_any_release(root)
    found = compare_bundles(*bundles, Allowed(), Truth(Networks()), [sample_photo()], watch=shown.append)
    lines = [str(f) for f in found.findings if f.verdict is Verdict.DIFFERS]
    assert [line.split(": max error")[0] for line in lines if "outputs" in line] == [
        "differs: outputs: filter onnx fp32 64x64: portrait", "differs: outputs: pipeline onnx fp32 64x64: portrait",
    ]  # fmt: skip
    assert [p.subject for p in shown] == ["filter onnx fp32 64x64", "pipeline onnx fp32 64x64"]
    assert shown[1].new.shape == sample_photo().shape
    assert np.abs(shown[1].new - shown[1].old).max() > 0
    assert list(found.layers) == ["filter onnx fp32 64x64"]
    changed = [c.name for c in found.layers["filter onnx fp32 64x64"] if c.differs]
    assert changed == ["network.network.filter.guidance.gates.weight"]
