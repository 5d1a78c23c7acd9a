"""Weight files: what goes in comes out, and what is damaged is refused in one line."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training import tensor_files
from portraiture.training.run.state import flatten_optimizer, restore_optimizer
from portraiture.training.tensor_files import fill_model, load_tensors, save_tensors


def load_model(model: nn.Module, path: Path) -> dict[str, Any]:
    tensors, metadata = load_tensors(path)
    fill_model(model, tensors, path)
    return metadata


def small(seed: int = 0, outputs: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, outputs, 3), nn.BatchNorm2d(outputs))


def write(path: Path, seed: int = 0) -> nn.Module:
    model = small(seed)
    save_tensors(path, model.state_dict(), {"model": "small", "step": 7, "metrics": {"iou": 0.5}})
    return model


def refused(path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as error:
        load_model(small(), path)
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "w.safetensors"
    model, other = write(path, seed=1), small(seed=2)
    assert load_model(other, path) == {"model": "small", "step": 7, "metrics": {"iou": 0.5}}
    for name, value in other.state_dict().items():
        assert value.dtype == model.state_dict()[name].dtype
        assert torch.equal(value, model.state_dict()[name]), name


def test_round_trip_of_channels_last_and_shared_memory(tmp_path: Path) -> None:
    base = torch.arange(48, dtype=torch.float32).reshape(2, 3, 2, 4)
    tensors = {"a": base, "view": base[:, 1:], "last": base.to(memory_format=torch.channels_last), "t": base.mT}
    save_tensors(tmp_path / "w.safetensors", tensors, {})
    found, metadata = load_tensors(tmp_path / "w.safetensors")
    assert metadata == {}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[k], v) for k, v in tensors.items())


def test_the_optimizer_and_the_average_of_a_state_are_not_weights(tmp_path: Path) -> None:
    model = small(seed=3)
    extra = {"ema.0.weight": torch.zeros(1), "optimizer.0.step": torch.ones(())}
    save_tensors(tmp_path / "w.safetensors", {**model.state_dict(), **extra}, {})
    other = small(seed=4)
    load_model(other, tmp_path / "w.safetensors")
    assert torch.equal(other.state_dict()["0.weight"], model.state_dict()["0.weight"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
def test_a_weight_that_is_not_finite_is_refused(tmp_path: Path, name: str, value: float) -> None:
    state = {k: v.clone() for k, v in small().state_dict().items()}
    state[name].view(-1)[-1] = value
    save_tensors(tmp_path / "w.safetensors", state, {})
    refused(tmp_path / "w.safetensors", rf"{name} holds NaN or infinity")


@pytest.mark.parametrize("keep", [0, 4, 8, 40, 0.5, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "w.safetensors"
    write(path)
    content = path.read_bytes()
    end = int(len(content) * keep) if isinstance(keep, float) else keep
    path.write_bytes(content[:end])
    refused(path, "complete")


@pytest.mark.parametrize("content", [b"not weights at all", b"\xff" * 200, b"PK\x03\x04" + bytes(100)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    refused(tmp_path / "w.safetensors", "complete")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", "found none")
    (tmp_path / "folder.safetensors").mkdir()
    refused(tmp_path / "folder.safetensors", "found none")


def other_shape(state: dict[str, Tensor]) -> None:
    state["0.weight"] = torch.zeros(3, 2, 5, 5)


def one_missing(state: dict[str, Tensor]) -> None:
    del state["0.weight"]


def one_too_many(state: dict[str, Tensor]) -> None:
    state["0.weight_g"] = torch.zeros(1)


@pytest.mark.parametrize("damage", [other_shape, one_missing, one_too_many], ids=lambda f: f.__name__)
def test_another_model_is_refused_and_nothing_is_loaded(tmp_path: Path, damage: object) -> None:
    state = dict(small(seed=5).state_dict())
    assert callable(damage)
    damage(state)
    save_tensors(tmp_path / "w.safetensors", state, {})
    refused(tmp_path / "w.safetensors", r"expected the weights of Sequential, 1 tensors differ \(first: 0\.weight")
    model = small(seed=6)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(InputError):
        load_model(model, tmp_path / "w.safetensors")
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_file_without_our_metadata_loads(tmp_path: Path) -> None:
    model = small(seed=7)
    save_file({k: v.clone() for k, v in model.state_dict().items()}, tmp_path / "w.safetensors")
    other = small(seed=8)
    assert load_model(other, tmp_path / "w.safetensors") == {}
    assert torch.equal(other.state_dict()["0.weight"], model.state_dict()["0.weight"])


def test_saving_leaves_one_file(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(tmp_path / "w.safetensors", seed)
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_save_that_is_killed_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    write(path, seed=1)
    before = path.read_bytes()

    def torn(tensors: dict[str, Tensor], name: str | os.PathLike[str], metadata: dict[str, str]) -> None:
        Path(name).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tensor_files, "save_file", torn)
    with pytest.raises(KeyboardInterrupt):
        write(path, seed=2)
    assert path.read_bytes() == before


def step(optimizer: torch.optim.Optimizer, model: nn.Module, n: int) -> None:
    for k in range(n):
        optimizer.zero_grad()
        x = torch.rand(1, 2, 5, 5, generator=torch.Generator().manual_seed(k))
        model(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("kind", "options"),
    [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.SGD, {}), (torch.optim.Adam, {}), (torch.optim.AdamW, {})],
    ids=["sgd-momentum", "sgd", "adam", "adamw"],
)
def test_an_optimizer_goes_on_where_it_was(
    tmp_path: Path, kind: type[torch.optim.Optimizer], options: dict[str, float]
) -> None:
    first = small(seed=9)
    optimizer = kind(first.parameters(), lr=0.01, **options)  # type: ignore[call-arg]
    step(optimizer, first, 3)
    save_tensors(tmp_path / "s.safetensors", {**first.state_dict(), **flatten_optimizer(optimizer)}, {})

    second = small(seed=10)
    load_model(second, tmp_path / "s.safetensors")
    restored = kind(second.parameters(), lr=0.01, **options)  # type: ignore[call-arg]
    restore_optimizer(restored, load_tensors(tmp_path / "s.safetensors")[0])
    assert flatten_optimizer(restored).keys() == flatten_optimizer(optimizer).keys()
    step(optimizer, first, 2)
    step(restored, second, 2)
    for name, value in second.state_dict().items():
        assert torch.equal(value, first.state_dict()[name]), name
