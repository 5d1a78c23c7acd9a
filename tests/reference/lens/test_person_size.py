"""Bodies drawn as blocks: whole ones, cut ones, and how far away they are."""

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.lens.person_size import BODY_M, SHOULDERS_M, person_size
from portraiture.reference.lens.thin_lens import ThinLens


def body(top: int, bottom: int, width: int, shape: tuple[int, int] = (400, 300)) -> np.ndarray:
    mask = np.zeros(shape, np.float32)
    middle = shape[1] // 2
    mask[top:bottom, middle - width // 2 : middle - width // 2 + width] = 1
    return mask


@pytest.mark.parametrize(
    ("mask", "whole", "share"),
    [
        (body(40, 360, 80), True, 320 / 400),  # feet are seen
        (body(300, 360, 100), True, 60 / 400),  # somebody who lies, as whole as can be told
        (body(40, 400, 90), True, 360 / 400),  # shoes at the edge: 4 times as tall as wide
        (body(40, 400, 120), False, 120 / 400),  # cut at the knees: 3 times
        (body(200, 400, 200), False, 200 / 400),  # head and shoulders
    ],
)
def test_whole_bodies_and_cut_ones(mask: np.ndarray, whole: bool, share: float) -> None:
    found = person_size(mask)
    assert (found.whole, found.size_m) == (whole, BODY_M if whole else SHOULDERS_M)
    assert found.share == pytest.approx(share, abs=0.004)


def test_shoulders_are_the_lower_half_not_the_head() -> None:
    mask = body(300, 400, 180)
    mask[200:300] = body(200, 300, 60)[200:300]
    assert person_size(mask).share == pytest.approx(180 / 400)


def test_the_distance_is_a_pinholes() -> None:
    """50 mm before film, upright 2:3: the height is 36 mm. 18 mm of it are 1.65 m at 50 / 18 * 1.65 = 4.583 m."""
    mask = body(100, 400, 60, (600, 400))
    shape = mask.shape
    found = person_size(mask).distance_m(ThinLens(2, 50).focal_px(shape), shape[0])
    assert found == pytest.approx(50 / 18 * 1.65, rel=0.005)


def test_the_largest_body_counts_at_any_size() -> None:
    small = body(310, 380, 20) + np.roll(body(50, 300, 60), 100, axis=1)
    large = small.repeat(8, axis=0).repeat(8, axis=1)
    assert person_size(small).share == pytest.approx(250 / 400)
    assert person_size(large).share == pytest.approx(250 / 400, abs=0.004)


def test_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="found none to measure; give --distance"):
        person_size(np.full((40, 30), 0.4, np.float32))
