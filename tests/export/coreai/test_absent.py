"""Where Apple's packages are not installed: one clear line, nothing half-written, and never a pass."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.contract import Size
from portraiture.export.coreai import packages
from portraiture.export.coreai.asset import needs
from portraiture.export.describe import describe
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile, bytes_of, file_path
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity.links import Step
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.parity.run import run_parity
from portraiture.export.parity.second_judge import NOT_ASKED, second_steps
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json
from portraiture.tools.cli import group

SIZE = Size(64, 64)
PATH = file_path("perception", Target.COREAI, Precision.FP32, SIZE)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An install without the extra."""
    monkeypatch.setattr(packages, "find_spec", lambda _: None)


def write_asset(folder: Path, version: str = "2.0") -> None:
    """What lies in an ``.aimodel``, but for a program that runs."""
    folder.mkdir(parents=True)
    (folder / "main.mlirb").write_bytes(b"a program")
    (folder / "main.hash").write_bytes(hashlib.sha256(b"a program").digest())
    (folder / "metadata.json").write_text(json.dumps({"assetVersion": version, "creationDate": "20310101T000000Z"}))
    FORMATS[Target.COREAI].describe(folder, [("perception", SIZE)])


def test_export_says_what_to_install_and_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "bundle"
    arguments = ["export", "-o", str(output), "--target", "onnx,coreai", "--model", "coarse", "--size", "64x64"]
    with pytest.raises(InputError) as raised:
        group.main(arguments, standalone_mode=False)
    assert raised.value.exit_code == 2
    assert str(raised.value) == (
        "--target coreai: expected its packages, found that the coreai extra is not installed (coreai is missing);"
        " pip install 'portraiture[coreai]'"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_opened(tmp_path: Path) -> None:
    write_asset(tmp_path / PATH)
    file = ModelFile("perception", Target.COREAI, Precision.FP32, SIZE, PATH)
    for read in (
        lambda: open_file(tmp_path, file),
        lambda: FORMATS[Target.COREAI].operations(tmp_path / PATH),
        lambda: FORMATS[Target.COREAI].weights(tmp_path / PATH, file),
    ):
        with pytest.raises(InputError, match=r"pip install 'portraiture\[coreai\]'"):
            read()


def test_what_a_file_says_is_read_without_packages(tmp_path: Path) -> None:
    write_asset(tmp_path / PATH)
    form = FORMATS[Target.COREAI]
    assert form.needs(tmp_path / PATH) == {"asset": "2.0", "ios": "27", "macos": "27"}
    found = json.loads(form.described(tmp_path / PATH, [("perception", SIZE)]))
    assert list(found["models"]) == ["perception_64x64"]
    assert "creationDate" not in json.loads((tmp_path / PATH / "metadata.json").read_text())
    write_asset(tmp_path / "new.aimodel", "3.0")
    assert needs(tmp_path / "new.aimodel") == {"asset": "3.0"}


@pytest.fixture
def bundle(quick: Checkpoints, tmp_path: Path) -> Path:
    """An ONNX file and a Core AI file that nothing here can run."""
    root = tmp_path / "bundle"
    export_bundle(BundleSpec(("perception",), (Target.ONNX,), (Precision.FP32,), (SIZE,), quick), root, gate=False)
    write_asset(root / PATH)
    manifest = read_manifest(root)
    said = {**manifest["models"][0], "target": "coreai", "path": PATH, **describe("perception", Target.COREAI, SIZE)}
    found = {"needs": FORMATS[Target.COREAI].needs(root / PATH), "bytes": bytes_of(root / PATH)}
    manifest["models"].append(said | found)
    write_contents(root, model_files(manifest))
    write_json(root / MANIFEST, {**manifest, "files": checksums(root)})
    return root


@pytest.mark.slow
def test_parity_runs_the_other_files_and_passes_no_core_ai(bundle: Path, quick: Checkpoints) -> None:
    rows = run_parity(bundle, truth=Truth(Networks(quick)), second=True)
    assert Status.FAILED not in {r.status for r in rows}
    assert {r.subject.file.target for r in rows if r.status is Status.PASSED and r.subject.file} == {Target.ONNX}
    (row,) = [r for r in rows if "coreai" in str(r.subject)]
    assert row == Row.not_run(Link.FILE, "all coreai", "the coreai extra is not installed (coreai is missing)")
    shutil.rmtree(bundle / PATH)
    with pytest.raises(InputError):  # what is missing is not passed over, though it could not be run
        run_parity(bundle, truth=Truth(Networks(quick)))


def row_of(steps: list[Step]) -> Row:
    ((_, (row,)),) = steps
    assert isinstance(row, Row)
    return row


def test_the_second_judge_is_not_run_and_says_why(tmp_path: Path) -> None:
    def steps(target: Target, precision: Precision, asked: bool) -> list[Step]:
        file = ModelFile("filter", target, precision, SIZE, "no_file_here")
        return second_steps(tmp_path, [file], Truth(Networks()), sample_photo(), asked)

    row = row_of(steps(Target.COREML, Precision.FP16, True))
    assert (str(row.subject), row.status) == ("all coreml fp16 by Core AI", Status.NOT_RUN)
    assert row.note == "the coreai extra is not installed (coreai is missing)"
    row = row_of(steps(Target.COREML, Precision.FP16, False))
    assert (row.status, row.note) == (Status.NOT_RUN, NOT_ASKED)
    assert steps(Target.COREML, Precision.FP32, True) == []
    assert steps(Target.TFLITE, Precision.FP16, True) == []


@pytest.mark.parametrize(("present", "missing"), [((), "coreai"), (("coreai",), "coreai_torch")])
def test_the_first_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...], missing: str
) -> None:
    has: Callable[[str], object] = lambda name: name in present or None  # noqa: E731
    monkeypatch.setattr(packages, "find_spec", has)
    assert packages.absent() == f"the coreai extra is not installed ({missing} is missing)"
