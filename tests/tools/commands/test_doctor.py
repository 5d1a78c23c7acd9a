"""``portraiture doctor`` and ``portraiture export --strict``: what they print, write, and refuse."""

import json
from pathlib import Path

import pytest

from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import GateError, InputError, OptionError
from portraiture.tools.cli import group

# A network of two convolutions; the second one has something between it and the first that no GPU's list has.
SOURCE = """
import torch
from torch import nn
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork

class Flip(nn.Module):
    def forward(self, x):
        return torch.flip(x, [2])

def build(middle=nn.ReLU6):
    torch.manual_seed(5)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), middle(), nn.Conv2d(8, 2, 3, padding=1))
    return OwnNetwork(layers, mask=MaskOutput(None, 0, "logit"), depth=DepthOutput(None, 1, "logit"))

def flipped():
    return build(Flip)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def flipped(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TFLite bundle whose file a GPU takes in three parts."""
    root = tmp_path_factory.mktemp("bundles") / "flipped"
    own = Checkpoints(own=f"{source}:flipped")
    export_bundle(BundleSpec(("perception",), (Target.TFLITE,), (Precision.FP32,), (Size(64, 64),), own), root, False)
    return root


def run(*arguments: object) -> None:
    group.main([str(a) for a in arguments], standalone_mode=False)


def test_it_says_what_stops_a_device_and_writes_all_of_it(
    flipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("doctor", flipped, "--device", "gpu", "--device", "xnnpack", "--json", tmp_path / "new" / "doctor.json")
    said = capsys.readouterr().out
    for words in (
        "3 parts (gpu, cpu, gpu)",
        "on gpu: 1 REVERSE_V2; the first, REVERSE_V2, at ",
        "tensors: float32 1x64x64x8 -> float32 1x64x64x8",
        "unsupported operation: REVERSE_V2 is not in the device's list",
        "instead: slice line by line and concatenate",
        "by: https://github.com/tensorflow/tensorflow/",
    ):
        assert words in said
    rows = json.loads((tmp_path / "new" / "doctor.json").read_text())
    assert [row["device"] for row in rows] == ["gpu", "xnnpack"]
    gpu = rows[0]
    assert (gpu["whole"], gpu["not_taken"]) == (False, {"REVERSE_V2": 1})
    assert [part["on"] for part in gpu["parts"]] == ["gpu", "cpu", "gpu"]
    assert sum(part["operations"] for part in gpu["parts"]) == gpu["operations"] == sum(gpu["taken"].values()) + 1
    assert gpu["crossing_bytes"] == 2 * 64 * 64 * 8 * 4 == sum(t["bytes"] for t in gpu["crossing"])
    assert gpu["peak_bytes"] >= 2 * 64 * 64 * 8 * 4
    (refusal,) = gpu["refusals"]
    assert refusal["reason"] == "unsupported operation"
    assert refusal["inputs"] == ["float32 1x64x64x8"]


def test_strict_is_a_gate(flipped: Path) -> None:
    with pytest.raises(
        GateError, match=r"1 of 1 are not whole; the first, doctor: tflite/perception_64x64_fp32.* on gpu"
    ):
        run("doctor", flipped, "--device", "gpu", "--strict")
    run("doctor", flipped, "--device", "npu", "--strict")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--device", "tpu"), "unknown --device 'tpu': expected one of gpu, ane, npu, xnnpack; choose one"),
        (("--device", "ane"), "--device ane: expected coreml files, found tflite; export with --target coreml"),
    ],
)
def test_a_device_without_files_is_refused(flipped: Path, options: tuple[str, ...], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        run("doctor", flipped, *options)


def test_bad_input_is_one_line(flipped: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a bundle with manifest\.json, found none; make one"):
        run("doctor", tmp_path)
    with pytest.raises(OptionError, match="--json: expected a file, found the folder"):
        run("doctor", flipped, "--json", tmp_path)


EXPORT = ("--target", "tflite", "--precision", "fp32", "--model", "perception", "--size", "64x64", "--no-gate")


def test_an_export_warns_of_a_cut_in_one_line(source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("export", "-o", tmp_path / "b", "--network", f"{source}:flipped", *EXPORT)
    lines = [line for line in capfd.readouterr().err.splitlines() if " on gpu: " in line or " on npu: " in line]
    (warning,) = lines
    assert warning.startswith("doctor: tflite/perception_64x64_fp32.tflite on gpu: 3 parts (gpu, cpu, gpu), ")
    assert (tmp_path / "b" / "manifest.json").is_file()


def test_a_strict_export_refuses_it_and_leaves_the_bundle(source: Path, flipped: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in flipped.rglob("*") if p.is_file()}
    with pytest.raises(GateError, match=r"on gpu: 3 parts .*REVERSE_V2"):
        run("export", "-o", flipped, "--network", f"{source}:flipped", *EXPORT, "--strict")
    assert {p: p.read_bytes() for p in flipped.rglob("*") if p.is_file()} == before
    run("export", "-o", tmp_path / "whole", "--network", f"{source}:build", *EXPORT, "--strict")
    assert (tmp_path / "whole" / "manifest.json").is_file()
    run("export", "-o", tmp_path / "npu", "--network", f"{source}:flipped", *EXPORT, "--strict", "--device", "npu")
    with pytest.raises(OptionError, match="--device ane: expected coreml files, found tflite"):
        run("export", "-o", tmp_path / "ane", "--network", f"{source}:build", *EXPORT, "--device", "ane")
