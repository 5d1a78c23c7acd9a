"""Results an app wrote are judged by the gate of the files; what is missing or cut short is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.goldens import read_golden, read_index, results_folder
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.contract import Kind, Size, model_contract
from portraiture.export.describe import describe
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile, file_path
from portraiture.export.networks.build import Networks
from portraiture.export.parity.device import device_rows, read_result
from portraiture.export.parity.rows import Status
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.tolerances import use_tolerance
from portraiture.export.writing.goldens import write_goldens
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json


def coreml_perception(bundle: Path) -> ModelFile:
    files = model_files(read_manifest(bundle))
    return next(f for f in files if (f.name, f.target, f.precision) == ("perception", Target.COREML, Precision.FP16))


@pytest.fixture
def results(bundle: Path, tmp_path: Path) -> Path:
    """What a good device writes for one model: the goldens as float16."""
    file, index = coreml_perception(bundle), read_index(bundle)
    folder = tmp_path / "results" / results_folder(file)
    folder.mkdir(parents=True)
    for name in ("mask", "depth"):
        (folder / f"{name}.bin").write_bytes(read_golden(bundle, index, name).astype("<f2").tobytes())
    return tmp_path / "results"


def test_good_results_pass_and_the_others_were_not_run(bundle: Path, results: Path) -> None:
    rows = device_rows(bundle, results, allow_missing=["*"])
    passed = {(str(r.subject), r.output) for r in rows if r.status is Status.PASSED}
    assert passed == {(f"perception coreml fp16 {Size(128, 96)}", name) for name in ("mask", "depth")}
    assert {r.status for r in rows} == {Status.PASSED, Status.NOT_RUN}
    assert len({r.subject for r in rows}) == len(model_files(read_manifest(bundle)))


def test_results_that_are_missing_fail_unless_they_are_named(bundle: Path, results: Path) -> None:
    rows = device_rows(bundle, results)
    there = [r for r in rows if r.difference is not None]
    missing = [r for r in rows if r.difference is None]
    assert {r.status for r in there} == {Status.PASSED}
    assert {r.status for r in missing} == {Status.FAILED}
    assert "--allow-missing 'tflite/filter_128x96_fp32'" in " ".join(r.note for r in missing)
    some = device_rows(bundle, results, allow_missing=["tflite/*", "onnx/*"])
    failed = {r.subject.file.target for r in some if r.status is Status.FAILED and r.subject.file}
    assert failed == {Target.COREML}
    assert {r.subject.file.target for r in some if r.status is Status.NOT_RUN and r.subject.file} == {
        Target.TFLITE, Target.ONNX
    }  # fmt: skip


def test_a_mirrored_mask_fails(bundle: Path, results: Path) -> None:
    path = next(results.rglob("mask.bin"))
    size = Size.parse(read_index(bundle)["size"])
    mask = np.frombuffer(path.read_bytes(), "<f2").reshape(size.height, size.width)
    path.write_bytes(mask[:, ::-1].tobytes())
    failed = [r for r in device_rows(bundle, results, allow_missing=["*"]) if r.status is Status.FAILED]
    assert [r.output for r in failed] == ["mask"]


@pytest.mark.parametrize("start", [0, 1])
def test_rows_and_columns_left_out_fail(bundle: Path, results: Path, start: int) -> None:
    path = next(results.rglob("mask.bin"))
    mask = np.frombuffer(path.read_bytes(), "<f2").reshape(128, 96).copy()
    mask[start::2] = 0
    mask[:, start::2] = 0
    path.write_bytes(mask.tobytes())
    failed = [r for r in device_rows(bundle, results, allow_missing=["*"]) if r.status is Status.FAILED]
    assert [r.output for r in failed] == ["mask"]


def test_nan_of_a_device_fails(bundle: Path, results: Path) -> None:
    path = next(results.rglob("depth.bin"))
    values = np.frombuffer(path.read_bytes(), "<f2").copy()
    values[7] = np.nan
    path.write_bytes(values.tobytes())
    (failed,) = [r for r in device_rows(bundle, results, allow_missing=["*"]) if r.status is Status.FAILED]
    assert failed.output == "depth"
    assert "NaN" in failed.note


def test_what_cannot_be_read_is_named(bundle: Path, results: Path, tmp_path: Path) -> None:
    path = next(results.rglob("mask.bin"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])
    with pytest.raises(InputError, match=r"mask\.bin: expected \(128, 96\), 49152 bytes of float32"):
        device_rows(bundle, results)
    path.unlink()
    with pytest.raises(InputError, match=r"mask\.bin: expected an output"):
        device_rows(bundle, results)
    shutil.rmtree(results)
    with pytest.raises(InputError, match="expected a folder"):
        device_rows(bundle, results)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected results such as"):
        device_rows(bundle, tmp_path / "empty")


def test_results_are_float32_or_float16(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 6).reshape(2, 3)
    for kind in ("<f4", "<f2"):
        (tmp_path / "a.bin").write_bytes(values.astype(kind).tobytes())
        np.testing.assert_allclose(read_result(tmp_path / "a.bin", (2, 3)), values, atol=1e-3)


def test_the_index_states_every_file_and_gate(bundle: Path) -> None:
    index = read_index(bundle)
    files = model_files(read_manifest(bundle))
    assert [e["path"] for e in index["files"]] == [f.path for f in files]
    for file, entry in zip(files, index["files"], strict=True):
        contract = model_contract(file.name)
        assert set(entry["inputs"]) == {s.name for s in contract.inputs if s.kind is not Kind.SCALAR}
        assert set(entry["outputs"]) == {s.name for s in contract.outputs}
        for name, output in entry["outputs"].items():
            gate = use_tolerance(file.name, file.target, file.precision, name)
            assert output["tolerance"]["min_psnr_db"] == gate.min_psnr_db
            assert output["tolerance"]["reason"]
            golden = index["arrays"][output["golden"]]
            assert golden["shape"] == output["shape"]


def test_every_model_and_size_is_judged_by_its_own_goldens(bundle: Path, tmp_path: Path) -> None:
    """SPN models and a second size too: what float64 gives on the golden inputs passes, another model's does not."""
    root, results = tmp_path / "bundle", tmp_path / "results"
    shutil.copytree(bundle, root)
    manifest = read_manifest(root)
    files = []
    for name in ("coarse", "segmentation_spn", "depth_spn", "filter"):
        for size in (Size(64, 64), Size(128, 96)):
            file = ModelFile(
                name, Target.ONNX, Precision.FP32, size, file_path(name, Target.ONNX, Precision.FP32, size)
            )
            FORMATS[file.target].write(Networks().get(name), size, Precision.FP32, root / file.path)
            files.append(file)
    models = [{"name": f.name, "target": f.target.value, "precision": f.precision.value, "size": str(f.size),
               "path": f.path, "bytes": (root / f.path).stat().st_size, "ops": {"Conv": 1}, "op_count": 1,
               **describe(f.name, f.target, f.size)} for f in files]  # fmt: skip
    shutil.rmtree(root / "goldens")
    for folder in ("tflite", "coreml"):
        shutil.rmtree(root / folder)
    for path in (root / "onnx").iterdir():
        if not any(path == root / f.path for f in files):
            path.unlink()
    write_goldens(root, Truth(Networks()), files)
    write_contents(root, files)
    write_json(root / MANIFEST, {**manifest, "models": models, "files": checksums(root)})
    index = read_index(root)
    for file, entry in zip(files, index["files"], strict=True):
        arrays = {n: read_golden(root, index, a) for n, a in entry["inputs"].items()}
        feeds = {n: a / np.iinfo(a.dtype).max for n, a in arrays.items()}
        scalars = {k: index[k] for k in ("aperture", "focus")} if file.name == "filter" else {}
        folder = results / entry["results"]
        folder.mkdir(parents=True)
        for name, value in open_file(root, file).run({**feeds, **scalars}).items():
            (folder / f"{name}.bin").write_bytes(value.astype("<f4").tobytes())
    rows = device_rows(root, results)
    assert [(str(r.subject), r.output, r.difference) for r in rows if r.status is not Status.PASSED] == []
    assert len(rows) == 2 * (2 + 1 + 1 + 1)
    refined, coarse = (results / results_folder(f) / "mask.bin" for f in (files[3], files[1]))
    shutil.copyfile(coarse, refined)
    (failed,) = [r for r in device_rows(root, results) if r.status is Status.FAILED]
    assert str(failed.subject) == "segmentation_spn onnx fp32 128x96"
