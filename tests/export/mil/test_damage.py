"""Negative controls: damaged packages and wrong feeds raise one clear line, and a flipped weight bit shows."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from portraiture.export.mil.interpreter import MilProgram
from portraiture.export.mil.package import proto
from portraiture.export.quiet import quiet
from portraiture.reference.errors import InputError

MODEL = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
RECORD = 64
"""The first record follows the header; its data follow 64 bytes later."""
FP32_ATOL = 1e-5
"""The tolerance that sound float32 packages meet in test_mil_programs."""
FEED = {"x": np.random.default_rng(0).random((1, 4, 8, 8), np.float32)}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of one convolution, its weights in weight.bin."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("sound") / "model.mlpackage"
    with quiet():
        import coremltools as ct

        traced = torch.jit.trace(nn.Conv2d(4, 6, 3).eval(), torch.rand(1, 4, 8, 8), check_trace=False)
        ct.convert(
            traced,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT32,
            inputs=[ct.TensorType(name="x", shape=(1, 4, 8, 8))],
            outputs=[ct.TensorType(name="y")],
            skip_model_load=True,
        ).save(str(path))
    return path


@pytest.fixture
def package(sound: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(sound, tmp_path / "model.mlpackage"))


def one_line(package: Path) -> str:
    """The message that loading raises."""
    with pytest.raises(InputError) as caught:
        MilProgram.load(package)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    assert "found" in message
    return message


def overwrite(path: Path, offset: int, data: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(bytes(content))


def edit(package: Path, change: Any) -> None:
    """Change the protobuf of the model's block."""
    model = proto().Model_pb2.Model()
    model.ParseFromString((package / MODEL).read_bytes())
    program = model.mlProgram.functions["main"]
    change(program.block_specializations[program.opset])
    (package / MODEL).write_bytes(model.SerializeToString())


def test_one_flipped_weight_bit_changes_the_output(package):
    before = MilProgram.load(package).run(FEED)["y"]
    data = np.fromfile(package / WEIGHTS, np.uint8)
    start = int(data[RECORD + 16 : RECORD + 24].view(np.uint64)[0])
    data[start + 3] ^= 0b1000  # an exponent bit of the first float32
    data.tofile(package / WEIGHTS)
    after = MilProgram.load(package).run(FEED)["y"]
    assert np.abs(after - before).max() > 10 * FP32_ATOL


@pytest.mark.parametrize("name", ["Manifest.json", MODEL, WEIGHTS])
def test_a_missing_file_is_named(package, name):
    (package / name).unlink()
    assert Path(name).name in one_line(package)


def test_a_missing_package(tmp_path):
    assert "nothing.mlpackage" in one_line(tmp_path / "nothing.mlpackage")


@pytest.mark.parametrize("keep", [0, 40, 100, 300])
def test_a_truncated_weight_file(package, keep):
    content = (package / WEIGHTS).read_bytes()
    assert len(content) > keep
    (package / WEIGHTS).write_bytes(content[:keep])
    assert "weight.bin" in one_line(package)


@pytest.mark.parametrize(
    ("offset", "data", "said"),
    [
        (4, b"\x01\x00\x00\x00", "version 2"),
        (RECORD, b"\x00\x00\x00\x00", "0xdeadbeef"),
        (RECORD + 4, b"\x01\x00\x00\x00", "FLOAT32"),
        (RECORD + 8, b"\x04\x00\x00\x00", "bytes for"),
        (RECORD + 16, b"\xc0\xff\xff\xff", "bytes of data"),
    ],
)
def test_a_damaged_weight_record(package, offset, data, said):
    overwrite(package / WEIGHTS, offset, data)
    message = one_line(package)
    assert said in message
    assert "weight.bin" in message


def test_a_manifest_that_leads_outside_or_is_no_json(package):
    manifest = package / "Manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace("com.apple.CoreML/model.mlmodel", "../../other.mlmodel"))
    assert "inside the package" in one_line(package)
    manifest.write_text(text.replace("model.mlmodel", "m" * 300))
    assert "found a path of" in one_line(package)
    manifest.write_text(text[: len(text) // 2])
    assert "Manifest.json" in one_line(package)


def test_a_truncated_model(package):
    content = (package / MODEL).read_bytes()
    (package / MODEL).write_bytes(content[: len(content) // 2])
    assert "model.mlmodel" in one_line(package)
    (package / MODEL).write_bytes(b"")
    assert "an ML program" in one_line(package)


def test_an_unknown_operation_is_named_with_those_known(package):
    def change(block: Any) -> None:
        next(op for op in block.operations if op.type == "conv").type = "teleport"

    edit(package, change)
    message = one_line(package)
    assert "teleport" in message
    assert "conv_transpose" in message


def test_an_unknown_parameter_is_refused(package):
    def change(block: Any) -> None:
        conv = next(op for op in block.operations if op.type == "conv")
        conv.inputs["twist"].CopyFrom(conv.inputs["strides"])

    edit(package, change)
    assert "twist" in one_line(package)


def test_a_declared_shape_that_the_operation_does_not_give(package):
    def change(block: Any) -> None:
        conv = next(op for op in block.operations if op.type == "conv")
        conv.outputs[0].type.tensorType.dimensions[3].constant.size = 7

    edit(package, change)
    with pytest.raises(InputError, match=r"expected shape \(1, 6, 6, 7\).*found \(1, 6, 6, 6\)"):
        MilProgram.load(package).run(FEED)


def set_text(value: Any) -> None:
    value.immediateValue.tensor.strings.values[0] = "diagonal"


def set_number(value: Any) -> None:
    value.immediateValue.tensor.ints.values[0] = 3


@pytest.mark.parametrize(
    ("parameter", "change", "said"),
    [
        ("pad_type", set_text, r"pad_type: expected valid, custom, same or same_lower, found diagonal"),
        ("groups", set_number, r"the operation failed \(.*\)"),
    ],
)
def test_an_operation_that_fails_is_named_once_with_what_to_do(package, parameter, change, said):
    def damage(block: Any) -> None:
        conv = next(op for op in block.operations if op.type == "conv")
        name = conv.inputs[parameter].arguments[0].name
        constant = next(op for op in block.operations if op.type == "const" and op.outputs[0].name == name)
        change(constant.attributes["val"])

    edit(package, damage)
    with pytest.raises(InputError, match=rf"model\.mlmodel: conv \w+: {said}; export the file again.*macOS$") as caught:
        MilProgram.load(package).run(FEED)
    assert str(caught.value).count("model.mlmodel") == 1


def test_an_unknown_function_lists_those_there_are(package):
    with pytest.raises(InputError, match=r"\['main'\]"):
        MilProgram.load(package, function="other")


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ({}, r"x: float32 array 1x4x8x8.*found the names \[\]"),
        ({"z": FEED["x"]}, r"found the names \['z'\]"),
        ({"x": FEED["x"][0]}, r"found x of shape \(4, 8, 8\)"),
        ({"x": FEED["x"].astype(np.uint8)}, r"found x of type uint8"),
        ({"x": FEED["x"] * np.float32(np.nan)}, r"found x with NaN"),
        ({"x": FEED["x"].tolist()}, r"found x of type list"),
    ],
)
def test_wrong_feeds(sound, feeds, said):
    with pytest.raises(InputError, match=said):
        MilProgram.load(sound).run(feeds)
