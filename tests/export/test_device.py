"""Results an app wrote are judged by the gate of the files; what is missing or cut short is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.contract import Precision, Size, Target, model_contract
from portraiture.export.device import device_rows, read_result, results_folder
from portraiture.export.goldens import STRIDE, read_golden, read_index
from portraiture.export.manifest import ModelFile, model_files, read_manifest
from portraiture.export.tolerances import file_tolerance
from portraiture.export.verdict import Status
from portraiture.reference.errors import InputError


def coreml_perception(bundle: Path) -> ModelFile:
    files = model_files(read_manifest(bundle))
    return next(f for f in files if (f.name, f.target, f.precision) == ("perception", Target.COREML, Precision.FP16))


@pytest.fixture
def results(bundle: Path, tmp_path: Path) -> Path:
    """What a good device writes for one model: the goldens, enlarged again, as float16."""
    file, index = coreml_perception(bundle), read_index(bundle)
    folder = tmp_path / "results" / results_folder(file)
    folder.mkdir(parents=True)
    for name in ("mask", "depth"):
        whole = np.repeat(np.repeat(read_golden(bundle, index, name), STRIDE, 0), STRIDE, 1)
        (folder / f"{name}.bin").write_bytes(whole.astype("<f2").tobytes())
    return tmp_path / "results"


def test_good_results_pass_and_the_others_were_not_run(bundle: Path, results: Path) -> None:
    rows = device_rows(bundle, results)
    passed = {(r.subject, r.output) for r in rows if r.status is Status.PASSED}
    assert passed == {(f"perception coreml fp16 {Size(128, 96)}", name) for name in ("mask", "depth")}
    assert {r.status for r in rows} == {Status.PASSED, Status.NOT_RUN}
    assert len({r.subject for r in rows}) == len(model_files(read_manifest(bundle)))


def test_a_mirrored_mask_fails(bundle: Path, results: Path) -> None:
    path = next(results.rglob("mask.bin"))
    size = Size.parse(read_index(bundle)["size"])
    mask = np.frombuffer(path.read_bytes(), "<f2").reshape(size.height, size.width)
    path.write_bytes(mask[:, ::-1].tobytes())
    failed = [r for r in device_rows(bundle, results) if r.status is Status.FAILED]
    assert [r.output for r in failed] == ["mask"]


def test_nan_of_a_device_fails(bundle: Path, results: Path) -> None:
    path = next(results.rglob("depth.bin"))
    values = np.frombuffer(path.read_bytes(), "<f2").copy()
    values[7] = np.nan
    path.write_bytes(values.tobytes())
    (failed,) = [r for r in device_rows(bundle, results) if r.status is Status.FAILED]
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


def test_the_index_states_every_gate(bundle: Path) -> None:
    index = read_index(bundle)
    for precision in Precision:
        for name in ("perception", "filter"):
            for spec in model_contract(name).outputs:
                gate = index["tolerances"][precision.value][spec.name]
                assert gate["min_psnr_db"] == file_tolerance(precision, spec.name).min_psnr_db
                assert gate["reason"]
