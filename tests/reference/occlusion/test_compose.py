"""Occlusion-aware composition: against layers composed by hand, the simulator's truth, and equation (10)."""

import numpy as np
import pytest

from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.simulator import all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.lens.focus import LensSetup
from portraiture.reference.lens.radii import layer_radii
from portraiture.reference.metrics import psnr_db
from portraiture.reference.occlusion.compose import compose_layers
from portraiture.reference.occlusion.extend import fill
from portraiture.reference.occlusion.iris import Iris, iris_kernel
from portraiture.reference.paper.full_body import render_full_body

SHAPE = (24, 30)


def lens_of(radii_px, person_layer, person_radius_px=0.0):
    """A lens whose focus is on the person."""
    return LensSetup(radii_px, person_layer, person_layer, person_radius_px)


def composed(linear, alpha, labels, lens, iris=None, **options):
    return compose_layers(linear, alpha, labels, lens, Iris() if iris is None else iris, **options)[0]


def share_of(alpha, labels, radii_px, person_layer):
    linear = np.zeros((*labels.shape, 1))
    return compose_layers(linear, alpha, labels, lens_of(radii_px, person_layer), Iris())[1]


def direct_blur(image, kernel):
    """Normalised convolution by its definition, one tap at a time."""
    reach = kernel.shape[0] // 2
    height, width = image.shape[:2]
    above, below = np.zeros_like(image), np.zeros(image.shape[:2])
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            to = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
            of = slice(max(-dy, 0), height + min(-dy, 0)), slice(max(-dx, 0), width + min(-dx, 0))
            above[to] += kernel[dy + reach, dx + reach] * image[of]
            below[to] += kernel[dy + reach, dx + reach]
    return above / below.reshape(below.shape + (1,) * (image.ndim - 2))


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    alpha = np.zeros(SHAPE)
    alpha[8:20, 10:18] = 1
    alpha[8:20, 9] = 0.5
    labels = np.zeros(SHAPE, dtype=np.int64)
    labels[:, 8:] = 1
    labels[:, 22:] = 2
    return rng.random((*SHAPE, 3)), alpha, labels


@pytest.mark.parametrize("person_layer", [0, 1, 2, 3])
@pytest.mark.parametrize("blades", [0, 5])
def test_constant_stays_constant(scene, person_layer, blades):
    _, alpha, labels = scene
    radii = np.array([4.0, 2.5, 7.0])
    found = composed(np.full((*SHAPE, 3), 0.3), alpha, labels, lens_of(radii, person_layer), Iris(blades))
    np.testing.assert_allclose(found, 0.3, atol=1e-9)


def test_no_radius_is_the_input(scene):
    linear, alpha, labels = scene
    for radii in (np.zeros(3), np.array([0.5, 1.0, 0.0])):
        np.testing.assert_array_equal(composed(linear, alpha, labels, lens_of(radii, 1)), linear)
        np.testing.assert_array_equal(share_of(alpha, labels, radii, 1), 0)


def test_what_is_sharp_and_uncovered_is_the_input(scene):
    linear, alpha, labels = scene
    found = composed(linear, alpha, labels, lens_of(np.array([0.0, 0.0, 5.0]), 0))
    sharp = (labels < 2) | (alpha == 1)  # the blurred layer is behind: it covers nothing
    np.testing.assert_array_equal(found[sharp], linear[sharp])
    assert (found[~sharp] != linear[~sharp]).all()
    share = share_of(alpha, labels, np.array([0.0, 0.0, 5.0]), 0)
    np.testing.assert_array_equal(share > 0, ~sharp)


@pytest.mark.parametrize("radii", [[4.0, 0.0, 0.0], [4.0, 0.0, 9.3], [12.0, 2.0, 0.0]])
def test_the_share_tells_where_the_input_comes_out(scene, radii):
    linear, alpha, labels = scene
    share = share_of(alpha, labels, np.array(radii), 1)
    found = composed(linear, alpha, labels, lens_of(np.array(radii), 1))
    np.testing.assert_array_equal(found[share == 0], linear[share == 0])
    assert (share >= 0).all()
    assert (share <= 1).all()
    assert 0 < (share == 0).mean() < 1


def test_a_red_person_does_not_bleed_into_white():
    alpha = np.zeros((40, 40))
    alpha[10:30, 12:28] = 1
    alpha[10:30, [11, 28]] = 0.5  # a soft edge, where the photo is a mixture
    red, white = np.array([1.0, 0, 0]), np.ones(3)
    linear = alpha[..., None] * red + (1 - alpha[..., None]) * white
    labels, radii = np.zeros((40, 40), dtype=np.int64), np.array([6.0])
    behind = alpha == 0
    found = composed(linear, alpha, labels, lens_of(radii, 0))
    np.testing.assert_allclose(found[behind], 1, atol=1e-9)
    np.testing.assert_array_equal(found[alpha == 1], linear[alpha == 1])
    paper = render_full_body(linear, alpha, labels, radii)
    assert paper[behind].min() < 0.97  # (10) takes the mixture for background


@pytest.mark.parametrize("blades", [0, 5])
@pytest.mark.parametrize("radii", [[4.0, 0.0], [4.0, 3.0], [7.5, 2.0]])
def test_two_layers_by_hand(radii, blades):
    near, far = np.array([0.9, 0.1, 0.2]), np.array([0.1, 0.5, 0.8])
    labels = np.ones(SHAPE, dtype=np.int64)
    labels[6:18, 5:20] = 0
    cover = (labels == 0).astype(float)
    linear = np.where(cover[..., None] > 0, near, far)
    # both are nearer than the person, who is behind all and not seen: the iris is inverted
    kernels = [iris_kernel(r, blades, 20.0 + 180.0) for r in radii]
    soft = direct_blur(cover, kernels[0])[..., None]
    expected = soft * near + (1 - soft) * direct_blur(np.broadcast_to(far, linear.shape).copy(), kernels[1])
    found = composed(linear, np.zeros(SHAPE), labels, lens_of(np.array(radii), 2), Iris(blades, 20.0))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_two_layers_behind_the_person_by_hand():
    near, far, skin = np.array([0.9, 0.1, 0.2]), np.array([0.1, 0.5, 0.8]), np.array([0.7, 0.6, 0.1])
    labels = np.ones(SHAPE, dtype=np.int64)
    labels[6:18, 5:20] = 0
    alpha = np.zeros(SHAPE)
    alpha[20:, 8:14] = 1
    cover = (labels == 0).astype(float)
    linear = np.where(alpha[..., None] > 0, skin, np.where(cover[..., None] > 0, near, far))
    soft = direct_blur(cover, iris_kernel(1.9, 5, 7.0))[..., None]
    expected = np.where(alpha[..., None] > 0, skin, soft * near + (1 - soft) * far)
    found = composed(linear, alpha, labels, lens_of(np.array([1.9, 5.0]), 0), Iris(5, 7.0))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_blurred_foreground_spreads_over_the_sharp_person():
    labels = np.ones((40, 40), dtype=np.int64)
    labels[:, :15] = 0
    alpha = np.zeros((40, 40))
    alpha[:, 15:30] = 1
    linear = np.where((labels == 0)[..., None], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
    found = composed(linear, alpha, labels, lens_of(np.array([5.0, 0.0]), 1))
    green = found[20, :, 1]
    assert 0.3 < green[15] < 0.7
    assert green[14] < 1  # and shows the person through its edge
    assert (np.diff(green) <= 1e-12).all()
    np.testing.assert_array_equal(found[:, 20:], linear[:, 20:])
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-9)


def test_lights_and_the_persons_colour_are_taken_where_they_belong(scene):
    linear, alpha, labels = scene
    radii = np.array([0.0, 0.0, 5.0])
    found = composed(linear, alpha, labels, lens_of(radii, 0), recovered=linear + 4)
    blurred = labels == 2
    np.testing.assert_array_equal(found[~blurred], linear[~blurred])
    assert (found[blurred] > 4).all()
    for person_radius_px, same in ((0.0, True), (3.0, False)):
        lens = lens_of(np.full(3, 4.0), 0, person_radius_px)
        plain = composed(linear, alpha, labels, lens)
        black = composed(linear, alpha, labels, lens, foreground=0 * linear)
        assert np.allclose(plain, black, atol=1e-9) == same
    assert (black <= plain + 1e-9).all()


def test_a_hole_in_the_matte_shows_the_photos_own_pixel():
    rng = np.random.default_rng(0)
    alpha = np.zeros((40, 40))
    alpha[10:30, 10:30] = 1
    linear = np.where(alpha[..., None] == 1, [0.1, 0.1, 0.4], [0.9, 0.8, 0.7]) + rng.uniform(0, 0.02, (40, 40, 3))
    torn = alpha.copy()
    torn[18:22, 18:22] = 0.5
    labels = np.zeros((40, 40), dtype=np.int64)
    found = composed(linear, torn, labels, lens_of(np.array([5.0]), 0))
    hole = torn == 0.5
    assert np.abs(found - linear)[hole].max() < 0.03  # without it, half of the bright wall behind


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("person_layer", [0, 1, 3])
def test_flat_masks_and_missing_layers(scene, value, person_layer):
    linear, _, labels = scene
    alpha = np.full(SHAPE, value)
    for given in (labels, 0 * labels, 0 * labels + 2):
        found = composed(linear, alpha, given, lens_of(np.array([3.0, 0.0, 6.0]), person_layer))
        assert np.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 1
        if value == 1.0:
            np.testing.assert_array_equal(found, linear)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_beats_the_paper_on_the_simulator(seed):
    layers, person = simple_scene(seed, (90, 150))
    focus, aperture = layers[person].depth, 0.03
    truth = simulate(layers, focus, aperture, 1)
    linear, depth, alpha = all_in_focus(layers), scene_depth(layers), scene_mask(layers, person)
    depth[depth == focus] = np.nan  # the person's pixels belong to the nearest layer behind, as far as labels go
    centres = np.unique(depth[~np.isnan(depth)])
    labels = np.searchsorted(centres, np.nan_to_num(depth, nan=centres[0]))
    radii = layer_radii(centres, focus, aperture, alpha.shape)
    found = composed(linear, alpha, labels, lens_of(radii, 0))
    paper = render_full_body(linear, alpha, labels, radii)
    assert psnr_db(found, truth) > psnr_db(paper, truth) + 1


def test_fill_keeps_what_is_known_and_invents_no_value():
    rng = np.random.default_rng(5)
    values, weight = rng.random((37, 50, 3)), (rng.random((37, 50)) > 0.9).astype(float)
    weight[10:30, 10:40] = 0
    found = fill(values * weight[..., None], weight)
    np.testing.assert_array_equal(found[weight == 1], values[weight == 1])
    assert found.min() >= values[weight == 1].min() - 1e-12
    assert found.max() <= values[weight == 1].max() + 1e-12
    np.testing.assert_allclose(fill(np.full((37, 50, 1), 0.3) * weight[..., None], weight), 0.3, atol=1e-12)
    np.testing.assert_array_equal(fill(np.zeros((5, 7, 2)), np.zeros((5, 7))), 0)


def test_what_is_nearer_than_the_focus_sees_the_iris_inverted():
    labels, point = np.zeros((41, 41), dtype=np.int64), np.zeros((41, 41, 1))
    point[20, 20] = 1
    alpha = np.zeros((41, 41))
    upright, inverted = (
        compose_layers(point, alpha, labels, LensSetup(np.array([6.0]), 1, focus_layer), Iris(5, 10.0))[0]
        for focus_layer in (0, 1)
    )
    kernel = Iris(5, 10.0).kernel(6.0)
    reach = kernel.shape[0] // 2
    window = np.s_[20 - reach : 21 + reach, 20 - reach : 21 + reach, 0]
    np.testing.assert_allclose(upright[window], kernel, atol=1e-9)
    np.testing.assert_allclose(inverted[window], kernel[::-1, ::-1], atol=1e-5)
    assert np.abs(upright - inverted).max() > 1e-3


@pytest.mark.parametrize(("value", "known"), [(0.25, True), (0.29, True), (0.31, False)])
def test_a_label_counts_up_to_an_alpha_of_three_tenths(value: float, known: bool) -> None:
    """A patch is labelled as the blurred layer: 1 - alpha of its light is blurred, or the sharp layer covers it."""
    alpha, labels = np.zeros((40, 40)), np.zeros((40, 40), dtype=np.int64)
    alpha[10:30, 10:30], labels[10:30, 10:30] = value, 1
    share = share_of(alpha, labels, np.array([0.0, 3.0]), 0)
    expected = np.where(labels == 1, 1 - value, 0) if known else np.zeros((40, 40))
    np.testing.assert_allclose(share, expected, atol=1e-9)
