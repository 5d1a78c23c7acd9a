"""The mobile perception network: shapes, ranges, batches and size."""

import contextlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from portraiture.reference.errors import InputError
from portraiture.training.checkpoints.fill import warm_start
from portraiture.training.checkpoints.read import read_checkpoint
from portraiture.training.models.coarse import STRIDE, MobileCoarse
from portraiture.training.models.perception import MobilePerception, PerceptionLogits, PerceptionMaps
from portraiture.training.tensor_files import save_half, save_tensors
from portraiture.training.weights import load_perception


@pytest.fixture(scope="module")
def model() -> MobilePerception:
    torch.manual_seed(2)
    return MobilePerception().eval()


def photo(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (64, 64), (32, 32), (32, 160)], ids=str)
def test_shapes_and_range(model: MobilePerception, size: tuple[int, int]) -> None:
    with torch.no_grad():
        maps = model(photo(2, 3, *size))
    assert isinstance(maps, PerceptionMaps)
    assert maps._fields == ("mask", "depth", "coarse_mask", "coarse_depth")
    for name, value in maps._asdict().items():
        assert value.shape == (2, 1, *size), name
        assert float(value.min()) >= 0, name
        assert float(value.max()) <= 1, name
        assert float(value.max()) > float(value.min()), name


def test_maps_are_the_sigmoid_of_the_logits(model: MobilePerception) -> None:
    rgb = photo(1, 3, 64, 32)
    with torch.no_grad():
        logits, maps = model.logits(rgb), model(rgb)
    assert isinstance(logits, PerceptionLogits)
    for z, m in zip(logits[:4], maps, strict=True):
        torch.testing.assert_close(1 / (1 + torch.exp(-z)), m, rtol=0, atol=1e-6)


def test_refined_differs_from_coarse_and_mask_from_depth(model: MobilePerception) -> None:
    with torch.no_grad():
        maps = model(photo(1, 3, 64, 64))
    assert float((maps.mask - maps.coarse_mask).abs().max()) > 1e-4
    assert float((maps.depth - maps.coarse_depth).abs().max()) > 1e-4
    assert float((maps.mask - maps.depth).abs().max()) > 1e-4


def test_a_batch_equals_its_photos_one_by_one(model: MobilePerception) -> None:
    rgb = photo(3, 3, 64, 96, seed=3)
    with torch.no_grad():
        together = model.logits(rgb)
        for k in range(3):
            for a, b in zip(together, model.logits(rgb[k : k + 1]), strict=True):
                torch.testing.assert_close(a[k : k + 1], b, rtol=0, atol=1e-5)


def test_a_forward_in_evaluation_mode_changes_no_state(model: MobilePerception) -> None:
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        model(photo(2, 3, 32, 32))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_coarse_alone_equals_the_coarse_part(model: MobilePerception) -> None:
    rgb = photo(1, 3, 64, 32, seed=4)
    with torch.no_grad():
        mask, depth = torch.split(model.coarse(rgb), 1, 1)
        logits = model.logits(rgb)
    assert isinstance(model.coarse, MobileCoarse)
    torch.testing.assert_close(mask, logits.coarse_mask, rtol=0, atol=1e-6)
    torch.testing.assert_close(depth, logits.coarse_depth, rtol=0, atol=1e-6)


def test_weights_are_at_most_12_mb_in_half_precision(model: MobilePerception) -> None:
    assert 0 < 2 * sum(v.numel() for v in model.state_dict().values()) <= 12_000_000


def test_half_precision_weights_load_as_they_were_rounded(model: MobilePerception, tmp_path: Path) -> None:
    save_tensors(tmp_path / "full.safetensors", model.state_dict(), {"step": 7})
    save_half(tmp_path / "full.safetensors", tmp_path / "half.safetensors")
    assert (tmp_path / "half.safetensors").stat().st_size <= 12_000_000
    loaded = load_perception(tmp_path / "half.safetensors").state_dict()
    for name, value in model.state_dict().items():
        assert loaded[name].dtype is value.dtype
        assert torch.equal(loaded[name], value.half().float().to(value.dtype)), name


def test_every_parameter_takes_part() -> None:
    torch.manual_seed(5)
    model = MobilePerception().train()
    logits = model.logits(photo(2, 3, 64, 64, seed=6))
    torch.stack([z.square().mean() for z in logits]).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_the_stride_is_32() -> None:
    assert STRIDE == 32


@pytest.mark.parametrize("height", [33, 34, 40, 48, 63, 65, 97])
def test_a_size_that_is_no_multiple_of_32_never_returns_another_size(model: MobilePerception, height: int) -> None:
    """Either an error, or maps of the photo's own size; a map of another size must not come back in silence."""
    rgb = photo(1, 3, height, 32, seed=7)
    with contextlib.suppress(InputError, RuntimeError), torch.no_grad():
        maps = model(rgb)
        assert maps.mask.shape[2:] == rgb.shape[2:]


def test_a_warm_start_takes_what_fits_and_names_the_rest(model: MobilePerception, tmp_path: Path) -> None:
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("shallow.")}
    save_tensors(tmp_path / "older.safetensors", state, {})
    torch.manual_seed(77)
    started = MobilePerception().eval()
    assert warm_start(started, read_checkpoint(tmp_path / "older.safetensors")) == ["shallow.weight", "shallow.bias"]
    assert torch.equal(started.coarse.head.weight, model.coarse.head.weight)
    assert not torch.equal(started.shallow.weight, model.shallow.weight)


def test_the_coarse_estimator_starts_from_the_perception_network_and_the_other_way_round(
    model: MobilePerception, tmp_path: Path
) -> None:
    save_tensors(tmp_path / "perception.safetensors", model.state_dict(), {})
    save_tensors(tmp_path / "coarse.safetensors", model.coarse.state_dict(), {})
    coarse, whole = MobileCoarse(), MobilePerception()
    assert warm_start(coarse, read_checkpoint(tmp_path / "perception.safetensors")) == []
    assert torch.equal(coarse.head.weight, model.coarse.head.weight)
    new = warm_start(whole, read_checkpoint(tmp_path / "coarse.safetensors"))
    assert new
    assert not any(name.startswith("coarse.") for name in new)
    assert torch.equal(whole.coarse.head.weight, model.coarse.head.weight)


@pytest.mark.parametrize("layer", ["coarse.context", "shallow"])
def test_context_reaches_coarse_maps_and_the_shallow_branch_refined_ones_only(
    model: MobilePerception, layer: str
) -> None:
    changed = MobilePerception().eval()
    changed.load_state_dict(model.state_dict())
    with torch.no_grad():
        changed.get_parameter(f"{layer}.weight").add_(0.01)
        rgb = photo(1, 3, 64, 64)
        assert not torch.equal(model(rgb).mask, changed(rgb).mask)
        assert torch.equal(model(rgb).coarse_mask, changed(rgb).coarse_mask) == (layer == "shallow")


def test_under_bfloat16_the_scan_is_float32(model: MobilePerception) -> None:
    seen: list[torch.dtype] = []
    hook = model.propagation.register_forward_pre_hook(lambda _, given: seen.extend(x.dtype for x in given))
    rgb = photo(1, 3, 64, 64)
    with torch.no_grad():
        exact = model.logits(rgb)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model.logits(rgb)
    hook.remove()
    assert seen == [torch.float32] * 4
    for a, b in zip(exact, rough, strict=True):
        assert b.dtype is torch.bfloat16
        torch.testing.assert_close(b.float(), a, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 64), (128, 192)])
def test_the_first_look_sees_half_the_photo_and_joins_the_second(height: int, width: int) -> None:
    network, rgb = load_perception().coarse, photo(1, 3, height, width)
    with torch.no_grad():
        both = network.features(rgb)
        assert both.first_logits.shape == (1, 2, height // 16, width // 16)
        # what its means over 2 x 2 do not show, the second look sees alone
        checks = 0.2 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(height // 2, width // 2)
        plain, changed = (network.features(0.25 + 0.5 * rgb + part) for part in (0 * checks, checks))
        torch.testing.assert_close(changed.first_logits, plain.first_logits, rtol=0, atol=1e-4)
        assert (changed.logits - plain.logits).abs().max() > 0.01
        for join in (network.join32, network.join16):
            torch.nn.init.zeros_(join.project.weight)
            torch.nn.init.zeros_(join.project.bias)  # type: ignore[arg-type]
        alone = network.features(rgb)
    assert torch.equal(both.first_logits, alone.first_logits)  # nothing joins the first look
    assert (both.logits - alone.logits).abs().max() > 0.01
