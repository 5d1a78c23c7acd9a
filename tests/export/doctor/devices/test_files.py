"""Real files of every format: what they say of a network whose answer is known, and what the real delegate says."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.export.doctor.devices.examine import Device, Verdict, devices_for, examine_for
from portraiture.export.doctor.devices.rules import Reason
from portraiture.export.doctor.devices.summary import groups_of, line
from portraiture.export.formats import LAYOUT, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported
from portraiture.export.quiet import quiet
from portraiture.export.targets import FORMATS
from portraiture.export.tflite.merge import merge_tflite
from portraiture.export.tflite.write import convert

SIZE = Size(32, 32)


class Middle(nn.Module):
    """Two convolutions, and any function between them."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 3, padding=1)
        self.function = function

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        return torch.split(torch.sigmoid(self.last(self.function(self.first(rgb)))), 1, 1)


def flip(x: Tensor) -> Tensor:
    return torch.flip(x, [2])


def written(folder: Path, target: Target, function: Callable[[Tensor], Tensor], precision: Precision) -> ModelFile:
    network = Exported("perception", Middle(function), LAYOUT[target]).eval()
    file = ModelFile("perception", target, precision, SIZE, f"p{'.mlpackage' if target is Target.COREML else '.x'}")
    FORMATS[target].write(network, SIZE, precision, folder / file.path)
    return file


def by_device(folder: Path, file: ModelFile) -> dict[Device, Verdict]:
    return {v.device: v for v in examine_for(folder, file, devices_for(file.target))}


def sides(verdict: Verdict) -> list[str]:
    return [verdict.where(part) for part in verdict.parts]


FEATURES = 8 * 32 * 32 * 4
"""Bytes of what the first convolution gives, float32."""


def test_tflite_is_cut_in_three_where_the_gpu_lacks_an_operation(tmp_path: Path) -> None:
    file = written(tmp_path, Target.TFLITE, flip, Precision.FP32)
    found = by_device(tmp_path, file)
    assert sides(found[Device.GPU]) == ["gpu", "cpu", "gpu"]
    assert found[Device.GPU].crossing_bytes == 2 * FEATURES
    assert found[Device.NPU].is_whole, "Qualcomm's list has REVERSE_V2"
    (refusal,) = found[Device.GPU].refusals
    assert found[Device.GPU].module(refusal, {}) == "network"
    assert line(found[Device.GPU]).startswith("doctor: p.x on gpu: 3 parts (gpu, cpu, gpu), ")
    assert "1 by unsupported operation: REVERSE_V2 at network: REVERSE_V2 is not in the device's list; slice" in line(
        found[Device.GPU]
    )


def test_the_first_convolution_is_named_by_its_module(tmp_path: Path) -> None:
    for target in (Target.TFLITE, Target.ONNX):
        file = written(tmp_path, target, torch.relu, Precision.FP32)
        graph = FORMATS[target].graph(tmp_path / file.path, file)
        convs = [n for n in graph.nodes if n.kind.upper().startswith("CONV")]
        assert [n.module for n in convs] == ["network.first", "network.last"]
        assert [str(t) for t in convs[0].inputs] == ["float32 1x32x32x3" if target is Target.TFLITE else
                                                     "float32 1x3x32x32"]  # fmt: skip


def test_xnnpacks_parts_are_those_of_the_delegate_itself(tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    file = written(tmp_path, Target.TFLITE, nn.Hardtanh(0, 1), Precision.FP32)
    found = by_device(tmp_path, file)[Device.XNNPACK]
    assert sides(found) == ["xnnpack", "cpu", "xnnpack"]
    assert [found.graph.nodes[r.node].kind for r in found.refusals] == ["RELU_0_TO_1"]
    with quiet():
        interpreter = Interpreter(str(tmp_path / file.path))
        interpreter.allocate_tensors()
    delegated = [o for o in interpreter._get_ops_details() if o["op_name"] == "DELEGATE"]
    assert len(delegated) == sides(found).count("xnnpack")


def test_a_model_in_a_shared_file_is_looked_at_by_itself(tmp_path: Path) -> None:
    sound = written(tmp_path, Target.TFLITE, torch.relu, Precision.FP32)
    (tmp_path / sound.path).rename(tmp_path / "sound")
    odd = written(tmp_path, Target.TFLITE, nn.Hardtanh(0, 1), Precision.FP32)
    merge_tflite({"one": tmp_path / "sound", "two": tmp_path / odd.path}, tmp_path / "both.x")
    for entry, parts in (("one", 1), ("two", 3)):
        file = ModelFile("perception", Target.TFLITE, Precision.FP32, SIZE, "both.x", entry)
        assert len(by_device(tmp_path, file)[Device.XNNPACK].parts) == parts, entry


def test_core_ml_is_cut_where_the_neural_engine_lacks_an_operation(tmp_path: Path) -> None:
    file = written(tmp_path, Target.COREML, lambda x: torch.cumsum(x, 2), Precision.FP16)
    found = by_device(tmp_path, file)
    assert found[Device.GPU].is_whole
    ane = found[Device.ANE]
    assert [ane.graph.nodes[r.node].kind for r in ane.refusals] == ["mul", "cumsum"], "mul scales the image in float32"
    assert sides(ane) == ["cpu", "ane", "cpu", "ane"]
    assert groups_of(ane)[0].first.reason is Reason.KIND
    assert "cumsum at here: " in line(ane, {n.outputs[0].name: "here" for n in ane.graph.nodes})
    assert ane.crossing_bytes == 3 * 32 * 32 * 4 + 2 * FEATURES // 2


def test_a_float32_package_runs_nowhere_on_the_neural_engine(tmp_path: Path) -> None:
    file = written(tmp_path, Target.COREML, torch.relu, Precision.FP32)
    ane = by_device(tmp_path, file)[Device.ANE]
    assert (ane.taken, sides(ane)) == (0, ["cpu"])
    (group,) = groups_of(ane)
    assert group.count == len(ane.graph.nodes)
    assert group.first.reason is Reason.DTYPE


def test_a_dilated_convolution_of_a_package_is_seen(tmp_path: Path) -> None:
    dilated = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
    file = written(tmp_path, Target.COREML, dilated, Precision.FP16)
    reasons = [r.reason for r in by_device(tmp_path, file)[Device.ANE].refusals]
    assert reasons == [Reason.DTYPE, Reason.DILATION]


def test_onnx_is_cut_in_three_where_the_npu_lacks_an_operation(tmp_path: Path) -> None:
    file = written(tmp_path, Target.ONNX, torch.erf, Precision.FP32)
    npu = by_device(tmp_path, file)[Device.NPU]
    assert sides(npu) == ["npu", "cpu", "npu"]
    assert npu.crossing_bytes == 2 * FEATURES


def test_the_arithmetic_of_shapes_is_no_operation_of_a_device(tmp_path: Path) -> None:
    """PyTorch's exporter writes a padding's sizes as a dozen operations; onnxruntime computes them beforehand."""
    file = written(tmp_path, Target.ONNX, lambda x: nn.functional.pad(x, (1, 0, 0, x.shape[2] // 8)), Precision.FP16)
    npu = by_device(tmp_path, file)[Device.NPU]
    assert npu.is_whole
    assert [n.kind for n in npu.graph.nodes] == ["Conv", "Pad", "Conv", "Sigmoid", "Split"]
    assert all(None not in t.shape for n in npu.graph.nodes for t in n.outputs)


@pytest.mark.slow
def test_mobilenet_v2_is_whole_on_every_device_of_tflite(tmp_path: Path) -> None:
    network = torchvision.models.mobilenet_v2(weights=None).eval()
    convert(network, [torch.zeros(1, 3, 64, 64)], "perception", tmp_path / "m.tflite")
    file = ModelFile("perception", Target.TFLITE, Precision.FP32, Size(64, 64), "m.tflite")
    found = by_device(tmp_path, file)
    assert set(found) == {Device.GPU, Device.NPU, Device.XNNPACK}
    for device, verdict in found.items():
        assert (verdict.is_whole, sides(verdict)) == (True, [device.value])
        assert verdict.crossing_bytes == 0
        assert sum(n.kind in ("CONV_2D", "DEPTHWISE_CONV_2D") for n in verdict.graph.nodes) == 52
