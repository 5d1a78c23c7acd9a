"""On scenes whose truth is known, each part of the paper's method earns its place at the person's edge."""

import math

import numpy as np
import pytest

from portraiture.reference.evaluation.ablations import FULL, LINEAR, OCCLUSION, coarse_mask, renderings
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.scores import edge_band, picture_scores
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.srgb import to_linear, to_srgb

APERTURE = 0.016


@pytest.fixture(scope="module")
def scores() -> dict[str, float]:
    """Mean edge-band PSNR of each rendering on four scenes with noisy depth."""
    import cv2

    found: dict[str, list[float]] = {}
    for seed in range(4):
        layers, person = simple_scene(seed)
        truth = to_srgb(simulate(layers, PERSON_DEPTH, APERTURE))
        photo, mask, depth = to_srgb(all_in_focus(layers)), scene_mask(layers, person), scene_depth(layers)
        noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=depth.shape), (0, 0), 4.0)
        depth = np.clip(depth + 0.03 * noise / noise.std(), 0, 1)
        for name, picture in renderings(photo, mask, depth, APERTURE).items():
            found.setdefault(name, []).append(picture_scores(np.clip(picture, 0, 1), truth, mask)["edge_psnr_db"])
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.parametrize("without", ["uniform kernel, no depth", "no depth", "no guided kernel", "coarse mask"])
def test_the_full_method_beats_the_ablation(scores: dict[str, float], without: str) -> None:
    assert scores[FULL] > scores[without]


def test_the_crf_is_no_gain_at_the_edge_once_its_ablation_is_feathered_too(scores: dict[str, float]) -> None:
    """Hard layers cost 0.55 dB by the CRF, 0.56 dB by thresholds: the feather earned what the CRF seemed to."""
    assert scores[FULL] == pytest.approx(scores["thresholds, no CRF"], abs=0.1)


def test_occlusion_beats_equation_10_in_either_light(scores: dict[str, float]) -> None:
    assert scores[OCCLUSION] > scores[LINEAR] > scores[FULL]
    assert list(scores)[-1] == OCCLUSION


def test_only_the_named_part_differs() -> None:
    """Where a part has nothing to do, its ablation is the full method: feather, radii and matte are the same."""
    rgb = np.random.default_rng(0).random((60, 80, 3))
    depth = np.repeat(np.repeat([0.1, 0.5, 0.9], 20)[:, None], 80, axis=1)  # a CRF finds no better cut
    flat = np.full((60, 80), 0.5)  # equal everywhere: the kernel (6) is (5), and a coarse mask is the mask
    found = renderings(rgb, flat, depth, 0.05)
    for name in ("thresholds, no CRF", "no guided kernel", "coarse mask"):
        np.testing.assert_allclose(found[name], found[FULL], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(found["uniform kernel, no depth"], found["no depth"], atol=1e-9)
    assert np.abs(found["no depth"] - found[FULL]).max() > 0.01  # negative control


def test_edge_band_is_ten_pixels_on_both_sides() -> None:
    mask = np.zeros((60, 60))
    mask[:, 30:] = 1
    columns = np.flatnonzero(edge_band(mask).all(0))
    assert (columns.min(), columns.max()) == (20, 39)


def test_coarse_mask_keeps_the_area_and_loses_the_edge() -> None:
    mask = np.zeros((64, 64))
    mask[13:51, 11:47] = 1
    coarse = coarse_mask(mask)
    assert coarse.mean() == pytest.approx(mask.mean(), abs=0.02)
    assert 0.05 < np.abs(coarse - mask).mean() < 0.2


def test_transfer_is_exact_both_ways() -> None:
    values = np.linspace(0, 1, 10_001)
    # the standard's own two constants leave a step of some 1e-8 where its branches meet
    np.testing.assert_allclose(to_srgb(to_linear(values)), values, atol=1e-7)
    np.testing.assert_allclose(
        to_linear(np.array([0.0, 0.04045, 0.5, 1.0])), [0, 0.04045 / 12.92, 0.21404114, 1], atol=1e-8
    )
    assert to_srgb(np.array([3.0]))[0] == pytest.approx(1.0, abs=1e-15)


def disk_pixels(radius_px: float) -> int:
    """How many pixels the open disk of (5) holds, counted one by one."""
    reach = range(-9, 10)
    return sum(math.hypot(y, x) < radius_px for y in reach for x in reach)


def test_every_blur_is_as_large_as_the_aperture_says() -> None:
    """A point of light becomes a disk of the layer's radius, in the middle layer of half of it.

    120x160 has a diagonal of 200 px: an aperture of 0.03 gives the farthest layer 6 px; its half is 3 px.
    """
    depth = np.repeat(np.repeat([0.1, 0.5, 0.9], 40)[:, None], 160, axis=1)
    mask = np.zeros((120, 160))
    mask[:40, 60:100] = 1
    rgb = np.zeros((120, 160, 3))
    rgb[:40, 60:100] = 0.5
    rgb[60, 20] = rgb[100, 20] = 1.0  # far from the person and from the layers' borders
    for name, picture in renderings(rgb, mask, depth, 0.03).items():
        light = to_linear(picture) if name in (LINEAR, OCCLUSION) else picture
        middle = 6.0 if "no depth" in name else 3.0
        for y, radius_px in ((60, middle), (100, 6.0)):
            spot = light[y - 9 : y + 10, 11:30, 0]
            assert np.count_nonzero(spot > 1e-6) == disk_pixels(radius_px), name
            assert light[y, 20, 0] == pytest.approx(1 / disk_pixels(radius_px), rel=1e-6), name
