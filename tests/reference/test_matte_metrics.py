"""The four errors of a matte, against values worked out by hand."""

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.matte_metrics import matte_errors

ALL = np.ones((40, 40), bool)


def half(column: int = 20) -> np.ndarray:
    """A person who fills the photo from a column on."""
    truth = np.zeros((40, 40))
    truth[:, column:] = 1
    return truth


def test_a_perfect_matte_has_no_error() -> None:
    assert set(matte_errors(half(), half(), ALL).values()) == {0.0}


def test_one_column_wrong_is_counted_in_full() -> None:
    errors = matte_errors(half(19), half(), ALL)
    assert errors["sad"] == pytest.approx(40 / 1000)
    assert errors["mse"] == pytest.approx(1 / 40)


def test_only_the_band_counts() -> None:
    band = np.zeros((40, 40), bool)
    band[:10] = True
    assert matte_errors(half(19), half(), band)["sad"] == pytest.approx(10 / 1000)
    assert matte_errors(half(19), half(), np.roll(band, 0) & (np.arange(40) > 25))["sad"] == 0


def test_the_gradient_is_the_derivative_of_a_gaussian() -> None:
    """Of a step of height c the slope at d pixels is c exp(-d^2 / 2 sigma^2) along a kernel whose norm is 1."""
    steps = matte_errors(0.5 * half(), half(), ALL)["gradient"], matte_errors(0 * half(), half(), ALL)["gradient"]
    assert steps[0] == pytest.approx(steps[1] / 4)  # squares of differences of slopes: half of the step is missing
    sigma = 1.4
    place = np.arange(-5, 6)
    bell = np.exp(-np.square(place) / (2 * sigma**2))
    norm = np.linalg.norm(np.outer(bell, place * bell))
    # a step at x: the sum of place * bell beyond it, times the sum of bell across
    slopes = [bell.sum() * (place * bell)[place >= d].sum() / norm for d in range(-4, 6)]
    assert steps[1] == pytest.approx(40 * np.square(slopes).sum() / 1000, rel=1e-6)


def test_an_island_of_a_matte_is_not_connected() -> None:
    """A hole of 0 in the person's middle is an error of 1 a pixel, and so is an island in the background."""
    truth, matte = half(), half()
    matte[10:12, 30:32] = 0
    assert matte_errors(matte, truth, ALL)["connectivity"] == pytest.approx(4 / 1000)
    island = half()
    island[10:12, 5:7] = 1
    assert matte_errors(island, truth, ALL)["connectivity"] == pytest.approx(4 / 1000)


def test_a_small_difference_is_still_connected() -> None:
    truth = 0.8 * half()
    assert matte_errors(truth - 0.1 * half(), truth, ALL)["connectivity"] == 0
    assert matte_errors(truth - 0.3 * half(), truth, ALL)["connectivity"] > 0


@pytest.mark.parametrize("band", [np.zeros((40, 40), bool), np.ones((39, 40), bool)])
def test_a_wrong_band_is_told(band: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected a band of some pixels"):
        matte_errors(half(), half(), band)
