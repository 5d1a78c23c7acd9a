"""Layer radii, and equation (10) against direct sums."""

import math

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.lens.focus import person_depth
from portraiture.reference.lens.radii import APERTURE_PAPER, image_diagonal_px, layer_radii
from portraiture.reference.paper.full_body import TRUNCATION, layer_weights, render_full_body
from portraiture.reference.paper.guided import guided_blur
from portraiture.reference.paper.selfie import render_selfie


def direct_weights(labels, count, sigma):
    """sum_t g_it 1(l_t = l) by its definition."""
    height, width = labels.shape
    reach = math.ceil(TRUNCATION * sigma)
    out = np.zeros((height, width, count))
    for y in range(height):
        for x in range(width):
            for v in range(max(0, y - reach), min(height, y + reach + 1)):
                for u in range(max(0, x - reach), min(width, x + reach + 1)):
                    out[y, x, labels[v, u]] += math.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * sigma**2))
    return out / out.sum(axis=2, keepdims=True)


@pytest.fixture
def scene():
    rng = np.random.default_rng(1)
    return rng.random((10, 12, 3)), rng.random((10, 12)), rng.integers(0, 3, (10, 12))


@pytest.mark.parametrize("sigma", [0.4, 1.3, 6.0])
def test_weights_are_a_normalised_gaussian(scene, sigma):
    labels = scene[2]
    weights = layer_weights(labels, 4, sigma)
    np.testing.assert_allclose(weights[..., :3], direct_weights(labels, 3, sigma), atol=1e-12)
    np.testing.assert_array_equal(weights[..., 3], 0)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-12)


def test_no_feather_is_hard(scene):
    weights = layer_weights(scene[2], 3, 0)
    assert set(np.unique(weights)) == {0.0, 1.0}
    np.testing.assert_array_equal(weights.argmax(axis=2), scene[2])


def test_is_equation_10(scene):
    rgb, alpha, labels = scene
    radii = np.array([0.0, 2.5, 4.0])
    weights = direct_weights(labels, 3, 1.3)
    layers = sum(weights[..., k, None] * guided_blur(rgb, alpha, radii[k]) for k in range(3))
    expected = alpha[..., None] * rgb + (1 - alpha[..., None]) * layers
    np.testing.assert_allclose(render_full_body(rgb, alpha, labels, radii, 1.3), expected, atol=1e-12)


def test_one_layer_is_the_selfie(scene):
    rgb, alpha, labels = scene
    found = render_full_body(rgb, alpha, 0 * labels, np.array([3.0]))
    np.testing.assert_allclose(found, render_selfie(rgb, alpha, 3.0), atol=1e-12)


def test_radii_grow_linearly_behind_the_focus():
    radii = layer_radii(np.array([0.1, 0.4, 0.6, 0.9]), 0.4, APERTURE_PAPER, (300, 500, 3))
    largest = 0.016 * math.hypot(300, 500)
    np.testing.assert_allclose(radii, [0, 0, largest * 0.4, largest])
    assert largest == pytest.approx(9.3, abs=0.05)


@pytest.mark.parametrize("focus", [0.9, 0.9 - 1e-9, 1.0])
def test_nothing_behind_the_focus_is_blurred_nowhere(focus):
    np.testing.assert_allclose(layer_radii(np.array([0.2, 0.9]), focus, 0.1, (30, 40)), 0, atol=1e-4)


def test_the_aperture_means_the_same_at_every_size():
    centres = np.array([0.2, 0.5, 1.0])
    small, large = (layer_radii(centres, 0.2, 0.02, (h, 2 * h)) / image_diagonal_px((h, 2 * h)) for h in (100, 700))
    np.testing.assert_allclose(small, large)


def test_person_depth_is_the_weighted_mean():
    mask, depth = np.array([[1.0, 0.5, 0.0]]), np.array([[0.2, 0.8, 1.0]])
    assert person_depth(mask, depth) == pytest.approx((0.2 + 0.4) / 1.5)
    with pytest.raises(InputError, match="expected a person"):
        person_depth(0 * mask, depth)


def test_the_default_feather_is_half_a_per_cent_of_the_diagonal() -> None:
    """300x400 has a diagonal of 500 px: between two layers the blur fades in by a Gaussian of 2.5 px.

    The rows are white and black in turn: the farther layer's disk of five pixels leaves 3/5 of a white row, so that a
    white pixel shows 1 - 2/5 of the farther layer's weight. That weight is summed here without a cut.
    """
    rgb = np.zeros((300, 400, 3))
    rgb[::2] = 1.0
    labels = np.zeros((300, 400), dtype=np.int64)
    labels[:, 200:] = 1
    found = render_full_body(rgb, np.zeros((300, 400)), labels, np.array([0.0, 1.2]))[150, :, 0]
    x = np.arange(400)
    gauss = np.exp(-((x[:, None] - x) ** 2) / (2 * 2.5**2))
    farther = gauss[:, 200:].sum(axis=1) / gauss.sum(axis=1)
    np.testing.assert_allclose(found[:-1], 1 - 2 / 5 * farther[:-1], atol=1e-4)  # the last column's disk has four


def test_the_feathers_cut_is_too_small_to_see() -> None:
    """Cut at four sigmas, where g is 0.0003, the weights differ from the whole Gaussian's by less than 1e-4."""
    sigma = 2.5
    labels = np.zeros((3, 81), dtype=np.int64)
    labels[:, 40] = 1
    x = np.arange(81)
    whole = np.exp(-((x - 40) ** 2) / (2 * sigma**2)) / np.exp(-((x[:, None] - x) ** 2) / (2 * sigma**2)).sum(axis=1)
    found = layer_weights(labels, 2, sigma)[1, :, 1]
    np.testing.assert_allclose(found, whole, atol=1e-4)
    np.testing.assert_array_equal(np.flatnonzero(found), np.arange(30, 51))  # 4 * 2.5 = 10 pixels on each side
    assert found[30] / found[40] == pytest.approx(0.0003, abs=1e-4)
