"""Highlight recovery: nothing below the threshold, smooth and rising above it."""

import numpy as np
import pytest

from portraiture.reference.occlusion.highlights import GAIN, LUMINANCE, THRESHOLD, recover_highlights
from portraiture.reference.occlusion.iris import iris_kernel


def test_identity_up_to_the_threshold():
    photo = np.random.default_rng(0).random((50, 50, 3))
    dark = photo @ LUMINANCE <= THRESHOLD
    found = recover_highlights(photo)
    np.testing.assert_array_equal(found[dark], photo[dark])
    assert (found[~dark] > photo[~dark]).all()
    assert 0 < (~dark).sum() < dark.sum()


def test_a_gray_ramp_rises_smoothly_to_the_limit():
    ramp = np.linspace(0, 1.5, 3001)
    found = recover_highlights(np.repeat(ramp[None, :, None], 3, axis=2))[0, :, 0]
    slope = np.diff(found) / np.diff(ramp)
    assert (slope > 0).all()
    below_one = slope[:1999]
    assert np.abs(np.diff(below_one)).max() < 0.2  # no step in the slope at the threshold
    assert found[2000] == pytest.approx(1 + GAIN)
    assert found[-1] == pytest.approx(1.5 * (1 + GAIN))


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_each_channel_rises_with_each_channel(channel):
    photo = np.random.default_rng(1).random((40, 40, 3))
    brighter = photo.copy()
    brighter[..., channel] += 0.05
    assert (recover_highlights(brighter) >= recover_highlights(photo)).all()


def test_the_hue_stays():
    photo = 0.5 + 0.5 * np.random.default_rng(2).random((20, 20, 3))
    found = recover_highlights(photo)
    np.testing.assert_allclose(found / found[..., :1], photo / photo[..., :1], rtol=1e-12)


def test_no_gain_changes_nothing_and_the_input_is_left_alone():
    photo = np.random.default_rng(3).random((8, 8, 3))
    before = photo.copy()
    np.testing.assert_array_equal(recover_highlights(photo, gain=0.0), photo)
    recover_highlights(photo)
    np.testing.assert_array_equal(photo, before)


def test_a_blurred_lamp_is_brighter_than_without(iris_blur):
    lamp = np.full((31, 31, 3), 0.01)
    lamp[15, 15] = 1
    kernel = iris_kernel(5.0)
    ratio = iris_blur(recover_highlights(lamp), kernel)[15, 15] / iris_blur(lamp, kernel)[15, 15]
    assert (ratio > 2).all()
