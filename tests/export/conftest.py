"""A second small bundle, square so that a transposed photo fits, and what a test needs to harm and to judge one."""

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.contract import Size
from portraiture.export.diagnosis.explain import explain
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile, bytes_of
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity import run as parity
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.writing import models as writing_models
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.files import write_json

SIZE = Size(64, 64)


@dataclass(frozen=True)
class Few(BundleSpec):
    """float32 at 64x64: perception in every target, and the filter where a pipeline is wanted."""

    targets: tuple[Target, ...] = BUILT_IN
    precisions: tuple[Precision, ...] = (Precision.FP32,)
    sizes: tuple[Size, ...] = (SIZE,)
    models: tuple[str, ...] = ("perception", "filter")

    def files(self) -> list[ModelFile]:
        """Conversion is what costs."""
        return [f for f in super().files() if f.name == "perception" or f.target is Target.ONNX]


@pytest.fixture(scope="session")
def sound(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The bundle of :class:`Few`; tests take ``patient``."""
    return made_once("sound", lambda root: export_bundle(Few(), root, gate=False))


@pytest.fixture
def quick(tmp_path_factory: pytest.TempPathFactory, quick_source: str) -> Checkpoints:
    """A network of four layers in the place of perception, where any network will do: it converts in a second."""
    path = tmp_path_factory.mktemp("quick") / "quick.py"
    path.write_text(quick_source)
    return Checkpoints(own=f"{path}:build")


@pytest.fixture(scope="session")
def truth() -> Truth:
    """What the shipped weights give in float64, computed once for the tests of a process."""
    return truth_of(Checkpoints())


@functools.cache
def truth_of(checkpoints: Checkpoints) -> Truth:
    """The float64 results of weights, which all tests share."""
    return Truth(Networks(checkpoints))


@dataclass
class Patient:
    """A copy of a bundle that a test harms, and the gate that is to notice."""

    root: Path
    checkpoints: Checkpoints = field(default_factory=Checkpoints)

    def file(self, target: Target, name: str = "perception") -> ModelFile:
        """One of its files."""
        return next(f for f in model_files(read_manifest(self.root)) if (f.name, f.target) == (name, target))

    def keep_only(self, *files: ModelFile) -> None:
        """Leave out the others, for the gate to be quick."""
        manifest = read_manifest(self.root)
        paths = [f.path for f in files]
        for entry in [m for m in manifest["models"] if m["path"] not in paths]:
            path = self.root / entry["path"]
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        models = [m for m in manifest["models"] if m["path"] in paths]
        write_json(self.root / MANIFEST, {**manifest, "models": models})
        self.bless()

    def export_again(self, file: ModelFile, checkpoints: Checkpoints | None = None) -> None:
        """Write a file anew, as the exporter now is."""
        path = self.root / file.path
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        spec = Few(checkpoints=checkpoints or Checkpoints())
        conversions = self.root / ".conversions"
        conversions.mkdir()
        writing_models.convert(spec, file, self.root, conversions, Truth(Networks(spec.checkpoints)))
        shutil.rmtree(conversions)
        self.bless()

    def bless(self) -> None:
        """Write checksums, sizes and the index anew, so that only the gate itself can notice a fault."""
        manifest = read_manifest(self.root)
        write_contents(self.root, model_files(manifest))
        for entry in manifest["models"]:
            path = self.root / entry["path"]
            entry["bytes"] = bytes_of(path)
        write_json(self.root / MANIFEST, {**manifest, "files": checksums(self.root)})

    def failures(self) -> list[Row]:
        """The rows that fail, explained; the filter's own quality is not asked for at this size."""
        truth = truth_of(self.checkpoints)
        rows = [r for r in parity.run_parity(self.root, (), truth) if r.link is not Link.FILTER]
        explained = explain(self.root, rows, truth, [sample_photo()])
        return [r for r in explained if r.status is Status.FAILED]

    def assert_caught(self, *words: str) -> None:
        """The gate fails, and the note of each row that fails holds the words."""
        failures = self.failures()
        assert failures
        for row in failures:
            for word in words:
                assert word in row.note, (str(row.subject), row.note)


@pytest.fixture
def patient(sound: Path, tmp_path: Path) -> Patient:
    """A copy to harm."""
    return Patient(Path(shutil.copytree(sound, tmp_path / "bundle")))
