"""A converter that writes another computation is met at the export, with and without the gate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from portraiture.export.contract import Size
from portraiture.export.doctor import outputs as doctor_outputs
from portraiture.export.formats import BUILT_IN, Packaging, Precision, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import GateError

pytestmark = pytest.mark.slow

SIZE = Size(64, 64)


class Negative(torch.nn.Module):
    """A network that sees the photo's negative."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner
        for name in ("contract", "layout", "network"):
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))

    def forward(self, rgb: Tensor, *others: Tensor) -> Any:
        return self.inner(1 - rgb, *others)


def plant_tflite(monkeypatch: pytest.MonkeyPatch) -> None:
    from portraiture.export.tflite import write

    honest = write.convert
    monkeypatch.setattr(write, "convert", lambda module, *rest: honest(Negative(module).eval(), *rest))


def plant_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    from portraiture.export.onnx import write

    honest = write.trace_onnx
    monkeypatch.setattr(write, "trace_onnx", lambda network, *rest: honest(Negative(network).eval(), *rest))


def plant_coreml(monkeypatch: pytest.MonkeyPatch) -> None:
    import coremltools as ct

    honest = ct.ImageType
    monkeypatch.setattr(ct, "ImageType", lambda **given: honest(**{**given, "scale": 1.0}))


FAULTS = {
    Target.TFLITE: (plant_tflite, "first layer that diverges: network.perception"),
    Target.ONNX: (plant_onnx, "first layer that diverges: network.perception"),
    Target.COREML: (plant_coreml, "the scale 1/255 is missing"),
}


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_wrong_file_is_refused_without_the_gate_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick: Checkpoints, target: Target
) -> None:
    plant, cause = FAULTS[target]
    plant(monkeypatch)
    output = tmp_path / "bundle"
    spec = BundleSpec(("perception",), (target,), (Precision.FP32,), (SIZE,), quick)
    with pytest.raises(GateError) as caught:
        export_bundle(spec, output, gate=False)
    (file,) = spec.files()
    for words in (f"doctor: {file.path}: mask: expected max error <= 0.0001", cause, f"{output} is left as it was"):
        assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_entry_of_a_merged_file_is_refused_without_the_gate_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick: Checkpoints
) -> None:
    honest = doctor_outputs.open_file

    def swapped(root: Path, file: Any) -> Any:
        runner = honest(root, file)
        if file.entry:
            run: Callable[..., Any] = runner.run
            runner.run = lambda feeds: dict(zip(["depth", "mask"], run(feeds).values(), strict=True))
        return runner

    spec = BundleSpec(("perception",), (Target.TFLITE,), (Precision.FP32,), (SIZE,), quick, packaging=Packaging.SHARED)
    monkeypatch.setattr(doctor_outputs, "open_file", swapped)
    with pytest.raises(GateError, match=r"doctor: tflite/portraiture_fp32\.tflite: mask: expected max error"):
        export_bundle(spec, tmp_path / "bundle", gate=False)
    assert list(tmp_path.iterdir()) == []
