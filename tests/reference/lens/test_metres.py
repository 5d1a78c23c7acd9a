"""Metres of relative depth by one known distance, and the depth that is linear in 1 / distance."""

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.lens.metres import LOG_DEPTH_SLOPE, lens_depth, mean_inverse, relative_inverse
from portraiture.training.tasks.perception import Z_OF_LOG_DEPTH

RAMP = np.linspace(0.1, 0.9, 81).reshape(9, 9)


def test_the_slope_is_that_of_training() -> None:
    assert LOG_DEPTH_SLOPE == Z_OF_LOG_DEPTH


def test_distances_follow_from_the_odds() -> None:
    """Odds of 1/4 (0.2) are 2 m away: odds of 1 (0.5) are 4^(2/3) times as far, of 4 (0.8) again so many times."""
    scale = lens_depth(RAMP, float(relative_inverse(0.2)), 2.0)
    np.testing.assert_allclose(1 / scale.inverse(np.array([0.2, 0.5, 0.8])), [2, 2 * 4 ** (2 / 3), 2 * 16 ** (2 / 3)])


def test_a_network_that_knows_log_depth_up_to_a_factor_is_read_exactly() -> None:
    metres = np.geomspace(1.2, 9, 50).reshape(5, 10)
    for unknown in (0.3, 1.0, 2.4):  # the offset of the photo's log-depth
        depth = 1 / (1 + np.exp(-Z_OF_LOG_DEPTH * (np.log(metres) - unknown)))
        scale = lens_depth(depth, float(relative_inverse(depth[2, 3])), float(metres[2, 3]))
        np.testing.assert_allclose(1 / scale.inverse(depth), metres, rtol=1e-9)


def test_the_persons_mean_is_as_far_as_the_person() -> None:
    mask = np.zeros_like(RAMP)
    mask[2:5, 1:4], mask[5, 5] = 1, 0.5
    scale = lens_depth(RAMP, mean_inverse(mask, RAMP), 3.0)
    assert float((mask * scale.inverse(RAMP)).sum() / mask.sum()) == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="expected a person"):
        mean_inverse(np.zeros_like(RAMP), RAMP)


def test_the_lens_depth_is_linear_in_the_inverse_distance_and_keeps_the_range() -> None:
    scale = lens_depth(RAMP, float(relative_inverse(0.3)), 2.0)
    found, inverse = scale.of(RAMP), scale.inverse(RAMP)
    assert (np.diff(found.ravel()) > 0).all(), "larger is farther"
    assert found.max() == pytest.approx(0.9)
    assert found.flat[1] == pytest.approx(0.1, abs=0.02), "the nearest hundredth may be nearer than the range"
    slopes = np.diff(found.ravel()) / np.diff(inverse.ravel())
    np.testing.assert_allclose(slopes, slopes[0])
    np.testing.assert_allclose([scale.inverse_of(v) for v in found.flat], inverse.ravel(), atol=1e-12)


def test_a_flat_depth_stays_flat() -> None:
    flat = np.full((4, 5), 0.4)
    scale = lens_depth(flat, float(relative_inverse(0.4)), 2.0)
    np.testing.assert_array_equal(scale.of(flat), flat)
    assert scale.inverse_of(0.4) == pytest.approx(0.5)


def test_the_ends_of_a_depth_are_finite() -> None:
    ends = np.array([[0.0, 1.0, 0.5]])
    scale = lens_depth(ends, float(relative_inverse(0.5)), 2.0)
    assert np.isfinite(scale.inverse(ends)).all()
    assert 1 / scale.inverse(1.0) == pytest.approx(2 * 999 ** (2 / 3))
