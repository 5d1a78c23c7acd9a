"""The baselines of table 2, and the task that trains all filters."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.errors import InputError
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.render import render
from portraiture.reference.settings import Matting, RenderSettings
from portraiture.training.models.filters.base import FilterInput, LensFilter, blur_radius_px
from portraiture.training.models.filters.table import FILTERS
from portraiture.training.models.filters.xu import XuFilter, gradients, reconstruct
from portraiture.training.recipes import FILTER_RECIPES
from portraiture.training.rendered.files import RenderedPair, list_pairs, write_pair
from portraiture.training.rendered.render import render_targets
from portraiture.training.rendered.settings import PAPER_SETTING, LensSetting
from portraiture.training.tasks.filter import FilterData, FilterTask, filtered
from portraiture.training.tensor_files import save_tensors
from portraiture.training.trainers import filter_trainer
from portraiture.training.weights import load_any_filter

H, W = 64, 96
BLIND = ("LiuFilter", "XuFilter")


def build(name: str) -> LensFilter:
    torch.manual_seed(1)
    return FILTERS[name]().eval()


def uniform(*shape: int, seed: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def run(model: LensFilter, mask: Tensor, depth: Tensor, aperture: float = 0.03) -> Tensor:
    scalars = (torch.full((1, 1, 1, 1), v) for v in (aperture, FOCUS_ON_PERSON))
    with torch.no_grad():
        out: Tensor = model(uniform(1, 3, H, W, seed=2), mask, depth, *scalars)
    return out


@pytest.fixture
def pairs(tmp_path: Path) -> list[Path]:
    """Two pairs of 64x96 at two settings."""
    for k in range(2):
        rng = np.random.default_rng(k)
        rgb = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
        mask = np.zeros((H, W), np.uint8)
        mask[20:, 30:60] = 255
        depth = np.where(mask > 0, 9000, np.linspace(60000, 20000, H)[:, None]).astype(np.uint16)
        settings = (PAPER_SETTING, LensSetting(0.04, 0.4))
        targets = render_targets(rgb, mask / 255, depth / 65535, settings)
        write_pair(tmp_path / "pairs", f"p{k}", RenderedPair(rgb, mask, depth, targets, settings), {})
    return list_pairs(tmp_path / "pairs")


@pytest.mark.parametrize("name", FILTERS)
def test_meets_the_contract(name: str) -> None:
    mask, depth = uniform(1, 1, H, W, seed=3), uniform(1, 1, H, W, seed=4)
    out = run(build(name), mask, depth)
    assert out.shape == (1, 3, H, W)
    assert torch.isfinite(out).all()
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize("name", FILTERS)
def test_sees_mask_and_depth_only_where_the_paper_says(name: str) -> None:
    model = build(name)
    for parameter in model.parameters():
        if parameter.dim() == 4:
            torch.nn.init.normal_(parameter, std=0.2)
    mask, depth = uniform(1, 1, H, W, seed=3), uniform(1, 1, H, W, seed=4)
    before, after = run(model, mask, depth), run(model, 1 - mask, 1 - depth)
    assert torch.equal(before, after) == (name in BLIND)
    assert not torch.equal(before, run(model, mask, depth, 0.01))


@pytest.mark.parametrize("name", FILTERS)
def test_every_parameter_learns(name: str) -> None:
    model = build(name).train()
    for parameter in model.parameters():
        if parameter.dim() == 4:
            torch.nn.init.normal_(parameter, std=0.1)
            if name == "OcclusionFilter":  # a disk's weights are not negative
                parameter.data.abs_()
    depth = torch.linspace(0, 1, W).expand(2, 1, H, W)
    maps = [(depth > 1.0).float(), depth]
    aperture_px, diagonal_px = (torch.full((2, 1, 1, 1), v) for v in (30.0, 640.0))
    radius_px = 60 * maps[1] - 30 if name == "OcclusionFilter" else 30 * maps[1]
    inputs = FilterInput(uniform(2, 3, H, W, seed=7), *maps, radius_px, aperture_px, diagonal_px)
    loss, mse = model.loss(inputs, uniform(2, 3, H, W, seed=8))
    assert mse.shape == (2,)
    loss.backward()  # type: ignore[no-untyped-call]
    for key, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue  # a disk's kernel is computed
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert float(parameter.grad.abs().max()) > 0, key


def test_reconstruction_of_the_photos_own_gradients_is_the_photo() -> None:
    rgb = uniform(1, 3, 24, 40, seed=9).double()
    torch.testing.assert_close(reconstruct(rgb, *gradients(rgb)), rgb, rtol=0, atol=1e-12)


def test_reconstruction_is_the_minimum() -> None:
    """The energy written down as in the paper has no gradient at the result."""
    rgb, beta = uniform(1, 1, 12, 9, seed=10).double(), 3.0
    across, down = (uniform(1, 1, 12, 9, seed=k).double() for k in (11, 12))
    found = reconstruct(rgb, across, down, beta).requires_grad_()
    dx, dy = gradients(found)
    energy = (found - rgb).square().sum()
    energy = energy + beta * ((dx - across)[..., :-1].square().sum() + (dy - down)[:, :, :-1].square().sum())
    (slope,) = torch.autograd.grad(energy, found)
    assert float(slope.abs().max()) < 1e-10


def test_xu_treats_a_transposed_photo_as_the_photo() -> None:
    model = XuFilter().eval()
    rgb, plane = uniform(1, 3, H, W, seed=13), torch.full((1, 1, 1, 1), 9.0)
    diagonal = torch.full((1, 1, 1, 1), 640.0)
    blank = torch.zeros(1, 1, H, W)
    turned = FilterInput(rgb.transpose(2, 3), *(3 * [blank.transpose(2, 3)]), plane, diagonal)
    with torch.no_grad():
        out, other = model.render(FilterInput(rgb, blank, blank, blank, plane, diagonal)), model.render(turned)
    torch.testing.assert_close(other.transpose(2, 3), out, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(50, 60), (64, 48), (33, 47)], ids=str)
def test_filtered_takes_any_size(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    rgb, mask, depth = rng.random((*size, 3)), (rng.random(size) > 0.7).astype(float), rng.random(size)
    model = build("RnnFilter")
    sharp = filtered(model, rgb, mask, depth, LensSetting(0.0))
    np.testing.assert_allclose(sharp, rgb, rtol=0, atol=1e-6)
    constant = filtered(model, np.full((*size, 3), 0.6), mask, depth, LensSetting(0.03, 0.1))
    np.testing.assert_allclose(constant, 0.6, rtol=0, atol=1e-3)


def test_a_padded_picture_is_blurred_up_to_its_rim() -> None:
    """The last columns of a width that is no multiple of 16 are as near to the reference as the first."""
    rng = np.random.default_rng(0)
    rgb = np.clip(rng.random((16, 15, 3)).repeat(4, 0).repeat(4, 1) + 0.1 * rng.standard_normal((64, 60, 3)), 0, 1)
    mask = np.zeros((64, 60))
    mask[20:50, 24:36] = 1
    depth = np.where(mask > 0, 0.2, 0.9)
    expected = render(rgb, mask, depth, RenderSettings(aperture=0.04, matting=Matting.NONE))
    error = np.abs(filtered(build("RnnFilter"), rgb, mask, depth, LensSetting(0.04)) - expected)
    assert error[:, -4:].mean() < 1.5 * error[:, :4].mean()


def test_crops_have_the_radii_of_the_whole_photo(pairs: list[Path]) -> None:
    task = FilterTask(FilterData(pairs, pairs[:1]), 32, 2)
    photo = task.train[0]
    rgb, mask, depth, radius, aperture_px, diagonal_px, _, target = photo.crop(1, 16, 40, 32)
    m, z = (torch.from_numpy(v / s)[None, None].float() for v, s in ((photo.mask, 255), (photo.depth, 65535)))
    whole = blur_radius_px(m, z, torch.tensor(0.04).reshape(1, 1, 1, 1), torch.tensor(0.4).reshape(1, 1, 1, 1))
    torch.testing.assert_close(radius, whole[0, :, 16:48, 40:72], rtol=0, atol=1e-4)
    assert float(aperture_px) == pytest.approx(0.04 * np.hypot(H, W))
    assert float(diagonal_px) == pytest.approx(np.hypot(H, W))
    assert (rgb.shape, mask.shape, depth.shape, target.shape) == ((3, 32, 32), (1, 32, 32), (1, 32, 32), (3, 32, 32))


def test_a_pair_smaller_than_the_crop_is_one_line(pairs: list[Path]) -> None:
    with pytest.raises(InputError, match="80 px or more"):
        FilterTask(FilterData(pairs, pairs), 80, 2)


@pytest.mark.parametrize("name", ["smoke", "cnn", "liu", "xu"])
def test_a_recipe_trains_and_its_weights_name_the_model(
    name: str, pairs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(FILTER_RECIPES[name], steps=2, crop=64, batch=2)
    monkeypatch.setitem(FILTER_RECIPES, name, recipe)
    figures = filter_trainer(name, FilterData(pairs, pairs), tmp_path / "run").fit()
    assert set(figures) == {"psnr_db_paper", "psnr_db_others"}
    model = load_any_filter(tmp_path / "run/weights.safetensors")
    assert type(model).__name__ == recipe.model
    assert not model.training


def test_judged_pairs_are_spread_over_the_held_out_ones(
    pairs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FILTER_RECIPES, "mobile", replace(FILTER_RECIPES["mobile"], crop=64, judged=3))
    held_out = [tmp_path / str(k) for k in range(5)]
    for pair in held_out:
        pair.mkdir()
        (pair / "pair.json").write_text("{}")
    task = filter_trainer("mobile", FilterData(pairs, held_out), tmp_path / "run").task
    assert isinstance(task, FilterTask)
    assert task.validation == [held_out[k] for k in (0, 1, 3)]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_tensors(tmp_path / "w.safetensors", {"a": torch.zeros(1)}, {"model": "MobilePerception"})
    with pytest.raises(InputError, match="of RnnFilter, OcclusionFilter, CnnFilter, LiuFilter, XuFilter"):
        load_any_filter(tmp_path / "w.safetensors")


def test_training_lowers_the_loss(pairs: list[Path]) -> None:
    """A negative control: steps on one batch must fit it."""
    task = FilterTask(FilterData(pairs, pairs), 64, 2)
    batch, model = task.batch(0, np.random.default_rng(0)), build("RnnFilter").train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss, _ = task.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert min(losses[-5:]) < 0.8 * losses[0]
