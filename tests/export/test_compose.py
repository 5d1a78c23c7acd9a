"""The portrait at the photo's size is the contract's rule, and what is sharp keeps the photo's own values."""

import numpy as np
import pytest

from portraiture.export.compose import compose_full_size, to_bytes
from portraiture.export.resize import to_photo_size
from portraiture.reference.lens import smooth_radii

SMALL, LARGE = (32, 24), (150, 110)


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Photo of 150x110, the model's portrait, mask and depth of 32x24."""
    rng = np.random.default_rng(0)
    mask = np.zeros(SMALL)
    mask[8:, 6:18] = 1
    depth = np.where(mask > 0, 0.2, 0.6 + 0.4 * rng.random(SMALL))
    return rng.integers(0, 256, (*LARGE, 3)).astype(np.uint8), rng.random((*SMALL, 3)), mask, depth


@pytest.mark.parametrize("focus", [-1.0, 0.5])
def test_every_pixel_is_as_the_rule_says(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], focus: float
) -> None:
    rgb, portrait, mask, depth = scene
    before = portrait.copy()
    found = compose_full_size(rgb, portrait, mask, depth, 0.04, focus)
    radius = smooth_radii(mask, depth, 0.04, None if focus < 0 else focus)
    k = to_photo_size((1 - mask) * np.clip(radius, 0, 1), *LARGE)[..., None].astype(np.float64)
    photo = rgb / 255
    expected = np.clip(photo + k * (to_photo_size(portrait, *LARGE) - photo), 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(portrait, before)


def test_aperture_0_is_the_photo(scene: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> None:
    rgb, portrait, mask, depth = scene
    np.testing.assert_array_equal(to_bytes(compose_full_size(rgb, portrait, mask, depth, 0.0, -1.0)), rgb)


def test_inside_the_person_the_photo_stays_and_outside_it_does_not(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    rgb, portrait, mask, depth = scene
    found = to_bytes(compose_full_size(rgb, portrait, mask, depth, 0.04, -1.0))
    inside = to_photo_size(mask, *LARGE) == 1
    assert inside.any()
    np.testing.assert_array_equal(found[inside], rgb[inside])
    assert (found[~inside] != rgb[~inside]).mean() > 0.9


def test_the_models_own_size_needs_no_enlarging(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, portrait, mask, depth = scene
    rgb = np.full((*SMALL, 3), 90, np.uint8)
    before = portrait.copy()
    found = compose_full_size(rgb, portrait, mask, depth, 0.04, -1.0)
    assert found.shape == (*SMALL, 3)
    np.testing.assert_array_equal(portrait, before)
