"""Foreground estimation on composites of known colours."""

import numpy as np
import pytest

from portraiture.reference.matting.foreground import estimate_foreground


@pytest.fixture
def composite():
    """I = alpha F + (1 - alpha) B, 96x120, with smooth F and B, and a rim of alpha 12 px wide."""
    y, x = np.mgrid[:96, :120] / 96
    ramp = np.stack([0.1 * y, 0.1 * x, 0.05 * (x + y)], axis=2)
    foreground, background = np.array([0.7, 0.3, 0.2]) + ramp, np.array([0.1, 0.5, 0.7]) + ramp
    alpha = np.clip((30 - np.hypot(96 * y - 48, 96 * x - 55)) / 12 + 0.5, 0, 1)
    return alpha[..., None] * foreground + (1 - alpha[..., None]) * background, alpha, foreground, background


def test_the_known_colour_is_recovered(composite):
    rgb, alpha, truth, _ = composite
    hair = (alpha > 0.1) & (alpha < 1)
    error = np.abs(estimate_foreground(rgb, alpha) - truth)[hair]
    before = np.abs(rgb - truth)[hair]
    assert before.mean() > 0.1
    assert error.mean() < 0.01
    assert error.max() < 0.05


def test_a_new_background_shows_no_rim_of_the_old(composite):
    rgb, alpha, truth, _ = composite
    new = np.array([0.0, 0.9, 0.1])
    expected = alpha[..., None] * truth + (1 - alpha[..., None]) * new
    found = alpha[..., None] * estimate_foreground(rgb, alpha) + (1 - alpha[..., None]) * new
    plain = alpha[..., None] * rgb + (1 - alpha[..., None]) * new
    rim = (alpha > 0) & (alpha < 1)
    assert np.abs(found - expected)[rim].mean() < 0.1 * np.abs(plain - expected)[rim].mean()


def test_sure_pixels_keep_the_photo_bit_for_bit(composite):
    rgb, alpha, _, _ = composite
    found = estimate_foreground(rgb, alpha)
    sure = (alpha == 0) | (alpha == 1)
    np.testing.assert_array_equal(found[sure], rgb[sure])
    assert found.dtype == np.float64
    assert 0 <= found.min() <= found.max() <= 1


def test_the_crop_is_near_the_whole_photos(composite):
    import pymatting

    rgb, alpha, _, _ = composite
    padded, wide = np.pad(rgb, ((100, 0), (0, 60), (0, 0)), mode="edge"), np.pad(alpha, ((100, 0), (0, 60)))
    whole = pymatting.estimate_foreground_ml(padded, wide)
    soft = (wide > 0.1) & (wide < 1)
    assert np.abs(estimate_foreground(padded, wide) - whole)[soft].max() < 0.02


def test_the_crop_sees_sure_colours_beside_a_straight_band():
    alpha = np.clip((np.arange(80) - 34) / 12, 0, 1) * np.ones((50, 1))
    truth, background = np.array([0.8, 0.3, 0.1]), np.array([0.1, 0.4, 0.9])
    found = estimate_foreground(alpha[..., None] * truth + (1 - alpha[..., None]) * background, alpha)
    assert np.abs(found - truth)[(alpha > 0.05) & (alpha < 1)].max() < 0.02


def test_a_wisp_takes_the_colour_of_a_head_sixteen_pixels_away():
    import pymatting

    y, x = np.mgrid[:120, :160]
    head, wisp = np.hypot(y - 60, x - 50) < 30, 0.6 * np.clip(4 - np.hypot(y - 60, x - 98), 0, 1)
    alpha = np.maximum(head, wisp)
    rgb = alpha[..., None] * [0.7, 0.3, 0.2] + (1 - alpha[..., None]) * [0.1, 0.5, 0.7]
    soft = (alpha > 0) & (alpha < 1)
    whole = pymatting.estimate_foreground_ml(rgb, alpha)
    # a crop that leaves the head out is off by 0.002
    assert np.abs(estimate_foreground(rgb, alpha) - whole)[soft].max() < 5e-4


def test_it_is_deterministic_and_leaves_the_photo_alone(composite):
    rgb, alpha, _, _ = composite
    kept = rgb.copy()
    first = estimate_foreground(rgb, alpha)
    np.testing.assert_array_equal(first, estimate_foreground(rgb, alpha))
    np.testing.assert_array_equal(rgb, kept)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0, "binary"])
def test_degenerate_alphas_return_the_photo(value, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymatting", None)  # importing it now raises
    rgb = np.random.default_rng(0).random((20, 24, 3))
    alpha = np.eye(20, 24) if value == "binary" else np.full((20, 24), value)
    found = estimate_foreground(rgb, alpha)
    np.testing.assert_array_equal(found, rgb)
    assert found is not rgb


def test_a_constant_photo_stays_constant():
    alpha = np.clip(np.linspace(-0.5, 1.5, 40), 0, 1) * np.ones((30, 1))
    np.testing.assert_allclose(estimate_foreground(np.full((30, 40, 3), 0.6), alpha), 0.6, atol=1e-5)
