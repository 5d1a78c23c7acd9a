"""The iris's shape, and the blur against direct sums."""

import math

import numpy as np
import pytest

from portraiture.reference.occlusion.iris import Iris, convolve, iris_kernel
from portraiture.reference.paper.disk import disk_blur, disk_kernel
from portraiture.reference.paper.guided import guided_blur

BLADES = [5, 6, 7, 8, 9]


@pytest.mark.parametrize("radius_px", [0, 0.7, 1, 2.5, 9.3])
def test_no_blades_is_the_disk(radius_px):
    np.testing.assert_array_equal(iris_kernel(radius_px, 0, 33.0), disk_kernel(radius_px))


@pytest.mark.parametrize("blades", BLADES)
@pytest.mark.parametrize("radius_px", [1.2, 4.0, 9.3, 30.5])
def test_the_polygon_has_the_disks_area(blades, radius_px):
    kernel = iris_kernel(radius_px, blades, 11.0)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert (kernel >= 0).all()
    # the largest weight is that of a whole pixel: 1 / area
    assert 1 / kernel.max() == pytest.approx(math.pi * radius_px**2, rel=0.01)


@pytest.mark.parametrize("blades", BLADES)
def test_no_corner_is_cut_off_and_the_centre_is_the_pixels(blades):
    for radius_px in (2.3, 6.0, 11.7):
        kernel = iris_kernel(radius_px, blades, 4.0)
        reach = kernel.shape[0] // 2
        along = np.arange(-reach, reach + 1)
        assert abs((kernel.sum(axis=1) * along).sum()) < 0.01
        assert abs((kernel.sum(axis=0) * along).sum()) < 0.01
        corner = radius_px * math.sqrt(2 * math.pi / (blades * math.sin(2 * math.pi / blades)))
        assert reach + 0.5 >= corner


@pytest.mark.parametrize("blades", BLADES)
def test_rotation_is_periodic(blades):
    kernel = iris_kernel(8.0, blades, 10.0)
    for turns in (1, 3, -2):
        np.testing.assert_allclose(iris_kernel(8.0, blades, 10.0 + turns * 360 / blades), kernel, atol=1e-5)
    half = iris_kernel(8.0, blades, 10.0 + 180 / blades)
    assert np.abs(half - kernel).max() > 1e-3


@pytest.mark.parametrize("blades", BLADES)
def test_a_half_turn_is_seen_for_odd_counts_only(blades):
    kernel = iris_kernel(8.0, blades)
    turned = iris_kernel(8.0, blades, 180.0)
    np.testing.assert_allclose(turned, kernel[::-1, ::-1], atol=1e-5)
    assert (np.abs(turned - kernel).max() > 1e-3) == (blades % 2 == 1)


def test_a_corner_points_up_and_turns_counter_clockwise():
    up = iris_kernel(20.0, 5)
    reach = up.shape[0] // 2
    assert np.argwhere(up > 0)[:, 0].min() < np.argwhere(up[::-1] > 0)[:, 0].min()
    top = np.argwhere(up > 0)[0]
    assert abs(top[1] - reach) <= 1
    left = np.argwhere(iris_kernel(20.0, 5, 20.0) > 0)[0]  # the topmost corner, now to the left
    assert left[1] < reach - 5


@pytest.mark.parametrize("kernel", [iris_kernel(3.0), iris_kernel(3.0, 5, 8.0), iris_kernel(6.0, 7, 20.0)])
def test_a_bright_point_becomes_the_iris(iris_blur, kernel):
    size = kernel.shape[0]
    image = np.zeros((size + 20, size + 24, 3))
    image[size // 2 + 9, size // 2 + 11] = 1
    found = iris_blur(image, kernel)
    np.testing.assert_allclose(found[9 : 9 + size, 11 : 11 + size, 1], kernel, atol=1e-12)
    assert found[..., 1].sum() == pytest.approx(1)


@pytest.mark.parametrize("kernel", [iris_kernel(4.5), iris_kernel(4.5, 5), iris_kernel(25.0, 6)])
def test_constants_stay_constant(iris_blur, kernel):
    weight = np.random.default_rng(0).random((30, 24))
    for given in (None, weight):
        np.testing.assert_allclose(iris_blur(np.full((30, 24, 3), 0.3), kernel, given), 0.3, atol=1e-9)


@pytest.mark.parametrize("blades", [0, 5])
@pytest.mark.parametrize("radius_px", [2.2, 7.5])  # below and above OpenCV's change to the FFT
def test_is_the_direct_sum(iris_blur, blades, radius_px):
    rng = np.random.default_rng(2)
    image, weight, kernel = rng.random((10, 12)), rng.random((10, 12)), iris_kernel(radius_px, blades, 5.0)
    reach = kernel.shape[0] // 2
    above, below = np.zeros_like(image), np.zeros_like(image)
    for y in range(10):
        for x in range(12):
            for v in range(10):
                for u in range(12):
                    if abs(y - v) <= reach and abs(x - u) <= reach:
                        k = kernel[y - v + reach, x - u + reach]
                        above[y, x] += k * weight[v, u] * image[v, u]
                        below[y, x] += k * weight[v, u]
    np.testing.assert_allclose(iris_blur(image, kernel, weight), above / below, atol=1e-12)
    np.testing.assert_allclose(convolve(weight, kernel), below, atol=1e-12)


def test_disks_agree_with_the_papers_blurs(iris_blur):
    rng = np.random.default_rng(4)
    image, mask = rng.random((20, 30, 3)), rng.random((20, 30))
    mask[:12, :14] = 1
    kernel = iris_kernel(3.3)
    np.testing.assert_allclose(iris_blur(image, kernel), disk_blur(image, 3.3), atol=1e-12)
    np.testing.assert_allclose(iris_blur(image, kernel, 1 - mask), guided_blur(image, mask, 3.3), atol=1e-12)


def test_no_weight_within_reach_falls_back_to_the_input(iris_blur):
    image = np.random.default_rng(1).random((9, 9, 3))
    np.testing.assert_array_equal(iris_blur(image, iris_kernel(3.0, 6), np.zeros((9, 9))), image)
    np.testing.assert_array_equal(iris_blur(image, iris_kernel(1.0, 6)), image)


@pytest.mark.parametrize("blades", [0, *BLADES])
def test_an_inverted_iris_is_turned_by_half(blades):
    iris = Iris(blades, 12.0)
    np.testing.assert_array_equal(iris.kernel(8.0), iris_kernel(8.0, blades, 12.0))
    np.testing.assert_array_equal(iris.kernel(8.0, inverted=True), iris_kernel(8.0, blades, 192.0))
