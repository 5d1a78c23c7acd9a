"""Augmentation: what it may change and what it must keep."""

import numpy as np
import pytest

from portraiture.training.data.augment import degrade, occlude, random_affine


def test_an_occluder_takes_its_pixels_from_photo_and_mask_alike() -> None:
    rgb, texture = np.zeros((40, 30, 3), np.float32), np.ones((40, 30, 3), np.float32)
    mask = np.zeros((40, 30), np.float32)
    mask[10:30, 8:22] = 1
    for seed in range(20):
        seen, left = occlude(np.random.default_rng(seed), rgb, mask, texture)
        covered = seen[..., 0]
        assert 0 < covered.sum() < covered.size
        np.testing.assert_allclose(left, mask * (1 - covered), atol=1e-6)
        assert left.sum() < mask.sum()


def test_nobody_is_not_occluded() -> None:
    rgb, mask = np.random.default_rng(0).random((8, 8, 3), np.float32), np.zeros((8, 8), np.float32)
    seen, left = occlude(np.random.default_rng(1), rgb, mask, np.ones((8, 8, 3), np.float32))
    np.testing.assert_array_equal(seen, rgb)
    np.testing.assert_array_equal(left, mask)


def test_a_poor_camera_keeps_shape_and_range_and_most_photos_as_they_are() -> None:
    rgb = np.random.default_rng(0).random((48, 36, 3), np.float32)
    changed, darkest = 0, 1.0
    for seed in range(200):
        seen = degrade(np.random.default_rng(seed), rgb)
        assert seen.shape == rgb.shape
        assert seen.dtype == np.float32
        assert seen.min() >= 0
        assert seen.max() <= 1
        changed += bool((seen != rgb).any())
        darkest = min(darkest, float(seen.mean()))
    assert 30 < changed < 90
    assert darkest < 0.25


@pytest.mark.parametrize("turn", [0.0, 18.0])
def test_the_angle_has_the_deviation_asked_for(turn: float) -> None:
    rng = np.random.default_rng(0)
    angles = []
    for _ in range(400):
        matrix = random_affine(rng, (100, 100), (100, 100), turn=turn)
        angles.append(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0])))
    assert np.std(angles) == pytest.approx(turn, rel=0.12, abs=1e-9)
