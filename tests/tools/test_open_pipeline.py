"""From options to a pipeline: what is refused, and a bundle's model that is absent or damaged."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.manifest import model_files
from portraiture.export.contract import Size
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.write import write_photo
from portraiture.tools.choices import RUNTIMES
from portraiture.tools.open_pipeline import open_pipeline


def test_a_bundle_with_torch_names_the_runtimes_that_take_one(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as refused:
        open_pipeline("torch", tmp_path, None)
    assert all(name in str(refused.value) for name in ("tflite", "tensorflow", "coreml", "onnx", "coreai"))
    assert set(RUNTIMES) == {"torch", "tflite", "tensorflow", "coreml", "onnx", "coreai"}


@pytest.mark.parametrize("runtime", [name for name in RUNTIMES if name != "torch"])
def test_every_other_runtime_wants_a_bundle(runtime: str) -> None:
    with pytest.raises(OptionError, match="--bundle DIR"):
        open_pipeline(runtime, None, None)


def test_torch_offers_every_model() -> None:
    pipeline = open_pipeline("torch", None, None)
    assert pipeline.offers("coarse")
    assert pipeline.sizes == (Size(512, 384), Size(384, 512))


def without_coarse(bundle: Path, copy: Path) -> None:
    """A copy of a bundle whose coarse models were never exported."""
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    for path in [m["path"] for m in manifest["models"] if m["name"] == "coarse"]:
        shutil.rmtree(copy / path) if (copy / path).is_dir() else (copy / path).unlink()
        manifest["files"] = {k: v for k, v in manifest["files"].items() if k != path and not k.startswith(f"{path}/")}
    manifest["models"] = [m for m in manifest["models"] if m["name"] != "coarse"]
    write_contents(copy, model_files(manifest))
    (copy / "manifest.json").write_text(json.dumps({**manifest, "files": checksums(copy)}))


def test_an_absent_model_is_not_offered_and_is_named(bundle: Path, tmp_path: Path) -> None:
    without_coarse(bundle, tmp_path / "bundle")
    pipeline = open_pipeline("tflite", tmp_path / "bundle", None)
    assert not pipeline.offers("coarse")
    assert pipeline.offers("perception")
    with pytest.raises(InputError, match=r"expected a tflite model coarse 128x96.*--model coarse"):
        pipeline.runner("coarse", Size(128, 96))


def test_a_damaged_model_is_told_not_passed_over(bundle: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    """Its size and checksum are right: it was damaged before the manifest was written."""
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    path = "tflite/coarse_128x96_fp32.tflite"
    content = b"x" * (copy / path).stat().st_size
    (copy / path).write_bytes(content)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][path] = hashlib.sha256(content).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    photo = tmp_path / "me.png"
    write_photo(photo, astronaut)
    options = ("--runtime", "tflite", "--bundle", copy, "-o", tmp_path / "maps")
    command = [sys.executable, "-m", "portraiture.tools.cli", "predict", photo, *options]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert f"{path}: expected a TFLite model" in done.stderr, done.stderr
    assert not (tmp_path / "maps").exists()
