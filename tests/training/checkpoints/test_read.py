"""Checkpoint files: tensors are read whatever wraps them, code never runs, and what is no checkpoint is told."""

import argparse
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.checkpoints.read import Which, is_run, read_checkpoint, weights_file
from portraiture.training.tensor_files import save_tensors


class RunsCode:
    """Whoever unpickles it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def names(path: Path) -> set[str]:
    return set(read_checkpoint(path).tensors)


def refused(path: Path, match: str) -> str:
    with pytest.raises(InputError, match=match) as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("ending", [".pth", ".pt", ".ckpt", ".bin", ".PTH"])
def test_a_state_dict_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"w{ending}"
    torch.save(OrderedDict(a=torch.ones(2), b=torch.zeros(3)), path)
    found = read_checkpoint(path)
    assert found.tensors.keys() == {"a", "b"}
    assert torch.equal(found.tensors["a"], torch.ones(2))
    assert found.metadata == {}


def test_dictionaries_within_dictionaries_have_names_with_dots(tmp_path: Path) -> None:
    one = torch.ones(1)
    whole = {
        "epoch": 3, "best": np.float64(0.5), "options": argparse.Namespace(rate=1e-3), "state_dict": {"a.weight": one},
        "ema": {"model": {"a.weight": nn.Parameter(one)}}, "optimizer_states": [{"state": {0: {"exp_avg": one}}}],
        "optimizer": {"state": {0: {"exp_avg": one}}},
    }  # fmt: skip
    torch.save(whole, tmp_path / "w.ckpt")
    assert names(tmp_path / "w.ckpt") == {"state_dict.a.weight", "ema.model.a.weight"}


def test_our_own_file_keeps_its_metadata(tmp_path: Path) -> None:
    save_tensors(tmp_path / "w.safetensors", {"a": torch.ones(1)}, {"model": "M", "size": [64, 48]})
    found = read_checkpoint(tmp_path / "w.safetensors")
    assert (found.metadata, set(found.tensors)) == ({"model": "M", "size": [64, 48]}, {"a"})


def test_code_is_never_run_and_the_way_to_convert_is_said(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(1)}, "run": RunsCode(tmp_path / "made")}, tmp_path / "w.ckpt")
    message = refused(tmp_path / "w.ckpt", "found code")
    assert not (tmp_path / "made").exists()
    # the way that is named works, by whoever trusts the file
    command = message[message.index('"import') + 1 : message.rindex('"')]
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        exec(command, {})
    finally:
        os.chdir(before)
    assert (tmp_path / "made").is_dir()
    assert names(tmp_path / "w_weights.pth") == {"a"}


def test_what_common_checkpoints_hold_beside_is_no_code(tmp_path: Path) -> None:
    generator = np.random.default_rng(0).integers(0, 9, 5)
    whole = {"a": torch.ones(1), "best": np.float64(0.5), "path": Path("x"), "generator": generator,
             "options": argparse.Namespace(rate=1e-3)}  # fmt: skip
    torch.save(whole, tmp_path / "model_best.pth.tar")
    assert names(tmp_path / "model_best.pth.tar") == {"a"}


def test_pickles_own_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": [1, 2]}))
    refused(tmp_path / "w.pth", "of another kind, such as pickle's own|of another kind")


def test_a_whole_pickled_model_is_code(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    refused(tmp_path / "w.pth", r"found code \(torch\.nn\.modules\.linear\.Linear\)")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_program_is_told(tmp_path: Path) -> None:
    torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(str(tmp_path / "w.pt"))  # type: ignore[no-untyped-call]
    refused(tmp_path / "w.pt", "TorchScript")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("w.pth", b"", "complete checkpoint"),
        ("w.pth", b"PK\x03\x04" + bytes(60), "complete checkpoint"),
        ("w.pt", b"no checkpoint at all", "complete checkpoint"),
        ("w.safetensors", b"no checkpoint at all", "complete"),
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n", "git lfs pull"),
        ("w.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "git lfs pull"),
        ("w.tflite", b"\x1c\x00\x00\x00TFL3", r"found \.tflite"),
        ("w.onnx", b"onnx", r"found \.onnx"),
        ("weights", b"onnx", "found no ending"),
    ],
)
def test_what_is_no_checkpoint_is_told(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, match)


def test_a_file_without_tensors_is_told(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "optimizer_states": [{"state": {0: torch.ones(1)}}]}, tmp_path / "w.ckpt")
    refused(tmp_path / "w.ckpt", r"found none; save the model's state_dict\(\)")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        refused(tmp_path / name, "found none")


def test_a_cut_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(1000)}, path)
    content = path.read_bytes()
    for share in (0.2, 0.6, 0.95):
        path.write_bytes(content[: int(len(content) * share)])
        refused(path, "complete checkpoint")


def test_only_dense_tensors_count(tmp_path: Path) -> None:
    sparse = torch.eye(3).to_sparse()
    torch.save({"dense": torch.ones(1), "sparse": sparse}, tmp_path / "w.pth")
    assert names(tmp_path / "w.pth") == {"dense"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder, told apart by its tensors."""
    folder = tmp_path / "run"

    def write(name: str, value: float, metadata: dict[str, object]) -> None:
        tensors: dict[str, Tensor] = {"a": torch.full((1,), value)}
        save_tensors(folder / f"{name}.safetensors", tensors, metadata)

    write("weights", 1, {"model": "M", "recipe": "r"})
    write("state", 2, {"step": 3})
    return folder


def test_a_runs_weights_are_the_average_the_best_where_there_is_one(run: Path) -> None:
    assert is_run(run)
    assert weights_file(run).name == "weights.safetensors"
    assert weights_file(run, Which.EMA).name == "weights.safetensors"
    assert weights_file(run, Which.RAW).name == "state.safetensors"
    save_tensors(run / "best.safetensors", {"a": torch.ones(1)}, {})
    assert weights_file(run).name == "best.safetensors"


def test_a_runs_state_is_of_the_network_that_its_weights_name(run: Path) -> None:
    found = read_checkpoint(run / "state.safetensors")
    assert found.metadata["model"] == "M"
    assert found.tensors["a"] == 2


def test_a_folder_that_is_no_runs_is_told(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    with pytest.raises(InputError, match="expected the folder of a run"):
        weights_file(tmp_path)
    assert weights_file(tmp_path / "w.pth") == tmp_path / "w.pth"
