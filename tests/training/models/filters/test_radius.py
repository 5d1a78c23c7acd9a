"""Disk radius from depth against NumPy written from the equation, and against the reference's own form."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.lens import radii as reference_lens
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.paper.layers import depth_layers
from portraiture.training.models.filters.radius import blur_radius_px, far_depth, person_depth

H, W = 12, 16


def maps(seed: int, n: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(n, 1, H, W, generator=generator, dtype=torch.float64) for _ in range(2))  # type: ignore


def scalar(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1, 1)


def numpy_radius(mask: np.ndarray, depth: np.ndarray, aperture: float, focus: float) -> np.ndarray:
    """radius = aperture * diagonal * clip((depth - focus) / (far - focus), 0, 1), a pixel at a time."""
    if focus < 0:
        focus = float((mask * depth).sum() / mask.sum())
    start = depth.min() + 5 / 6 * (depth.max() - depth.min())
    shares = [min(max(100 * (z - start) / (depth.max() - depth.min()), 0.0), 1.0) for z in depth.ravel()]
    far = float(np.average(depth.ravel(), weights=shares))
    radius = np.zeros_like(depth)
    for index, z in np.ndenumerate(depth):
        behind = (z - focus) / max(far - focus, 1e-3)
        radius[index] = aperture * math.sqrt(H**2 + W**2) * min(max(behind, 0.0), 1.0)
    return radius


@pytest.mark.parametrize("aperture", [0.0, 0.008, 0.016, 0.1])
@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_radius_equals_numpy(seed: int, focus: float, aperture: float) -> None:
    mask, depth = maps(seed)
    found = blur_radius_px(mask, depth, scalar(aperture), scalar(focus))
    assert found.shape == (1, 1, H, W)
    expected = numpy_radius(mask[0, 0].numpy(), depth[0, 0].numpy(), aperture, focus)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.25])
@pytest.mark.parametrize("span", [1.0, 5e-4, 0.0], ids=["deep", "nearly-flat", "flat"])
def test_radius_equals_the_references_smooth_radii(span: float, focus: float) -> None:
    mask, depth = maps(2)
    depth = 0.25 + span * (depth - 0.25)
    m, z = mask[0, 0].numpy(), depth[0, 0].numpy()
    expected = reference_lens.smooth_radii(m, z, 0.016, None if focus < 0 else focus)
    found = blur_radius_px(mask, depth, scalar(0.016), scalar(focus))[0, 0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_far_depth_is_about_the_farthest_layers_centre(power: float) -> None:
    """Of the reference's six layers; the largest depth is farther off than that."""
    depth = 0.1 + 0.8 * torch.linspace(0, 1, 96 * 64, dtype=torch.float64).reshape(1, 1, 96, 64) ** power
    centre = depth_layers(depth[0, 0].numpy()).centres[-1]
    assert abs(float(far_depth(depth)) - centre) < 0.02
    assert abs(float(depth.max()) - centre) > 0.03


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
    mask[..., :8] = 1
    depth = torch.where(mask > 0, 0.25, 1.0).double()
    radius = blur_radius_px(mask, depth, scalar(0.016), scalar(FOCUS_ON_PERSON))
    assert float(radius[..., :8].abs().max()) <= 1e-12
    np.testing.assert_allclose(radius[..., 8:].numpy(), 0.016 * 20.0, rtol=1e-12)  # 12-16-20 triangle


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
    radius = blur_radius_px(EDGE_MASKS["full"], EDGE_DEPTHS["one"], torch.full((1, 1, 1, 1), 0.016),
                            torch.full((1, 1, 1, 1), FOCUS_ON_PERSON))  # fmt: skip
    assert float(radius.abs().max()) <= 1e-4
