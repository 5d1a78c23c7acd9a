"""The measures, on cases that can be counted by hand, and what they must refuse."""

import math

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.metrics import boundary_f, iou, psnr_db, ssim, whdr


@pytest.fixture
def image():
    return np.random.default_rng(0).random((24, 20, 3))


@pytest.mark.parametrize(("error", "decibels"), [(0.1, 20.0), (0.01, 40.0), (1.0, 0.0), (2.0, -6.0206)])
def test_psnr_has_the_fixed_peak_one(image, error, decibels):
    assert psnr_db(0 * image + error, 0 * image) == pytest.approx(decibels, abs=1e-3)
    assert psnr_db(image, image) == math.inf


def test_ssim_is_wangs(image):
    noisy = (image + 0.2 * np.random.default_rng(1).random(image.shape)) / 1.2
    assert ssim(image, image) == pytest.approx(1)
    assert 0 < ssim(noisy, image) < 1
    assert ssim(noisy, image) == pytest.approx(np.mean([ssim(noisy[..., c], image[..., c]) for c in range(3)]))
    # two constants: only the luminance term (2ab + C1) / (a^2 + b^2 + C1) is left, C1 = 0.01^2
    a, b = np.full((16, 16), 0.5), np.full((16, 16), 0.6)
    assert ssim(a, b) == pytest.approx((0.6 + 1e-4) / (0.61 + 1e-4))


@pytest.mark.parametrize("metric", [psnr_db, ssim, iou, boundary_f])
def test_refuses_shapes_that_would_broadcast_and_nan(metric):
    plane = np.full((16, 16), 0.5)
    with pytest.raises(InputError, match="one shape"):
        metric(plane, plane[:1])
    with pytest.raises(InputError, match="finite"):
        metric(np.where(np.eye(16) > 0, np.nan, plane), plane)
    with pytest.raises(InputError, match="expected float"):
        metric((plane * 255).astype(np.uint8), plane)


@pytest.mark.parametrize("metric", [psnr_db, ssim])
def test_pictures_are_of_floats_on_both_sides(metric):
    plane = np.full((16, 16), 0.5)
    for other in (plane > 0, (plane * 255).astype(np.uint8), plane.astype(np.int64), plane.astype(complex)):
        for pair in ((plane, other), (other, plane)):
            with pytest.raises(InputError, match=f"expected float arrays, found .*{other.dtype}"):
                metric(*pair)


def test_ssim_refuses_less_than_a_window():
    with pytest.raises(InputError, match="11x11"):
        ssim(np.zeros((10, 30)), np.zeros((10, 30)))


def test_iou():
    mask, truth = np.zeros((4, 4)), np.zeros((4, 4), bool)
    assert iou(mask, truth) == 1
    mask[0], truth[:, 0] = 0.5, True
    assert iou(mask, truth) == pytest.approx(1 / 7)
    assert iou(mask, ~(mask >= 0.5)) == 0


def test_boundary_f():
    truth = np.zeros((40, 40))
    truth[10:30, 10:30] = 1
    assert boundary_f(truth, truth) == 1
    assert boundary_f(np.roll(truth, 2, axis=1), truth) == 1
    far = boundary_f(np.roll(truth, 3, axis=1), truth)
    # of 76 boundary pixels all 20 of one side miss, and 14 of the other, which meets the rim near its corners
    assert far == pytest.approx(42 / 76)
    assert boundary_f(np.roll(truth, 3, axis=1), truth, tolerance_px=3) == 1
    assert boundary_f(0 * truth, truth) == 0
    assert boundary_f(0 * truth, 0 * truth) == 1
    assert boundary_f(np.ones_like(truth), 0 * truth) == 1  # neither has a boundary inside the photo


def test_whdr():
    depth = np.array([[0.1, 0.2], [0.9, 0.2]])
    pairs = np.array([[1, 0, 0, 0, 1], [0, 0, 1, 0, -1], [0, 0, 1, 0, 1], [0, 1, 1, 1, 1]])
    assert whdr(depth, pairs) == 0.5  # the third is wrong, the fourth is a tie
    assert whdr(-depth, pairs) == 0.75
    assert whdr(5 * depth - 2, pairs) == 0.5


@pytest.mark.parametrize(("pairs", "message"), [
    (np.zeros((0, 5), int), "Nx5"), (np.zeros((3, 4), int), "Nx5"), (np.zeros((3, 5)), "Nx5"),
    (np.array([[0, 0, 2, 0, 1]]), "points inside"), (np.array([[0, -1, 1, 0, 1]]), "points inside"),
    (np.array([[0, 0, 1, 0, 0]]), "rel of"),
])  # fmt: skip
def test_whdr_refuses(pairs, message):
    with pytest.raises(InputError, match=message):
        whdr(np.zeros((2, 2)), pairs)
