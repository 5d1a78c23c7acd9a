"""Disks against the reference's, at each rung and between."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from portraiture.reference.paper.disk import disk_blur
from portraiture.training.models.filters.disks import LADDER, Disks, shrunk_disk

SIZE = 160


def picture(seed: int) -> np.ndarray:
    """Noise of a natural spectrum, SIZE x SIZE, 0..1."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE)))
    frequency[0, 0] = 1
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIZE, SIZE))) / frequency).real
    return np.asarray((noise - noise.min()) / np.ptp(noise))


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    """By Disks, weights blurred along so that the border is the reference's."""
    x = torch.from_numpy(image)[None, None]
    planes = torch.cat([x, torch.ones_like(x)], 1)
    with torch.no_grad():
        out = Disks().double()(planes, torch.full_like(x, radius))
    return np.asarray((out[:, :1] / out[:, 1:])[0, 0].numpy())


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean()))


@pytest.mark.parametrize("radius", LADDER[0])
def test_a_rung_at_full_size_is_the_references_disk(radius: float) -> None:
    image = picture(1)
    np.testing.assert_allclose(blurred(image, radius), disk_blur(image, radius), rtol=0, atol=1e-6)


@pytest.mark.parametrize("radius", [radius for radii in LADDER[1:] for radius in radii])
def test_a_rung_at_a_smaller_size_is_near_the_references_disk(radius: float) -> None:
    image = picture(2)
    assert psnr(blurred(image, radius), disk_blur(image, radius)) > 46


@pytest.mark.parametrize("radius", [2.2, 3.0, 4.3, 6.0, 8.5, 12.0, 16.5, 22.0])
def test_between_two_rungs_the_blur_is_near_the_references(radius: float) -> None:
    """Not at 2.0, where the reference's open disk has the nine pixels of 1.5 still."""
    image = picture(3)
    found, expected = blurred(image, radius), disk_blur(image, radius)
    assert psnr(found, expected) > 41
    assert psnr(found, expected) > psnr(image, expected) + 8


@pytest.mark.parametrize("radius", [0.0, 0.5, 1.0])
def test_up_to_one_pixel_nothing_is_blurred(radius: float) -> None:
    image = picture(4)
    np.testing.assert_array_equal(blurred(image, radius), image)


def test_beyond_the_ladder_the_largest_disk_counts() -> None:
    image = picture(5)
    np.testing.assert_array_equal(blurred(image, LADDER[-1][-1]), blurred(image, 99.0))


def test_each_pixel_has_its_own_radius() -> None:
    image = picture(6)
    x, radius = torch.from_numpy(image)[None, None], torch.zeros(1, 1, SIZE, SIZE, dtype=torch.float64)
    radius[..., SIZE // 2 :] = 10.25
    with torch.no_grad():
        found = Disks().double()(x, radius)[0, 0].numpy()
    np.testing.assert_array_equal(found[:, : SIZE // 2 - 2], image[:, : SIZE // 2 - 2])
    inside = np.s_[30:-30, SIZE // 2 + 2 : -30]
    assert psnr(found[inside], disk_blur(image, 10.25)[inside]) > 44


def laid(image: np.ndarray, kernel: np.ndarray, factor: int) -> np.ndarray:
    """A kernel over the shrunk picture, enlarged again by steps of two."""
    half = kernel.shape[0] // 2
    x = F.pad(F.avg_pool2d(torch.from_numpy(image)[None, None], factor), (half,) * 4, mode="replicate")
    out = F.conv2d(x, torch.from_numpy(kernel)[None, None])
    while out.shape[2] < SIZE:
        out = F.interpolate(out, scale_factor=2, mode="bilinear")
    return out[0, 0].numpy()


@pytest.mark.parametrize(("radius", "factor"), [(5.0, 2), (10.25, 4), (14.0, 4), (26.0, 8)])
def test_a_shrunk_disk_is_the_nearest(radius: float, factor: int) -> None:
    kernel = shrunk_disk(radius, factor)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.shape[0] * factor >= 2 * radius > (kernel.shape[0] - 2) * factor, "an empty rim costs time"
    for same in (kernel[::-1], kernel[:, ::-1], kernel.T):
        np.testing.assert_allclose(same, kernel, rtol=0, atol=1e-12)
    image = picture(7)
    inside, expected = np.s_[30:-30, 30:-30], disk_blur(image, radius)

    def nearness(radius: float) -> float:
        return psnr(laid(image, shrunk_disk(radius, factor), factor)[inside], expected[inside])

    assert nearness(radius) > max(nearness(0.88 * radius), nearness(1.12 * radius)) + 1


def test_kernels_are_not_learnt_and_what_comes_before_them_is() -> None:
    model, radius = Disks(), torch.linspace(0, 30, 128).expand(1, 1, 128, 128).clone().requires_grad_()
    x = torch.rand(1, 2, 128, 128, requires_grad=True)
    F.mse_loss(model(x, radius), torch.zeros_like(x)).backward()
    assert all(kernel.grad is None for kernel in model.parameters())
    assert x.grad is not None
    assert radius.grad is not None
    felt = (radius.grad.abs().sum(2) > 0).float()[..., 8:108]  # from 2 to 25 pixels
    assert felt.mean() > 0.95, "a cell's mean may lie on the other side of a rung than its pixels"
