"""Twelve planted faults: each is caught, and the message names its cause or its layer.

Faults of an exporter are planted in the exporter, the file is written by it and the checksums are those of the faulty
file: only the numbers can tell. Faults of a file are planted in the file, with and without its checksum.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export import networks, parity
from portraiture.export.contract import Target
from portraiture.export.manifest import MANIFEST, ModelFile, read_manifest, write_json
from portraiture.export.networks import Checkpoints
from portraiture.export.pipeline import Pipeline
from portraiture.reference.errors import InputError
from portraiture.training.checkpoint import load_tensors, save_tensors
from portraiture.training.models import propagation
from portraiture.training.weights import SHIPPED_PERCEPTION

LAYER = "coarse.encoder.blocks.5.project"
FORMATS = list(Target)


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


def caught(patient: Any, *words: str) -> None:
    """The gate fails, and each note that explains holds the words."""
    failures = patient.failures()
    assert failures
    for row in failures:
        for word in words:
            assert word in row.note, (row.subject, row.note)


def test_control_the_sound_bundle_passes(patient: Any) -> None:
    assert patient.failures() == []


@pytest.mark.parametrize("target", FORMATS)
def test_weight_bit(patient: Any, target: Target) -> None:
    file = patient.file(target)
    path = weights_path(patient.root, file)
    overwrite_weight(path, flip_bit)
    with pytest.raises(InputError, match=f"{path.name}: its sha256 is not the one"):
        patient.failures()
    patient.keep_only(file)
    caught(patient, LAYER, "are not the checkpoint's: 1 of ")


@pytest.mark.parametrize("target", FORMATS)
def test_nan_weight(patient: Any, target: Target) -> None:
    file = patient.file(target)
    overwrite_weight(weights_path(patient.root, file), set_nan)
    patient.keep_only(file)
    caught(patient, LAYER, "it holds NaN or infinity")


class Wrapped(torch.nn.Module):
    """A network whose photo, or whose tensors, are changed on the way."""

    def __init__(self, network: torch.nn.Module, rgb: Callable[[Tensor], Tensor], both: bool = False) -> None:
        super().__init__()
        self.inner, self.rgb, self.both = network, rgb, both

    def forward(self, rgb: Tensor, *maps: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = self.inner(self.rgb(rgb), *maps)
        return tuple(self.rgb(y) for y in outputs) if self.both else outputs


def wrap(monkeypatch: pytest.MonkeyPatch, rgb: Callable[[Tensor], Tensor], both: bool = False) -> None:
    """Make the exporter write wrapped networks."""
    from portraiture.export import bundle

    def build(*arguments: Any) -> networks.Exported:
        network = networks.build(*arguments)
        network.network = Wrapped(network.network, rgb, both)
        return network

    monkeypatch.setattr(bundle, "build", build)


def coreml_image(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """Make the exporter describe the photo wrongly to Core ML."""
    import coremltools as ct

    honest = ct.ImageType
    monkeypatch.setattr(ct, "ImageType", lambda **given: honest(**{**given, **changed}))


def export_with(
    patient: Any, monkeypatch: pytest.MonkeyPatch, target: Target, plant: Callable[[], None], name: str = "perception"
) -> None:
    """Write one file with a planted fault; the fault is gone before the gate runs."""
    file = patient.file(target, name)
    with monkeypatch.context():
        plant()
        patient.export_again(file)
    monkeypatch.undo()
    patient.keep_only(file)


def test_swapped_channels_in_onnx(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.ONNX, lambda: wrap(monkeypatch, lambda rgb: rgb[:, [2, 1, 0]]))
    caught(patient, "the file reads the channels as B G R")


def test_swapped_channels_in_core_ml(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.COREML, lambda: coreml_image(monkeypatch, color_layout="BGR"))
    caught(patient, "the file reads the channels as B G R")


def test_wrong_scale_in_core_ml(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.COREML, lambda: coreml_image(monkeypatch, scale=1.0))
    caught(patient, "the scale 1/255 is missing")


def test_wrong_scale_in_onnx(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.ONNX, lambda: wrap(monkeypatch, lambda rgb: rgb / 255))
    caught(patient, "divides rgb by 255 once too often")


@pytest.mark.parametrize("both", [False, True])
def test_transposed_height_and_width(patient: Any, monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    export_with(patient, monkeypatch, Target.ONNX, lambda: wrap(monkeypatch, lambda x: x.transpose(2, 3), both))
    caught(patient, f"height and width are exchanged in the file's inputs{' and outputs' if both else ''}")


def test_wrong_resize_rule_in_a_network(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = F.interpolate

    def plant() -> None:
        monkeypatch.setattr(F, "interpolate", lambda x, **given: honest(x, **{**given, "align_corners": True}))

    export_with(patient, monkeypatch, Target.ONNX, plant, "filter")
    caught(patient, "resize rule inside the network: corners are aligned")


class _Nearest(Pipeline):
    """An app that picks the nearest pixel of the photo."""

    def perceive(self, rgb: np.ndarray, model: str = "perception") -> Any:
        (size,) = self.sizes
        return super().perceive(
            cv2.resize(
                cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_NEAREST),
                rgb.shape[1::-1],
                interpolation=cv2.INTER_NEAREST,
            ),
            model,
        )


class _Corners(Pipeline):
    """An app that enlarges the mask with its corners aligned."""

    def perceive(self, rgb: np.ndarray, model: str = "perception") -> Any:
        maps = super().perceive(rgb, model)
        mask = torch.from_numpy(np.asarray(maps.model_mask, np.float32))[None, None]
        large = F.interpolate(mask, size=rgb.shape[:2], mode="bilinear", align_corners=True)
        return replace(maps, mask=large[0, 0].numpy())


@pytest.mark.parametrize(
    ("app", "said"), [(_Nearest, "resize rule on the way in"), (_Corners, "resize rule of masks on the way out")]
)
def test_wrong_resize_rule_in_an_app(
    patient: Any, monkeypatch: pytest.MonkeyPatch, app: type[Pipeline], said: str
) -> None:
    def wrong(root: Path, group: Any, size: Any) -> Pipeline:
        return app(lambda name, _: parity.open_file(root, group[name]), [size])

    patient.keep_only(patient.file(Target.ONNX), patient.file(Target.ONNX, "filter"))
    monkeypatch.setattr(parity, "exported_pipeline", wrong)
    caught(patient, "its files agree, the pipeline does not", said)


def test_off_by_one_scan_direction(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = propagation._lines

    def shifted(x: Tensor, direction: int, steps: int) -> Tensor:
        lines = honest(x, direction, steps)
        return torch.cat([lines[1:], lines[:1]], 0) if direction % 2 else lines

    export_with(patient, monkeypatch, Target.ONNX, lambda: monkeypatch.setattr(propagation, "_lines", shifted))
    caught(patient, "first layer that diverges: network.perception.propagation (Propagation)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_missing_border_walls(patient: Any, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    export_with(
        patient, monkeypatch, target, lambda: monkeypatch.setattr(propagation, "_walls", lambda gate, *_: gate + 0)
    )
    caught(patient, "first layer that diverges: network.perception.propagation (Propagation)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_stale_file(patient: Any, tmp_path: Path, target: Target) -> None:
    tensors, metadata = load_tensors(SHIPPED_PERCEPTION)
    earlier = {k: v * 1.01 if k.endswith("weight") else v for k, v in tensors.items()}
    save_tensors(tmp_path / "earlier.safetensors", earlier, metadata)
    file = patient.file(target)
    patient.export_again(file, Checkpoints(perception=tmp_path / "earlier.safetensors"))
    patient.keep_only(file)
    caught(patient, "stale: ", "layers hold other weights than the checkpoint")


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
    caught(patient, path.name)


def rename_input(path: Path, target: Target) -> None:
    """Another name where the contract says rgb; in TFLite another signature."""
    if target is Target.TFLITE:
        from ai_edge_litert import schema_py_generated as schema

        from portraiture.export.tflite import _pack

        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        model.signatureDefs[0].signatureKey = b"serving_default"
        path.write_bytes(_pack(model))
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
    caught(patient, Path(file.path).name, "expected", "perception" if target is Target.TFLITE else "rgb", "found")


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
    shutil.rmtree(patient.root)


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
