"""Disk radius from depth against NumPy written from the equation, and against the reference's layers."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.plan import make_plan
from portraiture.reference.settings import Matting, Mode, RenderSettings
from portraiture.training.models.filters.base import blur_radius_px, person_depth
from portraiture.training.models.filters.layers import layered_depth

H, W = 12, 16


def maps(seed: int, n: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(n, 1, H, W, generator=generator, dtype=torch.float64) for _ in range(2))  # type: ignore


def scalar(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1, 1)


def numpy_radius(mask: np.ndarray, depth: np.ndarray, layers: np.ndarray, aperture: float, focus: float) -> np.ndarray:
    """radius = aperture * diagonal * clip((layer - focus) / (far - focus), 0, 1), a pixel at a time."""
    if focus < 0:
        focus = float((mask * depth).sum() / mask.sum())
    radius = np.zeros_like(depth)
    for index, z in np.ndenumerate(layers):
        behind = (z - focus) / max(layers.max() - focus, 1e-3)
        radius[index] = aperture * math.sqrt(H**2 + W**2) * min(max(behind, 0.0), 1.0)
    return radius


@pytest.mark.parametrize("aperture", [0.0, 0.008, 0.016, 0.1])
@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_radius_equals_numpy(seed: int, focus: float, aperture: float) -> None:
    mask, depth = maps(seed)
    mask[:, :, -1] = 0  # no selfie, where no person is at the bottom
    found = blur_radius_px(mask, depth, scalar(aperture), scalar(focus))
    assert found.shape == (1, 1, H, W)
    m, z, layers = (x[0, 0].numpy() for x in (mask, depth, layered_depth(depth)))
    np.testing.assert_allclose(found[0, 0].numpy(), numpy_radius(m, z, layers, aperture, focus), rtol=0, atol=1e-12)


@pytest.mark.parametrize("focus", [None, 0.25, 0.6])
@pytest.mark.parametrize("seed", range(4))
def test_radii_are_those_of_the_references_layers(seed: int, focus: float | None) -> None:
    """On whole bodies, but at the edges of layers, which the reference smooths by (9)."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0.9, 0.1, 96)[:, None] * np.ones(64) + 0.02 * rng.random((96, 64))
    mask = np.zeros((96, 64))
    mask[30:80, 20:36] = 1
    depth[mask > 0] = rng.uniform(0.15, 0.35)
    settings = RenderSettings(aperture=0.03, focus=focus, matting=Matting.NONE)
    plan = make_plan(np.zeros((96, 64, 3)), mask, depth, settings)
    assert plan.mode is Mode.FULL_BODY
    expected = plan.lens.radii_px[plan.labels]
    m, z = (torch.from_numpy(v)[None, None] for v in (mask, depth))
    found = blur_radius_px(m, z, scalar(0.03), scalar(-1 if focus is None else focus))[0, 0].numpy()
    assert expected.max() > 3
    assert (np.abs(found - expected) < 0.15).mean() > 0.9


def test_a_selfies_radius_is_the_aperture_everywhere() -> None:
    """(4) has one blur; a chosen focus has layers, as in the reference."""
    mask, depth = torch.zeros(1, 1, H, W, dtype=torch.float64), maps(5)[1]
    mask[:, :, 4:, 2:14] = 1
    found = blur_radius_px(mask, depth, scalar(0.016), scalar(FOCUS_ON_PERSON))
    np.testing.assert_allclose(found.numpy(), 0.016 * 20, rtol=0, atol=1e-12)
    assert float(blur_radius_px(mask, depth, scalar(0.016), scalar(0.5)).min()) == 0


def test_each_photo_of_a_batch_has_its_own_focus_and_aperture() -> None:
    mask, depth = maps(3, n=2)
    aperture, focus = scalar(0.01, 0.03), scalar(FOCUS_ON_PERSON, 0.4)
    both = blur_radius_px(mask, depth, aperture, focus)
    for k in range(2):
        part = slice(k, k + 1)
        single = blur_radius_px(mask[part], depth[part], aperture[part], focus[part])
        torch.testing.assert_close(both[part], single, rtol=0, atol=1e-12)


def test_person_depth_is_the_weighted_mean() -> None:
    mask, depth = maps(4, n=3)
    expected = [np.average(z.numpy(), weights=m.numpy()) for m, z in zip(mask[:, 0], depth[:, 0], strict=True)]
    found = person_depth(mask, depth)
    assert found.shape == (3, 1, 1, 1)
    np.testing.assert_allclose(found.flatten().numpy(), expected, rtol=0, atol=1e-12)


def test_person_depth_of_an_empty_mask_is_nearest() -> None:
    assert float(person_depth(torch.zeros(1, 1, H, W), torch.ones(1, 1, H, W))) == 0.0


def test_the_person_is_sharp_and_the_farthest_gets_the_aperture() -> None:
    mask = torch.zeros(1, 1, H, W, dtype=torch.float64)
    mask[..., :-1, :8] = 1
    depth = torch.where(mask > 0, 0.25, 1.0).double()
    depth[..., -1, :8] = 0.25
    radius = blur_radius_px(mask, depth, scalar(0.016), scalar(FOCUS_ON_PERSON))
    assert float(radius[..., :8].abs().max()) <= 1e-3
    np.testing.assert_allclose(radius[..., 8:].numpy(), 0.016 * 20.0, rtol=1e-3)  # 12-16-20 triangle


EDGE_MASKS = {"empty": torch.zeros(1, 1, H, W), "full": torch.ones(1, 1, H, W), "half": torch.eye(H, W)[None, None]}
EDGE_DEPTHS = {
    "zero": torch.zeros(1, 1, H, W),
    "one": torch.ones(1, 1, H, W),
    "constant": torch.full((1, 1, H, W), 0.4),
    "ramp": torch.linspace(0, 0.7, H * W).reshape(1, 1, H, W),
}


@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.0, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("depth", EDGE_DEPTHS)
@pytest.mark.parametrize("mask", EDGE_MASKS)
def test_finite_and_in_range_at_the_edges(mask: str, depth: str, focus: float) -> None:
    radius = blur_radius_px(EDGE_MASKS[mask], EDGE_DEPTHS[depth], torch.full((1, 1, 1, 1), 0.016),
                            torch.full((1, 1, 1, 1), focus))  # fmt: skip
    assert torch.isfinite(radius).all()
    assert float(radius.min()) >= 0
    assert float(radius.max()) <= 0.016 * 20.0 + 1e-6


def test_nothing_is_blurred_when_the_focus_is_beyond_the_farthest() -> None:
    radius = blur_radius_px(EDGE_MASKS["half"], EDGE_DEPTHS["ramp"], torch.full((1, 1, 1, 1), 0.016),
                            torch.full((1, 1, 1, 1), 0.9))  # fmt: skip
    assert not radius.any()


def test_nothing_is_blurred_at_constant_depth() -> None:
    """A full mask would be a selfie's, whose one radius counts where there is no person."""
    radius = blur_radius_px(EDGE_MASKS["half"], EDGE_DEPTHS["one"], torch.full((1, 1, 1, 1), 0.016),
                            torch.full((1, 1, 1, 1), FOCUS_ON_PERSON))  # fmt: skip
    assert float(radius.abs().max()) <= 1e-2
