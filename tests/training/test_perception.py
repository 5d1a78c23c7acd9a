"""The mobile perception network: shapes, ranges, batches and size."""

import contextlib

import pytest
import torch
from torch import Tensor

from portraiture.reference.errors import InputError
from portraiture.training.models.coarse import STRIDE, MobileCoarse
from portraiture.training.models.perception import MobilePerception, PerceptionLogits, PerceptionMaps


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
    for z, m in zip(logits, maps, strict=True):
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


def test_weights_are_at_most_12_mb(model: MobilePerception) -> None:
    assert 0 < 4 * sum(v.numel() for v in model.state_dict().values()) <= 12_000_000


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
