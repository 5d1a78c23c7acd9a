"""An export builds each network once, reads each weights file once, converts once, and runs no file twice."""

import importlib
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import Size
from portraiture.export.doctor import outputs as doctor_outputs
from portraiture.export.formats import LAYOUT, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks import build
from portraiture.export.parity import run as parity_run
from portraiture.export.parity.rows import Link, Status
from portraiture.export.pipeline.truth import Truth
from portraiture.export.writing import models as writing_models
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.training import weights
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION

SPEC = BundleSpec(precisions=(Precision.FP32, Precision.FP16), sizes=(Size(128, 96),))


@pytest.fixture
def copied(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversion is what costs: files come from the small bundle, which holds the same ones."""

    def convert(_: BundleSpec, file: ModelFile, root: Path, __: Path, truth: Truth, ___: Any) -> dict[str, str]:
        truth.networks.get(file.name, LAYOUT[file.target])
        source, path = bundle / file.path, root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, path)
        return {}

    monkeypatch.setattr(writing_models, "convert", convert)


@pytest.mark.usefixtures("copied")
def test_an_export_and_its_gate_build_read_and_run_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built: Counter[str] = Counter()
    read: Counter[Path] = Counter()
    run: Counter[str] = Counter()

    class Counted(build.Exported):
        def __init__(self, name: str, network: torch.nn.Module, layout: str) -> None:
            super().__init__(name, network, layout)
            built[f"{name} {layout} {self.dtype}"] += 1

    honest_load, honest_open = weights.load_tensors, doctor_outputs.open_file

    def load(path: Path) -> Any:
        read[path] += 1
        return honest_load(path)

    def opened(root: Path, file: ModelFile) -> Any:
        run[file.path] += 1
        return honest_open(root, file)

    monkeypatch.setattr(build, "Exported", Counted)
    monkeypatch.setattr(weights, "load_tensors", load)
    monkeypatch.setattr("portraiture.training.tensor_files.load_tensors", load)
    monkeypatch.setattr(doctor_outputs, "open_file", opened)
    monkeypatch.setattr(parity_run, "file_rows", lambda *_: pytest.fail("the gate runs a file again"))
    monkeypatch.setattr(parity_run, "filter_rows", lambda *_: iter(()))  # the filter's quality is not asked for here
    export = export_bundle(SPEC, tmp_path / "bundle", processes=1)
    forms = [("NCHW", torch.float32), ("NHWC", torch.float32), ("NCHW", torch.float64)]
    needed = {f"{n} {layout} {d}" for n in SPEC.models for layout, d in forms}
    # in float64 portrait is run as its two parts
    assert built == dict.fromkeys(needed - {"portrait NCHW torch.float64"}, 1)
    assert read == {SHIPPED_PERCEPTION: 1, SHIPPED_FILTER: 1}
    assert run == {file.path: 1 for file in SPEC.files()}
    assert len(run) == 12
    judged = {str(r.subject) for r in export.rows if r.link is Link.FILE and r.status is Status.PASSED}
    assert {f"{f.name} {f.target.value} {f.precision.value} {f.size}" for f in SPEC.files()} <= judged
    assert export.files == open_bundle(tmp_path / "bundle").files


@pytest.mark.usefixtures("copied")
def test_reports_count_the_files_and_then_the_gates_steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parity_run, "filter_rows", lambda *_: iter(()))
    spec = replace(SPEC, models=("perception", "filter"), targets=(Target.TFLITE, Target.ONNX))
    said: list[tuple[str, int, int]] = []
    export_bundle(spec, tmp_path / "bundle", report=lambda *step: said.append(step), processes=1)
    written = [s for s in said if s[0].startswith("writing ")]
    assert written == [(f"writing {f.path}", k, 8) for k, f in enumerate(spec.files())]
    checked = said[len(written) :]
    assert all(what.startswith("checking ") for what, _, _ in checked)
    assert [(done, of) for _, done, of in checked] == [(k, len(checked)) for k in range(len(checked))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "converter"), [(Target.TFLITE, "tflite.write.convert"), (Target.ONNX, "onnx.write.trace_onnx")]
)
def test_a_conversion_is_shared_by_a_models_precisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: build.Checkpoints, target: Target, converter: str
) -> None:
    """One conversion for two files of it. (Core ML: ``test_write.py``.)"""
    module, name = converter.rsplit(".", 1)
    owner = importlib.import_module(f"portraiture.export.{module}")
    honest, converted = getattr(owner, name), []

    def counted(*given: Any) -> None:
        converted.append(given)
        honest(*given)

    monkeypatch.setattr(owner, name, counted)
    spec = BundleSpec(("perception",), (target,), (Precision.FP32, Precision.FP16), (Size(64, 64),), quick)
    export_bundle(spec, tmp_path / "bundle", gate=False)
    assert len(converted) == 1
    assert not list((tmp_path / "bundle").glob(".*"))
