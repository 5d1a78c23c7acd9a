"""How a photo is brought to the model's size, against areas written out by hand."""

import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.resize import to_model_size


def areas(old: int, new: int) -> np.ndarray:
    """The share that each old pixel has in each new one, new x old, by the length that they have in common."""
    edges = np.arange(new + 1) * old / new
    inside = np.minimum(edges[1:, None], np.arange(1, old + 1)) - np.maximum(edges[:-1, None], np.arange(old))
    return np.clip(inside, 0, None) * new / old


def test_five_pixels_become_two_by_area() -> None:
    """Each new pixel takes two old ones whole and half of the middle one: (0 + 100 + 200 / 2) / 2.5 is 80."""
    row = np.array([[0, 100, 200, 50, 250]], np.uint8)[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(to_model_size(row, Size(1, 2))[0, :, 0], [80, 160])
    np.testing.assert_array_equal(to_model_size(row.swapaxes(0, 1), Size(2, 1))[:, 0, 0], [80, 160])


@pytest.mark.parametrize(("old", "new"), [((160, 160), (64, 64)), ((192, 320), (64, 64)), ((97, 131), (64, 96))])
def test_shrinking_averages_over_areas(old: tuple[int, int], new: tuple[int, int]) -> None:
    """By 2.5, by 3 and 5, and by shares that are not even."""
    rgb = np.random.default_rng(0).integers(0, 256, (*old, 3)).astype(np.uint8)
    expected = np.tensordot(areas(old[0], new[0]), areas(old[1], new[1]) @ rgb, 1)  # columns, then rows
    assert np.abs(to_model_size(rgb, Size(*new)) - expected).max() <= 1


def test_the_side_that_shrinks_is_averaged_where_the_other_grows() -> None:
    """Rows 3:1 by area; columns 1:2 at half-pixel centres, a quarter and three quarters of two neighbours."""
    rgb = np.random.default_rng(1).integers(0, 256, (192, 32, 3)).astype(np.uint8)
    rows = rgb.reshape(64, 3, 32, 3).mean(axis=1)
    found = to_model_size(rgb, Size(64, 64))
    assert np.abs(found[:, 1:-1:2] - (0.75 * rows[:, :-1] + 0.25 * rows[:, 1:])).max() <= 1
    assert np.abs(found[:, 2::2] - (0.25 * rows[:, :-1] + 0.75 * rows[:, 1:])).max() <= 1
