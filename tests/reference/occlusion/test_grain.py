"""Grain: the sigma measured, and measured again after the blur and the synthesis."""

import numpy as np
import pytest

from portraiture.reference.occlusion.grain import add_grain, noise_sigma
from portraiture.reference.paper.disk import disk_blur, disk_kernel

SIGMA = np.array([0.01, 0.02, 0.03])


def flat(seed=0, shape=(200, 240)):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    return (0.3 + 0.3 * x + 0.1 * y)[..., None] + SIGMA * rng.standard_normal((*shape, 3))


def test_sigma_of_known_noise():
    np.testing.assert_allclose(noise_sigma(flat()), SIGMA, rtol=0.05)


def test_edges_do_not_count_as_noise():
    photo = flat()
    photo[:, 50:90] += 0.3
    photo[60:64] -= 0.2
    for y in range(200):
        photo[y, y : y + 3] += 0.2  # a diagonal stripe, which the high-pass does see
    np.testing.assert_allclose(noise_sigma(photo), SIGMA, rtol=0.1)


def test_only_the_region_is_measured():
    photo = flat()
    photo[:, 120:] = np.random.default_rng(9).random((200, 120, 3))
    region = np.zeros((200, 240), dtype=bool)
    region[:, :120] = True
    np.testing.assert_allclose(noise_sigma(photo, region), SIGMA, rtol=0.08)
    assert (noise_sigma(photo) > 1.2 * SIGMA).all()


def test_a_clean_or_tiny_photo_has_none():
    np.testing.assert_array_equal(noise_sigma(np.full((20, 20, 3), 0.4)), 0)
    np.testing.assert_array_equal(noise_sigma(np.random.default_rng(0).random((2, 9, 3))), 0)


def test_a_region_too_small_falls_back_to_the_photo():
    photo = flat()
    np.testing.assert_array_equal(noise_sigma(photo, np.zeros((200, 240), dtype=bool)), noise_sigma(photo))


@pytest.mark.parametrize("radius_px", [2.0, 6.0])
@pytest.mark.parametrize("level", [1.0, 0.5])
def test_the_blurred_region_matches_the_sharp_one(radius_px, level):
    photo = flat(1)
    share = np.zeros((200, 240))
    share[:, 120:] = level
    mixed = (1 - share[..., None]) * photo + share[..., None] * disk_blur(photo, radius_px)
    sigma = noise_sigma(photo, share == 0)
    energy = float((disk_kernel(radius_px) ** 2).sum())
    found = add_grain(mixed, share, sigma, energy, seed=5)
    np.testing.assert_allclose(noise_sigma(found, share > 0), noise_sigma(photo, share == 0), rtol=0.15)
    # the plain standard deviation agrees as well, the gradient taken off
    residual = (found - disk_blur(photo, 12.0))[15:-15, 135:-15]
    np.testing.assert_allclose(residual.std(axis=(0, 1)), SIGMA, rtol=0.15)
    assert (noise_sigma(mixed, share > 0) < 0.7 * SIGMA).all()  # negative control


def test_nothing_where_nothing_is_blurred():
    photo = flat(2)
    share = np.zeros((200, 240))
    share[50:100] = 0.7
    found = add_grain(photo, share, SIGMA)
    np.testing.assert_array_equal(found[share == 0], photo[share == 0])
    assert (found[share > 0] != photo[share > 0]).mean() > 0.99
    wild = photo + 2  # even what is out of range
    np.testing.assert_array_equal(add_grain(wild, 0 * share, SIGMA), wild)


def test_deterministic_under_a_seed():
    photo, share = flat(3), np.ones((200, 240))
    np.testing.assert_array_equal(add_grain(photo, share, SIGMA, seed=4), add_grain(photo, share, SIGMA, seed=4))
    assert (add_grain(photo, share, SIGMA, seed=4) != add_grain(photo, share, SIGMA, seed=5)).any()


def test_energy_may_differ_by_pixel_and_one_leaves_nothing_to_add():
    photo, share = flat(4), np.ones((200, 240))
    energy = np.ones((200, 240))
    energy[:100] = 0.0
    found = add_grain(photo, share, SIGMA, energy)
    np.testing.assert_array_equal(found[100:], np.clip(photo[100:], 0, 1))
    assert (found[:100] != photo[:100]).any()
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize(("rows", "columns", "measured"), [(10, 10, True), (11, 9, False)])  # 64 and 63 inner pixels
def test_a_region_of_64_pixels_is_measured(rows: int, columns: int, measured: bool) -> None:
    rng = np.random.default_rng(1)
    photo = 0.5 + 0.01 * rng.standard_normal((60, 60, 3))
    region = np.zeros((60, 60), dtype=bool)
    region[20 : 20 + rows, 20 : 20 + columns] = True
    photo[region] = 0.5 + 0.1 * rng.standard_normal((rows * columns, 3))
    assert bool((noise_sigma(photo, region) > 0.05).all()) is measured
