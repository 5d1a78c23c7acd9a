"""Planted faults of an exporter and of an app: each is caught, and the message names its cause or its layer.

Each fault is planted in the exporter, the file is written by it and the checksums are those of the faulty file: only
the numbers can tell. Faults of files are in ``test_mutations_files``; the two make twelve.
"""

import copy
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

from portraiture.export.diagnosis import explain
from portraiture.export.formats import Target
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.exported import Exported
from portraiture.export.parity import links
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.targets import open_file
from portraiture.training.models import propagation
from portraiture.training.tensor_files import load_tensors, save_tensors
from portraiture.training.weights import SHIPPED_PERCEPTION


def test_control_the_sound_bundle_passes(patient: Any) -> None:
    assert patient.failures() == []


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
    honest = Networks.get

    def get(*arguments: Any) -> Exported:
        network = honest(*arguments)
        return Exported(network.contract.name, Wrapped(network.network, rgb, both), network.layout).eval()

    monkeypatch.setattr(Networks, "get", get)


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
    patient.assert_caught("the file reads the channels as B G R")


def test_swapped_channels_in_core_ml(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.COREML, lambda: coreml_image(monkeypatch, color_layout="BGR"))
    patient.assert_caught("the file reads the channels as B G R")


@pytest.mark.parametrize(
    ("scale", "said"), [(1.0, "the scale 1/255 is missing"), (1 / 256, "the file divides rgb by 256, not by 255")]
)
def test_wrong_scale_in_core_ml(patient: Any, monkeypatch: pytest.MonkeyPatch, scale: float, said: str) -> None:
    export_with(patient, monkeypatch, Target.COREML, lambda: coreml_image(monkeypatch, scale=scale))
    patient.assert_caught(said)


def test_wrong_scale_in_onnx(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    export_with(patient, monkeypatch, Target.ONNX, lambda: wrap(monkeypatch, lambda rgb: rgb / 255))
    patient.assert_caught("divides rgb by 255 once too often")


@pytest.mark.parametrize("both", [False, True])
def test_transposed_height_and_width(patient: Any, monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    export_with(patient, monkeypatch, Target.ONNX, lambda: wrap(monkeypatch, lambda x: x.transpose(2, 3), both))
    patient.assert_caught(f"height and width are exchanged in the file's inputs{' and outputs' if both else ''}")


def test_wrong_resize_rule_in_a_network(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = F.interpolate

    def plant() -> None:
        monkeypatch.setattr(F, "interpolate", lambda x, **given: honest(x, **{**given, "align_corners": True}))

    export_with(patient, monkeypatch, Target.ONNX, plant, "filter")
    patient.assert_caught("resize rule inside the network: corners are aligned")


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
    def wrong(root: Path, group: Any, size: Any, *_: Any) -> Pipeline:
        return app(lambda name, _: open_file(root, group[name]), [size])

    patient.keep_only(patient.file(Target.ONNX), patient.file(Target.ONNX, "filter"))
    monkeypatch.setattr(links, "exported_pipeline", wrong)
    monkeypatch.setattr(explain, "exported_pipeline", wrong)
    patient.assert_caught("its files agree, the pipeline does not", said)


def test_off_by_one_scan_direction(patient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = propagation._squared

    def shifted(x: Tensor, direction: int, side: int) -> Tensor:
        lines = honest(x, direction, side)
        return torch.cat([lines[:, :, 1:], lines[:, :, :1]], 2) if direction % 2 else lines

    export_with(patient, monkeypatch, Target.ONNX, lambda: monkeypatch.setattr(propagation, "_squared", shifted))
    patient.assert_caught("first layer that diverges: network.perception.propagation (Propagation)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_flipped_scan_direction(patient: Any, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    export_with(patient, monkeypatch, target, lambda: monkeypatch.setattr(propagation, "_reversed_lines", lambda x: x))
    patient.assert_caught("first layer that diverges: network.perception.propagation (Propagation)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_dropped_bias_of_one_layer(patient: Any, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    honest = Networks.get

    def get(*arguments: Any) -> Exported:
        network = copy.deepcopy(honest(*arguments))
        torch.nn.init.zeros_(network.network.perception.gates.bias)
        return network

    export_with(patient, monkeypatch, target, lambda: monkeypatch.setattr(Networks, "get", get))
    patient.assert_caught("first layer that diverges: network.perception.gates (Conv2d)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_missing_border_walls(patient: Any, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    export_with(patient, monkeypatch, target, lambda: monkeypatch.setattr(propagation, "_walled", lambda raw: raw + 0))
    patient.assert_caught("first layer that diverges: network.perception.propagation (Propagation)")


@pytest.mark.parametrize("target", [Target.COREML, Target.ONNX])
def test_stale_file(patient: Any, tmp_path: Path, target: Target) -> None:
    tensors, metadata = load_tensors(SHIPPED_PERCEPTION)
    earlier = {k: v * 1.01 if k.endswith("weight") else v for k, v in tensors.items()}
    save_tensors(tmp_path / "earlier.safetensors", earlier, metadata)
    file = patient.file(target)
    patient.export_again(file, Checkpoints(perception=tmp_path / "earlier.safetensors"))
    patient.keep_only(file)
    patient.assert_caught("stale: ", "layers hold other weights than the checkpoint")
