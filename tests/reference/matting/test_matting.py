"""The trimap, and the KNN matte against pymatting."""

import math

import numpy as np
import pytest

from portraiture.reference.matting.knn import knn_matte
from portraiture.reference.matting.knn_band import knn_matte_band
from portraiture.reference.matting.matte import matte
from portraiture.reference.matting.trimap import is_solvable, trimap


@pytest.fixture
def disk_scene():
    """A textured disk on another texture, 48x48, mask with a soft rim."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48] - 23.5
    mask = np.clip(16.5 - np.hypot(y, x), 0, 1)
    person, background = np.array([0.8, 0.4, 0.2]), np.array([0.1, 0.3, 0.7])
    rgb = mask[..., None] * person + (1 - mask[..., None]) * background + rng.normal(0, 0.02, (48, 48, 3))
    return rgb.clip(0, 1), mask


@pytest.mark.parametrize("radius_px", [0, 1, 2.3, 5])
def test_trimap_is_the_band_around_the_boundary(radius_px):
    person = np.zeros((14, 15), bool)
    person[3:12, 4:15] = True
    found = trimap(person.astype(float), radius_px)
    points = [(y, x) for y in range(14) for x in range(15)]
    for y, x in points:
        other = min(math.hypot(y - v, x - u) for v, u in points if person[v, u] != person[y, x])
        assert found[y, x] == (0.5 if other <= radius_px else float(person[y, x]))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_trimap_without_a_boundary_has_no_unknown(value):
    np.testing.assert_array_equal(trimap(np.full((9, 9), value)), value)


def test_matte_is_pymattings_in_the_band_and_exact_outside(disk_scene):
    import pymatting

    rgb, mask = disk_scene
    parts = trimap(mask, 4)
    alpha = knn_matte(rgb, parts)
    unknown = parts == 0.5
    np.testing.assert_array_equal(alpha[unknown], pymatting.estimate_alpha_knn(rgb, parts)[unknown])
    np.testing.assert_array_equal(alpha[~unknown], parts[~unknown])
    assert np.abs(alpha - mask).mean() < 0.01


@pytest.mark.parametrize("parts", [(0, 1), (0, 0.5), (0.5, 1), (0.5,), (1,), (0,)])
def test_unsolvable_trimaps_never_reach_the_solver(parts, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymatting", None)  # importing it now raises
    degenerate = np.resize(np.array(parts, float), (6, 7))
    assert not is_solvable(degenerate)
    np.testing.assert_array_equal(knn_matte(np.zeros((6, 7, 3)), degenerate), degenerate)


def test_a_thin_person_keeps_its_mask():
    mask = np.zeros((40, 40))
    mask[5:35, 18:22] = 0.9
    assert not is_solvable(trimap(mask, 10))
    np.testing.assert_array_equal(matte(np.full((40, 40, 3), 0.5), mask, 10), mask)


def test_band_matte_is_near_the_whole_images(disk_scene: tuple[np.ndarray, np.ndarray]) -> None:
    """The bound of FEASIBILITY: mean absolute difference at most 0.005, known pixels exact."""
    rgb, mask = disk_scene
    parts = trimap(mask, 4)
    band = matte(rgb, mask, 4)
    np.testing.assert_array_equal(band[parts != 0.5], parts[parts != 0.5])
    assert np.abs(band - knn_matte(rgb, parts)).mean() <= 0.005


def test_band_matte_is_deterministic_and_follows_the_mask(disk_scene: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, mask = disk_scene
    band = matte(rgb, mask, 5)
    np.testing.assert_array_equal(band, matte(rgb, mask, 5))
    assert band.min() >= 0
    assert band.max() <= 1
    assert np.abs(band - mask).mean() < 0.01


def test_band_matte_of_a_few_pixels() -> None:
    """Fewer pixels than neighbours asked for."""
    rgb = np.repeat([[[0.1] * 3, [0.1] * 3, [0.9] * 3, [0.9] * 3]], 2, axis=0)
    parts = np.array([[0, 0.5, 0.5, 1], [0, 0, 1, 1]])
    found = knn_matte_band(rgb, parts)
    assert found.shape == parts.shape
    np.testing.assert_array_equal(found[parts != 0.5], parts[parts != 0.5])
    assert ((found >= 0) & (found <= 1)).all()


def direct_knn(rgb: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """KNN matting by its definition [6], over all pairs of pixels: 20 neighbours near each other, 10 of like colour."""
    height, width = parts.shape
    y, x = np.mgrid[:height, :width]
    position = np.stack([x / (width - 1), y / (height - 1)], axis=2).reshape(-1, 2)
    names = np.zeros((parts.size, parts.size))
    for count, weight in ((20, 2.0), (10, 0.1)):
        features = np.hstack([rgb.reshape(-1, 3), weight * position])
        squared = ((features[:, None] - features) ** 2).sum(axis=2)
        nearest = np.argpartition(squared, count, axis=1)[:, :count]
        for pixel, neighbours in enumerate(nearest):
            names[pixel, neighbours] += 1
    affinity = (names + names.T) / 2
    laplacian = np.diag(affinity.sum(axis=1)) - affinity
    unknown, alpha = parts.ravel() == 0.5, parts.ravel().copy()
    alpha[unknown] = np.linalg.solve(
        laplacian[np.ix_(unknown, unknown)], -laplacian[np.ix_(unknown, ~unknown)] @ alpha[~unknown]
    )
    return alpha.clip(0, 1).reshape(parts.shape)


def test_band_matte_has_the_neighbours_of_knn_matting() -> None:
    """The band is 0.012 off: its search is approximate. A count or weight halved or doubled makes it 0.022 or more."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:20, :20] - 9.5
    mask = np.clip((7 - np.hypot(y, x)) / 3 + 0.5, 0, 1)
    person, background = np.array([0.8, 0.4, 0.2]), np.array([0.1, 0.3, 0.7])
    rgb = mask[..., None] * person + (1 - mask[..., None]) * background + rng.normal(0, 0.02, (20, 20, 3))
    parts = trimap(mask, 4)
    off = np.abs(knn_matte_band(rgb.clip(0, 1), parts) - direct_knn(rgb.clip(0, 1), parts))
    assert off[parts == 0.5].mean() < 0.016


def test_the_papers_band_is_ten_pixels_on_each_side() -> None:
    """Section 4.1: "within a 10-pixel radius of the segmentation boundary"; outside it the matte is the mask."""
    mask = np.zeros((40, 60))
    mask[:, 30:] = 1
    np.testing.assert_array_equal(np.flatnonzero((trimap(mask) == 0.5).all(axis=0)), np.arange(20, 40))
    rgb = np.random.default_rng(0).random((40, 60, 3))
    changed = (matte(rgb, mask) != mask).any(axis=0)
    np.testing.assert_array_equal(np.flatnonzero(changed)[[0, -1]], [20, 39])


@pytest.mark.parametrize(("away_px", "follows"), [(12, True), (19, False)])
def test_band_matte_looks_for_neighbours_fifteen_pixels_around(away_px: int, follows: bool) -> None:
    """A blue spot in the band is a person where known blue pixels are: they must be within reach."""
    rgb, trimap = np.full((41, 80, 3), 0.5), np.zeros((41, 80))
    trimap[:, :40], trimap[:, 40:50] = 1, 0.5
    blue = (0.0, 0.0, 1.0)
    rgb[19:22, 44:47] = blue
    rgb[12:29, 40 - away_px - 3 : 41 - away_px] = blue
    spot = knn_matte_band(rgb, trimap)[19:22, 44:47]
    assert bool((spot > 0.9).all()) is follows
