"""The doctor refuses, by the layer's name, what a phone would run badly or not at all."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.contract import Size
from portraiture.export.doctor import operations as doctor
from portraiture.export.doctor.fp16 import check_fp16_range
from portraiture.export.doctor.operations import check_delegate, check_operations, layer_of
from portraiture.export.doctor.outputs import check_outputs
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile, Operation
from portraiture.export.networks.build import Networks
from portraiture.export.networks.exported import Exported
from portraiture.export.targets import FORMATS
from portraiture.export.tflite.delegate import undelegated
from portraiture.export.tflite.write import write_tflite
from portraiture.reference.errors import GateError

SIZE = Size(64, 64)


def file(target: Target = Target.TFLITE, precision: Precision = Precision.FP16) -> ModelFile:
    return ModelFile("perception", target, precision, SIZE, "perception.x")


class Two(nn.Module):
    """Two outputs of one convolution, scaled."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.conv = nn.Conv2d(3, 1, 1)
        self.loud = nn.Identity()

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        y = self.conv(rgb)
        return self.loud(y * self.first), y * self.second


def exported(first: float = 1.0, second: float = 2.0) -> Exported:
    torch.manual_seed(0)
    return Exported("perception", Two(first, second), "NCHW").eval()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (Target.TFLITE, "REVERSE_V2"),
        (Target.TFLITE, "GATHER"),
        (Target.COREML, "scatter_nd"),
        (Target.COREML, "while_loop"),
    ],
)
def test_an_operation_a_target_does_without_is_named_with_its_layer(target: Target, kind: str) -> None:
    found = [Operation("add", "a") if target is Target.COREML else Operation("ADD", "a"), Operation(kind, "up2/flip")]
    with pytest.raises(GateError, match=f"{kind} at up2/flip is not for {target.value}"):
        check_operations(file(target), found)


def test_too_many_operations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.MAX_OPS, "perception", (2, 1))
    lines = 64 // 8
    check_operations(file(), [Operation("ADD", "a")] * (2 + lines))
    with pytest.raises(GateError, match="at most 10 operations at 64x64, found 11"):
        check_operations(file(), [Operation("ADD", "a")] * (3 + lines))


class Plain(nn.Module):
    """A clamp to 0..1, which TFLite makes one operation of, and no delegate takes."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Conv2d(3, 2, 1)
        self.limit = nn.Hardtanh(0, 1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        y = self.limit(self.scale(rgb)) * 3
        return y[:, :1], y[:, 1:]


def test_what_the_delegate_leaves_out_is_named_with_its_layer(tmp_path: Path) -> None:
    network = Exported("perception", Plain(), "NHWC").eval()
    path = write_tflite(network, SIZE, tmp_path)
    (left_out,) = undelegated(path)
    assert left_out.kind == "RELU_0_TO_1"
    with pytest.raises(GateError, match=r"RELU_0_TO_1 at network\.limit is not taken by TFLite's delegate"):
        check_delegate(file(), [left_out], lambda output: layer_of(output, network, {}))


def test_the_delegate_takes_every_file_whole(bundle: Path) -> None:
    paths = [bundle / f.path for f in model_files(read_manifest(bundle)) if f.target is Target.TFLITE]
    assert paths
    for path in paths:
        assert undelegated(path) == []


def test_equal_outputs_are_refused() -> None:
    check_outputs(file(), exported())
    with pytest.raises(GateError, match="mask and depth are equal"):
        check_outputs(file(), exported(2.0, 2.0))


def test_a_layer_beyond_fp16_is_named() -> None:
    check_fp16_range(file(), exported())
    with pytest.raises(GateError, match=r"network\.loud \(Identity\) reaches"):
        check_fp16_range(file(), exported(1e6))
    check_fp16_range(file(precision=Precision.FP32), exported(1e6))
    network = exported()
    with torch.no_grad():
        network.network.conv.weight[0, 0] = 1e5
    with pytest.raises(GateError, match=r"weight network\.conv\.weight is beyond fp16"):
        check_fp16_range(file(), network)
    with torch.no_grad():
        network.network.conv.weight[0, 0] = float("nan")
    with pytest.raises(GateError, match=r"weight network\.conv\.weight is beyond fp16"):
        check_fp16_range(file(), network)


def test_the_operations_of_every_file_are_read(bundle: Path) -> None:
    for entry in model_files(read_manifest(bundle)):
        found = FORMATS[entry.target].operations(bundle / entry.path)
        assert {"CONV_2D", "conv", "Conv"} & {o.kind for o in found}
        assert all(o.output for o in found)


class Cumulative(nn.Module):
    """What a phone's accelerators do without: a cumulative sum."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cumsum(x, 2)


class WithCumsum(nn.Module):
    """A convolution, and a scan that is written the easy way."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.up2 = nn.Sequential(nn.ReLU(), Cumulative())

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        return torch.split(torch.sigmoid(self.up2(self.conv(rgb))), 1, 1)


def test_core_mls_refused_operation_is_named_by_its_module(tmp_path: Path) -> None:
    network = Exported("perception", WithCumsum(), "NCHW").eval()
    path = tmp_path / "p.mlpackage"
    modules = FORMATS[Target.COREML].write(network, SIZE, Precision.FP32, path)
    found = FORMATS[Target.COREML].operations(path)
    with pytest.raises(GateError, match=r"cumsum at network\.up2\.1 is not for coreml"):
        check_operations(file(Target.COREML), found, lambda output: layer_of(output, network, modules))


def test_tflites_layer_is_told_by_the_names_that_the_converter_gives(bundle: Path) -> None:
    network = Networks().get("perception")
    entries = model_files(read_manifest(bundle))
    path = next(bundle / f.path for f in entries if (f.name, f.target) == ("perception", Target.TFLITE))
    found = {layer_of(o.output, network, {}) for o in FORMATS[Target.TFLITE].operations(path)}
    names = dict(network.named_modules())
    told = {layer for layer in found if layer in names}
    assert {"network.perception.propagation", "network.perception.coarse.encoder.blocks.5"} <= {
        layer.removesuffix(".project") for layer in told
    }
    assert layer_of("nothing/known", network, {}) == "nothing/known"
