"""The fused model's file computes the two files' own operations, one after the other."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.export.networks.build import Networks
from portraiture.export.tflite import write
from portraiture.export.tflite.join import join_tflite
from portraiture.export.tflite.model import operations_of, read_model
from portraiture.export.tflite.write import convert, name_inputs
from portraiture.reference.errors import InputError

pytestmark = pytest.mark.slow

SIZE = Size(128, 96)


class First(nn.Module):
    """(photo) -> mask, depth; with a constant of its own."""

    def forward(self, photo: Tensor) -> dict[str, Tensor]:
        grey = (photo * torch.tensor([0.2, 0.5, 0.3])).sum(3, keepdim=True)
        return {"mask": torch.sigmoid(4 * grey - 2), "depth": grey * grey}


class Second(nn.Module):
    """(photo, mask, depth, share) -> picture; what it gives depends on every input."""

    def forward(self, photo: Tensor, mask: Tensor, depth: Tensor, share: Tensor) -> dict[str, Tensor]:
        tint = torch.tensor([1.0, 0.5, 0.25])
        return {"picture": mask * photo + (1 - mask) * (photo * share + depth * tint)}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("parts")
    photo, plane = torch.rand(1, 8, 6, 3), torch.rand(1, 8, 6, 1)
    convert(First().eval(), [photo], "first", root / "first")
    name_inputs(root / "first", ["photo"])
    convert(Second().eval(), [photo, plane, plane, torch.rand(1)], "second", root / "second")
    name_inputs(root / "second", ["photo", "mask", "depth", "share"])
    return root / "first", root / "second"


def run(path: Path, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    (name,) = interpreter.get_signature_list()
    return dict(interpreter.get_signature_runner(name)(**inputs))


def test_a_joined_file_gives_what_its_parts_give(parts: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "joined"
    join_tflite("whole", *parts, ["photo", "share"], ["picture", "mask", "depth"], path)
    photo = np.random.default_rng(0).random((1, 8, 6, 3), np.float32)
    for share in (0.0, 0.7):
        given = np.array([share], np.float32)
        maps = run(parts[0], photo=photo)
        expected = run(parts[1], photo=photo, share=given, **maps) | maps
        found = run(path, photo=photo, share=given)
        assert set(found) == {"picture", "mask", "depth"}
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-6)
    grey = (photo * np.float32([0.2, 0.5, 0.3])).sum(3, keepdims=True)
    np.testing.assert_allclose(found["depth"], grey * grey, atol=1e-6)  # by hand
    counts = [len(list(operations_of(read_model(p)))) for p in (*parts, path)]
    assert counts[0] + counts[1] == counts[2]


def test_a_name_that_neither_file_has_is_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected aperture in one of the two files"):
        join_tflite("whole", *parts, ["photo", "aperture"], ["picture"], tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_the_fused_model_needs_no_conversion_of_its_own(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted: list[str] = []

    def copied(_: nn.Module, __: object, name: str, path: Path) -> None:
        converted.append(name)
        shutil.copyfile(bundle / f"tflite/{name}_{SIZE}_fp32.tflite", path)

    monkeypatch.setattr(write, "convert", copied)
    monkeypatch.setattr(write, "name_inputs", lambda *_: None)  # the copies have the contract's names
    network = Networks().get("portrait", "NHWC")
    path = write.write_tflite(network, SIZE, tmp_path)
    assert write.write_tflite(network, SIZE, tmp_path) == path
    assert converted == ["perception", "filter"]
    (signature,) = read_model(path).signatureDefs
    assert signature.signatureKey == b"portrait"
    assert [e.name for e in signature.inputs] == [b"rgb", b"aperture", b"focus"]
    assert [e.name for e in signature.outputs] == [b"portrait", b"mask", b"depth"]
