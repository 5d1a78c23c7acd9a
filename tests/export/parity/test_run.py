"""The gate passes on what was exported and fails on every planted fault."""

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.checksums import checksums, verify
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.compare import Difference, compare
from portraiture.export.contract import MODELS, Size
from portraiture.export.formats import BUILT_IN, PRECISIONS, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity import links
from portraiture.export.parity import run as parity
from portraiture.export.parity.filter_link import photos_for_size
from portraiture.export.parity.links import file_rows, known_rows
from portraiture.export.parity.rows import Link, Row, Status, judge, unwatched
from portraiture.export.parity.run import run_parity
from portraiture.export.parity.subjects import pipeline_groups, subject_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds, Runner
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import file_tolerance, use_tolerance
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json
from portraiture.training.tensor_files import load_tensors
from portraiture.training.weights import SHIPPED_PERCEPTION

SIZE = Size(128, 96)


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle that a test may harm."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def file_of(root: Path, name: str, target: Target, precision: Precision) -> ModelFile:
    """One file of a bundle."""
    files = model_files(read_manifest(root))
    return next(f for f in files if (f.name, f.target, f.precision) == (name, target, precision))


def bless(root: Path) -> None:
    """Write the checksums anew, so that only the gate itself can notice a fault."""
    write_json(root / MANIFEST, {**read_manifest(root), "files": checksums(root)})


@dataclass
class Judged:
    """One whole run."""

    rows: list[Row]
    reported: list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def judged(bundle: Path, truth: Truth) -> Judged:
    """The fresh bundle, judged on the sample photo."""
    reported: list[tuple[str, int, int]] = []

    def report(what: str, done: int, of: int) -> None:
        reported.append((what, done, of))

    return Judged(run_parity(bundle, (), truth, report), reported)


def test_every_file_of_a_fresh_bundle_passes(judged: Judged) -> None:
    rows = judged.rows
    file_subjects = {r.subject for r in rows if r.link is Link.FILE and r.status is Status.PASSED
                     and not r.subject.runtime}  # fmt: skip
    assert len(file_subjects) == 4 * (2 + 2 + 2) + 1  # models x precisions of tflite, coreml, onnx; and the goldens
    failed = [(str(r.subject), r.output, r.difference, r.note) for r in rows if r.status is Status.FAILED]
    # the filter was trained at 512x384: the second link is judged there, by `make bundle`
    assert [f for f in failed if not f[0].startswith("filter torch")] == []


def test_core_ml_itself_is_reported_as_not_run_off_macos(judged: Judged) -> None:
    (row,) = [r for r in judged.rows if r.status is Status.NOT_RUN and str(r.subject) == "all coreml"]
    assert "macOS" in row.note


def test_rows_of_files_stand_in_the_order_of_the_manifest(bundle: Path, judged: Judged) -> None:
    of_files = [r.subject.file for r in judged.rows
                if r.link is Link.FILE and r.subject.file and not r.subject.runtime]  # fmt: skip
    assert list(dict.fromkeys(of_files)) == model_files(read_manifest(bundle))


def test_each_step_is_reported_once_and_counted(judged: Judged) -> None:
    words, done, of = zip(*judged.reported, strict=True)
    assert list(done) == list(range(len(done)))
    assert set(of) == {len(done)}
    assert len(set(words)) == len(words)
    subjects = {str(r.subject) for r in judged.rows if r.subject.file}
    assert subjects <= set(words)
    assert len([w for w in words if " pipeline " in f" {w}" and "TensorFlow" not in w]) == 3 * 2 * 2
    assert f"filter against the CRF reference at {SIZE}" in words


def test_a_step_is_reported_before_it_runs(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def rows_of(root: Path, file: ModelFile, *_: object) -> Iterator[Row]:
        happened.append(f"run {subject_of(file)}")
        yield from ()

    monkeypatch.setattr(parity, "file_rows", rows_of)
    for name in ("filter_rows", "pipeline_rows", "tensorflow_steps", "setting_rows", "probe_rows", "second_steps"):
        monkeypatch.setattr(parity, name, lambda *_: iter(()))
    run_parity(bundle, report=lambda what, *_: happened.append(what))
    runs = [k for k, what in enumerate(happened) if what.startswith("run ")]
    assert len(runs) == 4 * (2 + 2 + 2)
    assert all(happened[k] == f"run {happened[k - 1]}" for k in runs)


def _at_one(row: Row) -> bool:
    """Whether a row is of the photo, at the paper's setting."""
    return "setting" not in row.output and "probe" not in row.output


def _known(rows: list[Row]) -> dict[str, dict[str, Difference]]:
    """What the export's doctor would hand over: the difference of each output by path of the file."""
    found: dict[str, dict[str, Difference]] = {}
    for row in rows:
        if row.link is Link.FILE and row.subject.file and row.difference and not row.subject.runtime and _at_one(row):
            found.setdefault(row.subject.file.path, {})[row.output] = row.difference
    return found


def test_a_row_of_known_figures_says_the_same_as_one_of_a_run(
    bundle: Path, judged: Judged, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(root: Path, file: ModelFile) -> Runner:
        raise AssertionError(file.path)

    monkeypatch.setattr(links, "open_file", refuse)
    for name in ("filter_rows", "pipeline_rows", "tensorflow_steps", "setting_rows", "probe_rows", "second_steps"):
        monkeypatch.setattr(parity, name, lambda *_: iter(()))
    rows = run_parity(bundle, (), truth, known=_known(judged.rows))
    own = [r for r in judged.rows if r.link is Link.FILE and not r.subject.runtime and _at_one(r)]
    assert rows == own


def test_known_figures_are_judged_by_the_gate(bundle: Path, truth: Truth) -> None:
    file = file_of(bundle, "perception", Target.TFLITE, Precision.FP32)
    near, far = Difference(True, 1e-6, 1e-7, 120.0, 110.0, 1.0), Difference(True, 0.3, 0.1, 20.0, 10.0)
    nan = compare(np.full((2, 2), np.nan), np.zeros((2, 2)))
    assert [r.status for r in known_rows(file, {"mask": near, "depth": far}, truth)] == [Status.PASSED, Status.FAILED]
    (_, row) = known_rows(file, {"mask": near, "depth": nan}, truth)
    assert (row.status, row.note) == (Status.FAILED, "NaN or infinity in the output")


def test_known_figures_must_be_whole_and_those_of_the_sample_photo(bundle: Path, astronaut: np.ndarray) -> None:
    path = file_of(bundle, "perception", Target.TFLITE, Precision.FP32).path
    figure = Difference(True, 0.0, 0.0, math.inf, math.inf, 1.0)
    with pytest.raises(InputError, match=f"{path}: expected known figures of mask, depth, found mask"):
        run_parity(bundle, known={path: {"mask": figure}})
    with pytest.raises(InputError, match="known figures for the sample photo alone"):
        run_parity(bundle, [astronaut], known={path: {"mask": figure, "depth": figure}})


def test_entries_of_a_shared_file_are_run_whatever_is_known(astronaut: np.ndarray, tmp_path: Path) -> None:
    """Models of one file share its path, so that figures by path could be another model's."""
    figures = {n: Difference(True, 0.0, 0.0, math.inf, math.inf, 1.0) for n in ("mask", "depth")}
    own = ModelFile("perception", Target.ONNX, Precision.FP32, SIZE, "gone.onnx")
    for file, status in ((own, Status.PASSED), (replace(own, entry="perception_128x96"), Status.FAILED)):
        known = {file.path: figures}
        _, rows = parity._file_step(tmp_path, file, Truth(Networks()), [astronaut], unwatched, known)
        assert {r.status for r in rows} == {status}


def _flip_weight_bit(path: Path) -> None:
    """Flip the top exponent bit of a weight; those of a 1x1 convolution lie in the same order in every format."""
    tensors, _ = load_tensors(SHIPPED_PERCEPTION)
    weights = tensors["coarse.encoder.blocks.5.project.weight"].float().numpy().ravel()[:16]
    data = bytearray(path.read_bytes())
    start = data.find(weights.astype("<f4").tobytes())
    assert start >= 0
    data[start + 4 * int(np.abs(weights).argmax()) + 3] ^= 0x40
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("target", BUILT_IN)
def test_one_flipped_weight_bit_fails_the_checksum_and_the_gate(
    copy: Path, astronaut: np.ndarray, target: Target
) -> None:
    file = file_of(copy, "perception", target, Precision.FP32)
    weights = copy / file.path
    if target is Target.COREML:
        weights = next(weights.rglob("weight.bin"))
    assert weights.is_file()
    _flip_weight_bit(weights)
    with pytest.raises(InputError, match=f"{weights.name}.*sha256"):
        verify(copy, read_manifest(copy))
    bless(copy)
    rows = list(file_rows(copy, file, Truth(Networks()), [astronaut]))
    assert Status.FAILED in {r.status for r in rows}


class _Swapped:
    """A runner that reads blue as red."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.contract, self.size = runner, runner.contract, runner.size

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Swap the photo's channels first."""
        return self.runner.run({**feeds, "rgb": np.asarray(feeds["rgb"])[..., ::-1]})


class _Poisoned(_Swapped):
    """A runner with one NaN in each output."""

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Plant the NaN."""
        outputs = {k: v.copy() for k, v in self.runner.run(feeds).items()}
        for value in outputs.values():
            value.flat[7] = np.nan
        return outputs


@pytest.mark.parametrize("fault", [_Swapped, _Poisoned])
@pytest.mark.parametrize("name", ["perception", "filter", "portrait"])
def test_swapped_channels_and_nan_fail(
    bundle: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, fault: type[_Swapped], name: str
) -> None:
    honest = links.open_file
    monkeypatch.setattr(links, "open_file", lambda root, file: fault(honest(root, file)))
    file = file_of(bundle, name, Target.TFLITE, Precision.FP32)
    rows = list(file_rows(bundle, file, Truth(Networks()), [astronaut]))
    assert {r.status for r in rows} == {Status.FAILED}
    if fault is _Poisoned:
        assert all("NaN" in r.note for r in rows)


def test_other_weights_than_exported_are_refused(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "filter.safetensors"
    other.write_bytes(Checkpoints().perception.read_bytes())
    with pytest.raises(InputError, match="other filter weights"):
        run_parity(bundle, truth=Truth(Networks(Checkpoints(filter=other))))


@pytest.mark.parametrize("harm", ["missing", "changed", "added", "manifest"])
def test_verify_names_the_file(copy: Path, harm: str) -> None:
    victim = copy / "goldens" / "mask.bin"
    if harm == "missing":
        victim.unlink()
    elif harm == "changed":
        victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    elif harm == "added":
        victim = copy / "stale.tflite"
        victim.write_bytes(b"old")
    else:
        victim = copy / MANIFEST
        victim.write_text(victim.read_text()[:-20])
    with pytest.raises(InputError, match=victim.name):
        verify(copy, read_manifest(copy))


def test_a_truncated_tflite_file_is_one_failed_row(copy: Path, astronaut: np.ndarray) -> None:
    file = file_of(copy, "filter", Target.TFLITE, Precision.FP16)
    path = copy / file.path
    path.write_bytes(path.read_bytes()[:1000])
    (row,) = file_rows(copy, file, Truth(Networks()), [astronaut])
    assert row.status is Status.FAILED
    assert path.name in row.note


def test_compare_is_strict() -> None:
    a = np.zeros((4, 5))
    with pytest.raises(InputError, match="shape"):
        compare(a, np.zeros((4, 1)))  # would broadcast
    with pytest.raises(InputError, match="empty"):
        compare(np.zeros(0), np.zeros(0))
    assert not compare(np.full((4, 5), np.nan), a).finite
    assert not compare(a, np.full((4, 5), np.inf)).finite
    found = compare(a + 0.1, a)
    assert found.psnr_db == pytest.approx(20.0)
    assert found.max_abs == pytest.approx(0.1)


def test_peak_is_one_whatever_the_candidate() -> None:
    reference = np.full((8, 8), 0.2)
    assert compare(reference * 100, reference).psnr_db == pytest.approx(-20 * math.log10(0.2 * 99))


TOLERANCES = {(name, target, precision, spec.name): file_tolerance(name, target, precision, spec.name, budget_db=45.0)
              for name, contract in MODELS.items() for spec in contract.outputs
              for target, precisions in PRECISIONS.items() for precision in precisions}  # fmt: skip


def test_nan_cannot_pass_any_tolerance() -> None:
    nan = compare(np.full((2, 2), np.nan), np.zeros((2, 2)))
    assert {(key[1], key[2]) for key in TOLERANCES} == {(t, p) for t, own in PRECISIONS.items() for p in own}
    for tolerance in TOLERANCES.values():
        assert tolerance.reason
        assert not tolerance.passes(nan)


def test_weights_in_fp16_alone_are_held_tighter_than_arithmetic_in_fp16() -> None:
    for (name, target, precision, output), tolerance in TOLERANCES.items():
        if precision is Precision.FP16:
            least = 60 if target not in (Target.COREML, Target.COREAI) else 40 if output == "portrait" else 45
            assert use_tolerance(name, target, precision, output).min_psnr_db == least
            assert (tolerance.min_psnr_db or 0) >= least


def test_the_worst_photo_counts() -> None:
    good, bad = compare(np.zeros(4), np.zeros(4)), compare(np.full(4, 0.5), np.zeros(4))
    row = judge(Link.FILE, "x", "mask", dict(enumerate([good, bad, good])), Tolerance("", max_abs=1e-3))
    assert row.status is Status.FAILED
    assert row.difference == bad
    assert json.loads(json.dumps(row.to_json()))["status"] == "failed"


def test_every_packaging_has_its_pipelines() -> None:
    single = [ModelFile(n, Target.TFLITE, p, SIZE, f"{n}_{p.value}.tflite")
              for n in ("perception", "filter", "portrait") for p in (Precision.FP32, Precision.FP16)]  # fmt: skip
    shared = [replace(f, path=f"portraiture_{f.precision.value}.tflite", entry=f"{f.name}_{SIZE}") for f in single]
    groups = pipeline_groups([*single, *shared, ModelFile("perception", Target.ONNX, Precision.FP32, SIZE, "p.onnx")])
    assert len(groups) == 8  # two precisions, two packagings, two ways: two models or the one
    paths = [{f.path for f in group.values()} for group in groups.values()]
    assert sorted(map(len, paths)) == [1, 1, 1, 1, 1, 1, 2, 2]
    assert "portrait pipeline tflite fp16 128x96 in portraiture_fp16.tflite" in map(str, groups)


def test_each_size_is_shown_a_photo() -> None:
    tall, wide = Size(128, 96), Size(96, 128)
    upright, across, square = np.zeros((8, 6, 3)), np.zeros((6, 8, 3)), np.zeros((8, 8, 3))
    assert list(photos_for_size([upright, across], wide, [wide, tall])) == [1]
    assert list(photos_for_size([upright, upright], wide, [wide, tall])) == [0, 1]
    assert all(list(photos_for_size([square], size, [wide, tall])) == [0] for size in (tall, wide))


def test_missing_weights_are_named(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.safetensors: expected perception weights"):
        run_parity(bundle, (), Truth(Networks(Checkpoints(perception=tmp_path / "nowhere.safetensors"))))
