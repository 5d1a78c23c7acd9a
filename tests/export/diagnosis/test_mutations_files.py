"""Planted faults of files and of the manifest: each is caught, and the message names the file, the layer or the field.

A fault in a file is planted twice: beside its old checksum, and with a new one, so that only the gate can tell.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.formats import BUILT_IN, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity import run as parity
from portraiture.export.tflite.model import pack_model, read_model
from portraiture.export.tflite.segmenter import with_labels
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json
from portraiture.training.tensor_files import load_tensors
from portraiture.training.weights import SHIPPED_PERCEPTION

LAYER = "coarse.encoder.blocks.5.project"
FORMATS = BUILT_IN


def weights_path(root: Path, file: ModelFile) -> Path:
    """The file that holds the weights: the model itself, or within a package."""
    path = root / file.path
    return next(path.rglob("weight.bin")) if path.is_dir() else path


def overwrite_weight(path: Path, change: Callable[[np.ndarray], None]) -> None:
    """Change the float32 weights of one 1x1 convolution, which lie in the same order in every format."""
    tensors, _ = load_tensors(SHIPPED_PERCEPTION)
    weights = tensors[f"{LAYER}.weight"].float().numpy().ravel().copy()
    content = path.read_bytes()
    before = weights.astype("<f4").tobytes()
    assert content.count(before) == 1
    change(weights)
    path.write_bytes(content.replace(before, weights.astype("<f4").tobytes()))


def flip_bit(weights: np.ndarray) -> None:
    weights.view(np.uint32)[int(np.abs(weights).argmax())] ^= 1 << 30


def set_nan(weights: np.ndarray) -> None:
    weights[3] = np.nan


@pytest.mark.parametrize("target", FORMATS)
def test_weight_bit(patient: Any, target: Target) -> None:
    file = patient.file(target)
    path = weights_path(patient.root, file)
    overwrite_weight(path, flip_bit)
    with pytest.raises(InputError, match=f"{path.name}: its sha256 is not the one"):
        patient.failures()
    patient.keep_only(file)
    patient.assert_caught(LAYER, "are not the checkpoint's: 1 of ")


@pytest.mark.parametrize("target", FORMATS)
def test_nan_weight(patient: Any, target: Target) -> None:
    file = patient.file(target)
    overwrite_weight(weights_path(patient.root, file), set_nan)
    patient.keep_only(file)
    patient.assert_caught(LAYER, "it holds NaN or infinity")


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("target", FORMATS)
def test_truncated_file(patient: Any, target: Target) -> None:
    file = patient.file(target)
    path = weights_path(patient.root, file)
    shorten(path)
    with pytest.raises(InputError, match=f"{path.name}: its sha256 is not the one"):
        patient.failures()
    patient.keep_only(file)
    patient.assert_caught(path.name)


def rename_input(path: Path, target: Target) -> None:
    """Another name where the contract says rgb; in TFLite another signature."""
    if target is Target.TFLITE:
        model = read_model(path)
        model.signatureDefs[0].signatureKey = b"serving_default"
        path.write_bytes(with_labels(pack_model(model)))
    elif target is Target.ONNX:
        import onnx

        model = onnx.load(str(path))
        for node in model.graph.node:
            node.input[:] = ["image" if name == "rgb" else name for name in node.input]
        model.graph.input[0].name = "image"
        onnx.save(model, str(path))
    else:
        import coremltools as ct

        inner = next(path.rglob("model.mlmodel"))
        spec = ct.utils.load_spec(str(inner))
        ct.utils.rename_feature(spec, "rgb", "image")
        inner.write_bytes(spec.SerializeToString())


@pytest.mark.parametrize("target", FORMATS)
def test_wrong_signature_name(patient: Any, target: Target) -> None:
    file = patient.file(target)
    rename_input(patient.root / file.path, target)
    patient.keep_only(file)
    patient.assert_caught(Path(file.path).name, "expected", "perception" if target is Target.TFLITE else "rgb", "found")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("models", 0, "inputs", 0, "range"), [0, 255], r"models\.0\.inputs\.0\.range"),
        (("models", 0, "outputs", 0, "name"), "alpha", r"models\.0\.outputs\.0\.name"),
        (("models", 0, "precision"), "fp16", r"models\.0\.path"),
        (("models", 0, "op_count"), 3, r"models\.0\.op_count"),
        (("resize", "pixel_centres"), "corners aligned", r"resize\.pixel_centres"),
        (("contract_version",), "9.0.0", "contract_version"),
        (("files", "goldens/mask.bin"), "0" * 64, r"mask\.bin: its sha256"),
        (("weights", "perception"), "0" * 64, "other perception weights"),
    ],
)
def test_altered_manifest(patient: Any, place: tuple[Any, ...], value: Any, said: str) -> None:
    manifest = read_manifest(patient.root)
    entry: Any = manifest
    for step in place[:-1]:
        entry = entry[step]
    assert entry[place[-1]] != value
    entry[place[-1]] = value
    write_json(patient.root / MANIFEST, manifest)
    with pytest.raises(InputError, match=said):
        patient.failures()


def test_a_model_taken_out_of_the_manifest(patient: Any) -> None:
    manifest = json.loads((patient.root / MANIFEST).read_text())
    entry = manifest["models"].pop()
    write_json(patient.root / MANIFEST, manifest)
    with pytest.raises(InputError, match=f"expected an entry for {entry['path']}"):
        patient.failures()


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (flip_bit, 1, f"weights of network.perception.{LAYER} (Conv2d) are not the checkpoint's: 1 of"),
        (shorten, 2, "perception_64x64_fp32.onnx: its sha256 is not the one in manifest.json"),
    ],
)
def test_the_command_line_says_it_in_one_line(
    patient: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Any, code: int, said: str
) -> None:
    from portraiture.tools.cli import main

    file = patient.file(Target.ONNX)
    if fault is flip_bit:
        overwrite_weight(patient.root / file.path, flip_bit)
        patient.keep_only(file)
        monkeypatch.setattr(parity, "filter_rows", lambda *_: iter(()))
    else:
        fault(patient.root / file.path)
    monkeypatch.setattr("sys.argv", ["portraiture", "parity", str(patient.root), "--locate"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == code
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in last
