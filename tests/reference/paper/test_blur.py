"""Equations (4), (5) and (6) against direct sums."""

import math

import numpy as np
import pytest

from portraiture.reference.paper.disk import disk_blur, disk_kernel
from portraiture.reference.paper.guided import guided_blur
from portraiture.reference.paper.selfie import render_selfie

RADII = [0, 0.5, 1, 1.01, 2, 2.5, 3.7, 8]


def direct_guided(rgb, mask, radius_px):
    """(6) by its definition, one pixel at a time."""
    height, width = mask.shape
    out = rgb.copy()
    for y in range(height):
        for x in range(width):
            total, colour = 0.0, np.zeros(3)
            for v in range(height):
                for u in range(width):
                    if math.hypot(y - v, x - u) < radius_px or (v, u) == (y, x):
                        total += 1 - mask[v, u]
                        colour = colour + (1 - mask[v, u]) * rgb[v, u]
            if total > 0 and radius_px > 1:
                out[y, x] = colour / total
    return out


@pytest.fixture
def scene():
    rng = np.random.default_rng(3)
    mask = np.zeros((9, 11))
    mask[2:7, 3:8] = rng.random((5, 5))
    mask[3:6, 4:7] = 1.0
    return rng.random((9, 11, 3)), mask


@pytest.mark.parametrize("radius_px", RADII)
def test_kernel_is_the_open_disk(radius_px):
    kernel = disk_kernel(radius_px)
    reach = kernel.shape[0] // 2
    inside = [
        (y, x) for y in range(-20, 21) for x in range(-20, 21) if math.hypot(y, x) < radius_px or (y, x) == (0, 0)
    ]
    assert reach == max(max(abs(y), abs(x)) for y, x in inside)
    expected = np.zeros_like(kernel)
    for y, x in inside:
        expected[y + reach, x + reach] = 1 / len(inside)
    np.testing.assert_allclose(kernel, expected, rtol=1e-12)


def test_radius_two_leaves_out_the_pixels_at_two():
    assert disk_kernel(2).shape == (3, 3)
    assert disk_kernel(2.001).shape == (5, 5)


@pytest.mark.parametrize("radius_px", RADII)
def test_disk_blur_is_the_guided_blur_without_a_person(scene, radius_px):
    rgb, mask = scene
    np.testing.assert_allclose(disk_blur(rgb, radius_px), direct_guided(rgb, 0 * mask, radius_px), atol=1e-12)
    np.testing.assert_allclose(disk_blur(rgb[..., 1], radius_px), disk_blur(rgb, radius_px)[..., 1], atol=1e-12)


@pytest.mark.parametrize("radius_px", RADII)
def test_guided_blur_is_equation_6(scene, radius_px):
    rgb, mask = scene
    np.testing.assert_allclose(guided_blur(rgb, mask, radius_px), direct_guided(rgb, mask, radius_px), atol=1e-12)


@pytest.mark.parametrize("radius_px", [2.5, 8])
def test_selfie_is_equation_4(scene, radius_px):
    rgb, mask = scene
    m = mask[..., None]
    expected = m * rgb + (1 - m) * direct_guided(rgb, mask, radius_px)
    np.testing.assert_allclose(render_selfie(rgb, mask, radius_px), expected, atol=1e-12)


def test_the_person_does_not_bleed_but_would_without_the_guide(scene):
    _, mask = scene
    person = (mask > 0).astype(float)
    rgb = np.repeat(person[..., None], 3, axis=2)  # white person on black
    assert render_selfie(rgb, person, 4.0)[person == 0].max() < 1e-12
    assert disk_blur(rgb, 4.0)[person == 0].max() > 0.1


def test_no_background_within_reach_falls_back_to_the_input(scene):
    rgb, _ = scene
    np.testing.assert_array_equal(guided_blur(rgb, np.ones((9, 11)), 5.0), rgb)


@pytest.mark.parametrize("radius_px", [3.0, 25.0])
def test_constant_stays_constant_up_to_the_border(radius_px):
    rgb = np.full((40, 30, 3), 0.3)
    mask = np.zeros((40, 30))
    mask[10:30, 8:20] = 1
    np.testing.assert_allclose(guided_blur(rgb, mask, radius_px), 0.3, atol=1e-9)


@pytest.mark.parametrize(("background", "blurred"), [(3e-9, True), (3e-10, False)])
def test_background_below_a_billionth_is_none(background: float, blurred: bool) -> None:
    """A person that is nearly everywhere: the mean of the five pixels, or the photo's own pixel."""
    rgb = np.random.default_rng(0).random((5, 5, 3))
    found = guided_blur(rgb, np.full((5, 5), 1 - background), 1.2)[2, 2]
    five = (rgb[2, 2] + rgb[1, 2] + rgb[3, 2] + rgb[2, 1] + rgb[2, 3]) / 5
    np.testing.assert_allclose(found, five if blurred else rgb[2, 2], rtol=1e-12)
    assert np.abs(five - rgb[2, 2]).max() > 0.1  # negative control


def test_the_rounding_of_a_large_kernel_is_no_background() -> None:
    """Beyond the kernel's reach of any background the photo's pixels stay to the bit."""
    rgb = np.random.default_rng(0).random((60, 80, 3))
    mask = np.ones((60, 80))
    mask[:, :20] = 0
    found = guided_blur(rgb, mask, 9.5)  # 19x19: OpenCV sums it by FFT; column 29 is the first out of reach
    np.testing.assert_array_equal(found[:, 29:], rgb[:, 29:])
    assert (found[:, :29] != rgb[:, :29]).any(axis=2).all()


def test_pixels_at_exactly_the_radius_are_outside() -> None:
    """Of the 81 whole points with x^2 + y^2 <= 25, twelve lie on the circle: 5 on an axis, or 3 and 4."""
    assert np.count_nonzero(disk_kernel(5.0)) == 69
