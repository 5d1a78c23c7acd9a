"""The sRGB transfer: known values, and each direction the inverse of the other."""

import numpy as np
import pytest

from portraiture.reference.srgb import LINEAR_KNEE, SRGB_KNEE, to_linear, to_srgb


def test_round_trips():
    values = np.concatenate([np.linspace(0, 1, 100001), SRGB_KNEE + np.linspace(-1e-7, 1e-7, 2001), [SRGB_KNEE]])
    np.testing.assert_allclose(to_srgb(to_linear(values)), values, rtol=0, atol=1e-12)
    linear = np.linspace(0, 1, 100001)
    np.testing.assert_allclose(to_linear(to_srgb(linear)), linear, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("srgb", "linear"),
    [
        (0.0, 0.0),
        (1.0, 1.0),
        (0.04, 0.04 / 12.92),
        (0.5, 0.21404114048223255),
        (128 / 255, 0.21586050011389926),
        (0.735356983052, 0.5),
    ],
)
def test_known_values(srgb, linear):
    np.testing.assert_allclose(to_linear(np.array([srgb])), linear, atol=1e-12)
    np.testing.assert_allclose(to_srgb(np.array([linear])), srgb, atol=1e-12)


def test_bytes_survive():
    codes = np.arange(256)
    np.testing.assert_array_equal(np.rint(255 * to_srgb(to_linear(codes / 255))), codes)


def test_the_knee_is_the_standards_and_the_function_rises():
    assert pytest.approx(0.0031308, abs=1e-8) == LINEAR_KNEE
    assert (np.diff(to_linear(np.linspace(0, 1, 100001))) > 0).all()


def test_light_outside_is_clipped_and_shape_stays():
    found = to_srgb(np.array([[-0.5, 2.0, np.inf]]))
    np.testing.assert_array_equal(found, [[0.0, 1.0, 1.0]])
    assert to_linear(np.zeros((2, 3, 3))).shape == (2, 3, 3)
    assert np.isnan(to_srgb(np.array([np.nan]))).all()
