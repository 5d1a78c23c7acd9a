"""The closed-form matte in the band's box against pymatting on the whole photo."""

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.matting.closed_form import closed_form_matte_band
from portraiture.reference.matting.trimap import is_solvable, trimap


@pytest.fixture
def disk_scene():
    """A textured disk with a soft rim, off the middle of 64x80, and its true alpha."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :80]
    alpha = np.clip((14 - np.hypot(y - 26, x - 30)) / 4 + 0.5, 0, 1)
    person, background = np.array([0.8, 0.4, 0.2]), np.array([0.1, 0.3, 0.7])
    rgb = alpha[..., None] * person + (1 - alpha[..., None]) * background + rng.normal(0, 0.01, (64, 80, 3))
    return rgb.clip(0, 1), alpha


def test_the_box_gives_the_whole_photos_matte(disk_scene):
    import pymatting

    rgb, truth = disk_scene
    parts = trimap(truth, 5)
    alpha = closed_form_matte_band(rgb, parts)
    np.testing.assert_allclose(alpha, pymatting.estimate_alpha_cf(rgb, parts), atol=1e-5)
    np.testing.assert_array_equal(alpha[parts != 0.5], parts[parts != 0.5])
    assert np.abs(alpha - truth)[parts == 0.5].mean() < 0.03


def test_the_matte_follows_the_photo(disk_scene):
    rgb, truth = disk_scene
    parts = trimap(truth, 5)
    elsewhere = closed_form_matte_band(np.roll(rgb, 9, axis=1), parts)  # negative control
    assert np.abs(elsewhere - truth)[parts == 0.5].mean() > 0.1


def test_a_band_that_touches_the_border_or_one_side_only(disk_scene):
    rgb, _ = disk_scene
    parts = np.zeros((64, 80))
    parts[:, :20], parts[:, 20:26] = 1, 0.5
    assert closed_form_matte_band(rgb, parts).shape == (64, 80)
    parts = np.zeros((64, 80))
    parts[:9, :9], parts[40:50, 40:50] = 1, 0.5  # the unknown part is amid the background
    alpha = closed_form_matte_band(rgb, parts)
    assert np.abs(alpha[parts == 0.5]).max() < 1e-6


@pytest.mark.parametrize("parts", [(0, 1), (0, 0.5), (0.5, 1), (0.5,), (1,), (0,)])
def test_unsolvable_trimaps_never_reach_the_solver(parts, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymatting", None)  # importing it now raises
    degenerate = np.resize(np.array(parts, float), (6, 7))
    assert not is_solvable(degenerate)
    np.testing.assert_array_equal(closed_form_matte_band(np.zeros((6, 7, 3)), degenerate), degenerate)


def test_no_solution_raises(disk_scene, monkeypatch):
    import pymatting

    def fail(rgb, trimap):
        raise ValueError("did not converge")

    monkeypatch.setattr(pymatting, "estimate_alpha_cf", fail)
    rgb, truth = disk_scene
    with pytest.raises(InputError, match="did not converge"):
        closed_form_matte_band(rgb, trimap(truth, 5))
