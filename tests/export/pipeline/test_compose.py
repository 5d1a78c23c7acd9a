"""The portrait at the photo's size is the contract's rule, and what is sharp keeps the photo's own values."""

import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.compose import STRIP_ROWS, compose_full_size, to_bytes
from portraiture.export.pipeline.maps import Maps
from portraiture.export.pipeline.resize import to_model_size, to_photo_size
from portraiture.export.rules import COMPOSE_LEAST, MATTE_GAIN
from portraiture.reference.lens.radii import smooth_radii

SMALL, LARGE = (32, 24), (150, 110)
Scene = tuple[np.ndarray, Maps, np.ndarray]


def maps_of(rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray) -> Maps:
    """Maps of a photo from those of the model's size."""
    size = Size(*mask.shape)
    large = [to_photo_size(m, *rgb.shape[:2]) for m in (mask, depth)]
    return Maps(large[0], large[1], to_model_size(rgb, size), mask, depth, size)


@pytest.fixture
def scene() -> Scene:
    """Photo of 150x110, its maps, and the model's portrait of 32x24."""
    rng = np.random.default_rng(0)
    mask = np.zeros(SMALL)
    mask[8:, 6:18] = 1
    depth = np.where(mask > 0, 0.2, 0.6 + 0.4 * rng.random(SMALL))
    rgb = rng.integers(0, 256, (*LARGE, 3)).astype(np.uint8)
    return rgb, maps_of(rgb, mask, depth), rng.random((*SMALL, 3))


def matte(mask: np.ndarray) -> np.ndarray:
    """By the rule."""
    y = np.minimum(MATTE_GAIN * mask, 1)
    return np.asarray(y * y * (3 - 2 * y))


@pytest.mark.parametrize("focus", [-1.0, 0.5])
def test_every_pixel_is_as_the_rule_says(scene: Scene, focus: float) -> None:
    rgb, maps, portrait = scene
    before = portrait.copy()
    found = compose_full_size(rgb, maps, portrait, 0.04, focus)
    # the person fills the frame: behind a selfie's person all is equally far
    depth = 1 - maps.model_mask if focus < 0 else maps.model_depth
    c = np.clip(smooth_radii(maps.model_mask, depth, 0.04, None if focus < 0 else focus), 0, 1)
    s, e = ((1 - matte(maps.model_mask)) * c)[..., None], COMPOSE_LEAST
    light = to_photo_size(portrait - (1 - s) * maps.model_rgb / 255 + e * portrait, *LARGE)
    behind = light / (to_photo_size(s, *LARGE)[..., None] + e)
    k = ((1 - matte(maps.mask)) * to_photo_size(c, *LARGE))[..., None].astype(np.float64)
    photo = rgb / 255
    np.testing.assert_allclose(found, np.clip(photo + k * (behind - photo), 0, 1), atol=2e-5)
    np.testing.assert_array_equal(portrait, before)
    assert LARGE[0] > 2 * STRIP_ROWS


def test_aperture_0_is_the_photo(scene: Scene) -> None:
    rgb, maps, portrait = scene
    np.testing.assert_array_equal(to_bytes(compose_full_size(rgb, maps, portrait, 0.0, -1.0)), rgb)


def test_inside_the_person_the_photo_stays_and_outside_it_does_not(scene: Scene) -> None:
    rgb, maps, portrait = scene
    found = to_bytes(compose_full_size(rgb, maps, portrait, 0.04, -1.0))
    inside = maps.mask == 1
    assert inside.any()
    np.testing.assert_array_equal(found[inside], rgb[inside])
    assert (found[~inside] != rgb[~inside]).mean() > 0.9


def test_the_persons_colour_does_not_spread() -> None:
    """A red person before grey: the filter's portrait, exact at the model's size, leaves no red outside the mask."""
    mask = np.zeros(SMALL)
    mask[8:, 6:18] = 1
    mask[8:, 5] = 0.5
    grey, red = np.full(3, 128), np.array([255, 0, 0])
    model_rgb = matte(mask)[..., None] * red + (1 - matte(mask)[..., None]) * grey
    depth = np.where(mask > 0.4, 0.2, 0.9)
    big_mask = to_photo_size(np.repeat(np.repeat(mask, 5, 0), 5, 1), *LARGE)
    share = matte(big_mask)[..., None]
    rgb = np.rint(share * red + (1 - share) * grey).astype(np.uint8)
    maps = Maps(big_mask, to_photo_size(depth, *LARGE), model_rgb, mask, depth, Size(*SMALL))
    s = ((1 - matte(mask)) * np.clip(smooth_radii(mask, 1 - mask, 0.04, None), 0, 1))[..., None]
    portrait = ((1 - s) * model_rgb + s * grey) / 255
    found = to_bytes(compose_full_size(rgb, maps, portrait, 0.04, -1.0))
    outside = big_mask == 0
    assert np.abs(found[outside].astype(int) - grey).max() <= 1


def test_the_models_own_size_gives_the_models_portrait(scene: Scene) -> None:
    _, maps, _ = scene
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (*SMALL, 3)).astype(np.uint8)
    here = maps_of(rgb, maps.model_mask, maps.model_depth)
    c = np.clip(smooth_radii(here.model_mask, here.model_depth, 0.04, None), 0, 1)
    s = ((1 - matte(here.model_mask)) * c)[..., None]
    portrait = (1 - s) * rgb / 255 + s * rng.random((*SMALL, 3))
    before = portrait.copy()
    found = compose_full_size(rgb, here, portrait, 0.04, -1.0)
    np.testing.assert_allclose(found, portrait, atol=2e-3)
    np.testing.assert_array_equal(portrait, before)
