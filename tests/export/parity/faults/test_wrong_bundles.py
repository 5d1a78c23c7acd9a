"""Planted faults of what an app reads beside the models: each is refused, and the message names file and value."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.goldens import INDEX, read_index
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.bundle.open import open_bundle
from portraiture.export.formats import BUILT_IN, Target
from portraiture.export.networks.build import Networks
from portraiture.export.parity.goldens import golden_rows
from portraiture.export.parity.rows import Status
from portraiture.export.parity.run import run_parity
from portraiture.export.pipeline.truth import Truth
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle to harm."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def bless(root: Path) -> None:
    """Write checksums and sizes anew, as whoever plants a fault would."""
    manifest = read_manifest(root)
    for entry in manifest["models"]:
        path = root / entry["path"]
        entry["bytes"] = sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())
    write_json(root / MANIFEST, {**manifest, "files": checksums(root)})


def loosen(index: Any) -> None:
    for entry in index["files"]:
        for output in entry["outputs"].values():
            output["tolerance"]["max_abs"] = 1.0


def shrink(index: Any) -> None:
    for entry in index["files"]:
        for output in entry["outputs"].values():
            output["shape"] = [1, 1]


def leave_out(index: Any) -> None:
    del index["files"][3]


def cross(index: Any) -> None:
    index["files"][0]["inputs"]["rgb"] = "mask"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda index: index.update(aperture=0.001), r"index\.json: aperture: expected 0\.016, found 0\.001"),
        (lambda index: index.update(focus=0.5), r"index\.json: focus: expected -1"),
        (loosen, r"index\.json: files\.\d+\.outputs\.\w+\.tolerance\.max_abs: expected .*, found 1\.0"),
        (shrink, r"index\.json: files\.0\.outputs\.mask\.shape.*: expected .*, found"),
        (leave_out, r"index\.json: files: expected"),
        (cross, r"index\.json: files\.0\.inputs\.rgb: expected 'rgb', found 'mask'"),
        (lambda index: index.update(order="column major"), r"index\.json: order"),
        (lambda index: index["arrays"]["mask"].update(dtype="float32"), r"arrays\.mask\.dtype: expected 'float64'"),
    ],
)
def test_an_altered_index_of_goldens_is_refused(copy: Path, change: Callable[[Any], None], said: str) -> None:
    index = read_index(copy)
    change(index)
    write_json(copy / INDEX, index)
    bless(copy)
    with pytest.raises(InputError, match=said):
        open_bundle(copy)


@pytest.mark.parametrize("text", ["{", "[1, 2", "\x00", '{"size": NaN}', "[" * 20_000])
def test_an_index_that_is_no_json_is_refused(copy: Path, text: str) -> None:
    (copy / INDEX).write_text(text)
    bless(copy)
    with pytest.raises(InputError, match=r"index\.json: expected JSON"):
        open_bundle(copy)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("PortraitureContract.kt", '"rgb"', '"image"'),
        ("PortraitureContract.kt", "width128x96: Int = 96", "width128x96: Int = 128"),
        ("PortraitureContract.swift", "apertureMax: Double = 0.04", "apertureMax: Double = 0.4"),
        ("PortraitureContract.swift", '"NCHW"', '"NHWC"'),
    ],
)
def test_altered_constants_are_refused(copy: Path, name: str, before: str, after: str) -> None:
    path = copy / "constants" / name
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    bless(copy)
    with pytest.raises(InputError, match=rf"{name}: expected .*: altered"):
        open_bundle(copy)


@pytest.mark.parametrize("rule", ["shrink", "enlarge", "enlarge_mask", "pixel_centres", "aspect", "rounding"])
def test_another_rule_of_resizing_is_refused(copy: Path, rule: str) -> None:
    manifest = read_manifest(copy)
    manifest["resize"][rule] += ", or so"
    write_json(copy / MANIFEST, manifest)
    with pytest.raises(InputError, match=rf"resize\.{rule}"):
        open_bundle(copy)


@pytest.mark.parametrize("target", BUILT_IN)
def test_another_contract_inside_a_file_is_refused(copy: Path, target: Target) -> None:
    manifest = read_manifest(copy)
    entry = next(m for m in manifest["models"] if (m["name"], m["target"]) == ("filter", target.value))
    path = copy / entry["path"]
    file = next(path.rglob("model.mlmodel")) if path.is_dir() else path
    content = file.read_bytes()
    assert content.count(b"half-pixel: source") >= 1
    file.write_bytes(content.replace(b"half-pixel: source", b"corner-set: source"))
    bless(copy)
    with pytest.raises(InputError, match=r"the contract inside: resize\.pixel_centres: expected"):
        run_parity(copy)


def test_tflites_own_metadata_is_held_too(copy: Path) -> None:
    path = next((copy / "tflite").glob("filter_*fp32.tflite"))
    content = path.read_bytes()
    stats = np.float32(255).tobytes()
    metadata = content.index(b"M001")
    place = content.index(stats, metadata)
    path.write_bytes(content[:place] + np.float32(256).tobytes() + content[place + 4 :])
    bless(copy)
    with pytest.raises(InputError, match=r"TFLITE_METADATA: expected what the contract gives"):
        run_parity(copy)


@pytest.mark.parametrize("name", ["rgb", "filter_mask", "mask", "portrait", "coarse_depth"])
def test_an_altered_golden_fails(copy: Path, name: str) -> None:
    path = copy / "goldens" / f"{name}.bin"
    entry = json.loads((copy / INDEX).read_text())["arrays"][name]
    values = np.frombuffer(path.read_bytes(), entry["dtype"]).copy()
    values[len(values) // 2] = values[len(values) // 2] // 2 + 7 if values.dtype.kind == "u" else 0.123
    path.write_bytes(values.tobytes())
    rows = golden_rows(copy, model_files(read_manifest(copy)), Truth(Networks()))
    failed = {row.output for row in rows if row.status is Status.FAILED}
    assert name in failed
