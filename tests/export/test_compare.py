"""The one comparison and the gates on it, by figures worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from portraiture.export.compare import Difference, compare, compare_change, tile_means
from portraiture.export.tolerance import Tolerance
from portraiture.reference.errors import InputError

SOUND = Difference(True, 0.01, 0.001, 50.0, 45.0, 0.99)


def test_every_figure_of_two_pictures_by_hand():
    """Errors 0, 0.1, 0.3 and 0.2 of values on both sides: a mean of 0.15, of squares of 0.035."""
    found = compare(np.array([[0.5, 0.6], [0.2, 0.9]]), np.array([[0.5, 0.5], [0.5, 0.7]]), as_mask=True)
    assert found.finite
    assert found.max_abs == pytest.approx(0.3)
    assert found.mean_abs == pytest.approx(0.15)
    assert found.psnr_db == found.tile_psnr_db == pytest.approx(10 * math.log10(1 / 0.035))
    assert found.iou == 0.75  # three of the four pixels that either holds to be the person


def test_equal_arrays_differ_by_nothing():
    found = compare(np.full(3, 0.25), np.full(3, 0.25, np.float32), as_mask=True)
    assert found == Difference(True, 0.0, 0.0, math.inf, math.inf, 1.0)  # two masks of nobody overlap wholly
    assert compare(np.full(3, 0.25), np.full(3, 0.25)).iou is None


def test_masks_that_share_no_pixel_overlap_by_nothing():
    one, two = np.array([0.7, 0.7, 0.1, 0.0]), np.array([0.0, 0.4, 0.5, 0.0])
    assert compare(one, two, as_mask=True).iou == 0.0
    assert compare(np.zeros(4), two, as_mask=True).iou == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_infinite_errors(value):
    sound = np.zeros((2, 2))
    wrong = np.array([[0.0, value], [0.0, 0.0]])
    for pair in ((wrong, sound), (sound, wrong)):
        infinite = Difference(False, math.inf, math.inf, -math.inf, -math.inf, None)
        assert compare(*pair) == infinite
        assert compare(*pair, as_mask=True) == replace(infinite, iou=0.0)


def test_the_worst_square_of_32_pixels_counts_by_itself():
    picture = np.zeros((40, 64, 3))
    picture[33, 40, 1] = 0.8  # in the lower right square of 8 x 32 pixels
    found = compare(picture, np.zeros_like(picture))
    assert found.psnr_db == pytest.approx(10 * math.log10(40 * 64 * 3 / 0.64))
    assert found.tile_psnr_db == pytest.approx(10 * math.log10(8 * 32 * 3 / 0.64))
    means = tile_means(picture)
    assert means.shape == (2, 2)
    assert means[1, 1] == pytest.approx(0.8 / (8 * 32 * 3))
    assert means.sum() == means[1, 1]
    assert tile_means(np.arange(33.0 * 2).reshape(33, 2)).tolist() == [[31.5], [64.5]]


def test_a_stack_of_numbers_is_no_picture_of_tiles():
    found = compare(np.array([0.1, 0.3]), np.zeros(2))
    assert found.tile_psnr_db == found.psnr_db == pytest.approx(10 * math.log10(1 / 0.05))


def test_a_change_is_measured_from_where_each_began():
    """The reference moves by 0.2, the candidate by 0.15: a quarter too little, whatever the pictures."""
    start, moved = np.full((2, 2), 0.4), np.full((2, 2), 0.6)
    found = compare_change(np.full((2, 2), 0.25), moved, np.full((2, 2), 0.1), start)
    assert found.max_abs == pytest.approx(0.25)
    assert found.psnr_db == pytest.approx(20 * math.log10(4))
    back = compare_change(np.full((2, 2), 0.05), 0.4 - (moved - 0.4), np.full((2, 2), 0.2), start)
    assert back.max_abs == pytest.approx(0.25)
    still = np.zeros(2)
    mixed = compare_change(still, np.array([0.3, -0.4]), still, still)  # root mean square: 0.25 sqrt 2
    assert mixed.psnr_db == pytest.approx(0)
    assert mixed.max_abs == pytest.approx(0.4 / (0.25 * math.sqrt(2)))


@pytest.mark.parametrize("values", [np.full((2, 2), 0.4), np.zeros(0)])
def test_a_reference_that_does_not_change_is_refused(values):
    with pytest.raises(InputError, match="compare_change: expected a reference that changes"):
        compare_change(values + 0.1, values, values, values)


@pytest.mark.parametrize("candidate", [np.zeros((1, 2)), np.zeros((3, 2)), np.zeros((2, 2, 1)), np.zeros(4)])
def test_arrays_of_other_shapes_are_refused_on_either_side(candidate):
    for pair in ((candidate, np.zeros((2, 2))), (np.zeros((2, 2)), candidate)):
        with pytest.raises(InputError, match="compare: expected shape"):
            compare(*pair)


def test_one_value_is_enough_to_compare():
    assert compare(np.array([0.5]), np.array([0.25])).max_abs == 0.25


GATE = Tolerance("", max_abs=0.01, min_psnr_db=50.0, min_tile_db=45.0, min_iou=0.99)


def test_a_gate_holds_at_its_bounds_and_not_past_them():
    assert GATE.passes(SOUND)
    for past in ({"max_abs": 0.0101}, {"psnr_db": 49.9}, {"tile_psnr_db": 44.9}, {"iou": 0.98}, {"iou": None}):
        assert not GATE.passes(replace(SOUND, **past)), past
    for better in ({"max_abs": 0.0}, {"psnr_db": math.inf}, {"tile_psnr_db": 99.0}, {"iou": 1.0}):
        assert GATE.passes(replace(SOUND, **better)), better
    assert not GATE.passes(replace(SOUND, finite=False))
    assert not GATE.passes(replace(SOUND, psnr_db=math.nan))
    assert Tolerance("").passes(Difference(True, 9.0, 9.0, -20.0, -20.0))
    assert Tolerance("", max_abs=0.5).passes(Difference(True, 0.5, 0.5, -20.0, -20.0))


def test_the_worst_is_what_is_not_finite_then_what_fails_then_the_first_bounds_figure():
    nan = Difference(False, math.inf, math.inf, -math.inf, -math.inf)
    good, fair = replace(SOUND, max_abs=0.001, psnr_db=60.0, iou=1.0), SOUND
    failed = replace(SOUND, max_abs=0.0, psnr_db=70.0, tile_psnr_db=10.0, iou=1.0)
    assert max([good, failed, fair, nan], key=GATE.badness) == nan
    assert max([good, failed, fair], key=GATE.badness) == failed
    assert max([good, fair], key=GATE.badness) == fair
    # of several that pass: the largest error, else the least overlap, else the least dB
    far = replace(SOUND, max_abs=0.009, psnr_db=58.0, iou=0.999)
    apart = replace(SOUND, max_abs=0.002, psnr_db=57.0, iou=0.991)
    noisy = replace(SOUND, max_abs=0.001, psnr_db=55.0, iou=0.995)
    three = [far, apart, noisy]
    assert max(three, key=Tolerance("", max_abs=0.1, min_psnr_db=1.0, min_iou=0.1).badness) == far
    assert max(three, key=Tolerance("", min_psnr_db=1.0, min_iou=0.1).badness) == apart
    assert max(three, key=Tolerance("", min_psnr_db=1.0).badness) == noisy
    unknown = [replace(d, iou=None) for d in three]
    assert max(unknown, key=Tolerance("", min_psnr_db=1.0, min_iou=0.1).badness) == unknown[2]


def test_a_gate_in_words():
    assert str(GATE) == "max error <= 0.01, PSNR >= 50 dB, tiles >= 45 dB, IoU >= 0.99"
    assert str(Tolerance("", max_abs=1e-4)) == "max error <= 0.0001"
    assert str(Tolerance("", min_psnr_db=30.5)) == "PSNR >= 30.5 dB"
    assert str(Tolerance("", min_tile_db=1.0)) == "tiles >= 1 dB"
    assert str(Tolerance("", min_iou=0.5)) == "IoU >= 0.5"
    assert str(Tolerance("")) == ""
