"""The lens simulator against the disk blur, and against a gather written pixel by pixel."""

import math

import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.simulator import Layer, all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.lens.radii import layer_radii
from portraiture.reference.paper.disk import disk_blur


def random_layers(depths, shape=(9, 11), seed=0):
    """One layer of noise for each depth; the first is opaque, the others have holes and soft pixels."""
    rng = np.random.default_rng(seed)
    alphas = [np.ones(shape)] + [np.clip(rng.uniform(-0.5, 1.5, shape), 0, 1) for _ in depths[1:]]
    return [Layer(rng.random((*shape, 3)), alpha, depth) for alpha, depth in zip(alphas, depths, strict=True)]


def gather(layers, radii_px, supersample):
    """Layers far to near; every fine pixel gathers its disk from each layer, pixel by pixel."""
    height, width = (side * supersample for side in layers[0].alpha.shape)
    fine = np.zeros((height, width, 3))
    for layer, radius_px in zip(layers, radii_px, strict=True):
        behind = fine.copy()
        for y in range(height):
            for x in range(width):
                colour, cover, count = np.zeros(3), 0.0, 0
                for v in range(height):
                    for u in range(width):
                        if math.hypot(y - v, x - u) < radius_px * supersample or (y, x) == (v, u):
                            own = v // supersample, u // supersample
                            colour += layer.alpha[own] * layer.rgb[own]
                            cover += layer.alpha[own]
                            count += 1
                fine[y, x] = colour / count + (1 - cover / count) * behind[y, x]
    shape = height // supersample, supersample, width // supersample, supersample, 3
    return fine.reshape(shape).mean(axis=(1, 3))


@pytest.mark.parametrize("supersample", [1, 2, 3])
def test_aperture_zero_is_all_in_focus(supersample):
    layers = random_layers([1.0, 0.6, 0.2])
    np.testing.assert_allclose(simulate(layers, 0.2, 0, supersample), all_in_focus(layers), atol=1e-14)


def test_all_in_focus_is_the_over_operator():
    far, near = random_layers([0.9, 0.3])
    expected = near.alpha[..., None] * near.rgb + (1 - near.alpha[..., None]) * far.rgb
    np.testing.assert_allclose(all_in_focus([near, far]), expected, atol=1e-15)


def test_one_layer_is_the_disk_blur():
    (layer,) = random_layers([1.0], (20, 24))
    radius_px = 0.1 * math.hypot(20, 24)
    np.testing.assert_allclose(simulate([layer], 0.3, 0.1, 1), disk_blur(layer.rgb, radius_px), atol=1e-14)


@pytest.mark.parametrize("supersample", [1, 2])
@pytest.mark.parametrize("focus", [0.2, 0.0])
def test_two_layers_are_the_gather(supersample, focus):
    layers = random_layers([1.0, 0.2], (6, 7))
    radii_px = layer_radii(np.array([1.0, 0.2]), focus, 0.25, (6, 7))
    assert radii_px[0] > 2
    found = simulate(layers[::-1], focus, 0.25, supersample)  # any order
    np.testing.assert_allclose(found, gather(layers, radii_px, supersample), atol=1e-13)


@pytest.mark.parametrize("aperture", [0, 0.016, 0.2])
def test_a_constant_stays_constant(aperture):
    layers = [Layer(np.full_like(x.rgb, 0.37), x.alpha, x.depth) for x in random_layers([1.0, 0.7, 0.4, 0.1])]
    np.testing.assert_allclose(simulate(layers, 0.1, aperture), 0.37, atol=1e-13)


def test_the_sharp_layer_does_not_bleed_into_the_blurred():
    shape = (24, 24)
    alpha = np.zeros(shape)
    alpha[:, :12] = 1
    black, white = Layer(np.zeros((*shape, 3)), np.ones(shape), 1.0), Layer(np.ones((*shape, 3)), alpha, 0.2)
    found = simulate([black, white], 0.2, 0.2)
    np.testing.assert_allclose(found[:, 12:], 0, atol=1e-14)
    np.testing.assert_allclose(found[:, :12], 1, atol=1e-14)
    assert disk_blur(all_in_focus([black, white]), 6.8)[:, 13].min() > 0.2  # blurring the photo does bleed


def test_supersampling_converges():
    layers, _ = simple_scene(0, (40, 60))
    fine = simulate(layers, 0.3, 0.05, 6)
    errors = [float(np.abs(simulate(layers, 0.3, 0.05, s) - fine).mean()) for s in (1, 2, 3)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 0.004


def test_depth_is_of_the_nearest_that_covers_half():
    shape = (1, 4)
    layers = [
        Layer(np.zeros((*shape, 3)), np.array([alpha]), depth)
        for alpha, depth in (([1.0] * 4, 0.9), ([1, 0.5, 0.4, 0], 0.6), ([0.6, 0.4, 0, 0], 0.2))
    ]
    np.testing.assert_array_equal(scene_depth(layers), [[0.2, 0.6, 0.9, 0.9]])
    np.testing.assert_array_equal(scene_depth(layers[::-1]), scene_depth(layers))


def test_mask_is_what_nearer_layers_leave():
    layers = random_layers([1.0, 0.5, 0.5, 0.2])
    a = [layer.alpha for layer in layers]
    np.testing.assert_allclose(scene_mask(layers, 1), a[1] * (1 - a[2]) * (1 - a[3]), atol=1e-15)
    np.testing.assert_array_equal(scene_mask(layers, 3), a[3])
    np.testing.assert_allclose(sum(scene_mask(layers, i) for i in range(4)), 1, atol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_the_simple_scene_has_a_person_before_blurred_depths(seed):
    layers, person = simple_scene(seed, (90, 120))
    mask, depth = scene_mask(layers, person), scene_depth(layers)
    assert 0.1 < mask.mean() < 0.6
    soft = (mask > 0.02) & (mask < 0.98)
    assert 0.005 < soft.mean() < 0.1
    assert len(np.unique(depth)) >= 5
    assert depth[mask >= 0.5].max() == layers[person].depth == depth.min()
    photo, portrait = all_in_focus(layers), simulate(layers, layers[person].depth, 0.016)
    for image in (photo, portrait):
        assert 0 <= image.min() <= image.max() <= 1 + 1e-12
    sure = mask == 1
    np.testing.assert_allclose(portrait[sure], photo[sure], atol=1e-12)
    assert np.abs(portrait - photo)[mask == 0].mean() > 0.005


def test_the_simple_scene_is_seeded():
    first, again, other = (simple_scene(seed, (40, 50))[0] for seed in (3, 3, 4))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
        np.testing.assert_array_equal(a.alpha, b.alpha)
    assert not np.array_equal(first[0].rgb, other[0].rgb)


@pytest.mark.parametrize("shape", [(16, 16), (16, 200), (200, 16)])
def test_odd_shapes_of_the_simple_scene(shape):
    layers, person = simple_scene(0, shape)
    assert scene_mask(layers, person).any()
    assert np.isfinite(simulate(layers, 0.3, 0.05)).all()


def test_what_is_wrong_raises():
    layers = random_layers([1.0, 0.2])
    with pytest.raises(InputError, match="at least one"):
        simulate([], 0.5, 0.1)
    with pytest.raises(InputError, match="at least one"):
        all_in_focus([])
    with pytest.raises(InputError, match="opaque"):
        simulate(layers[1:], 0.5, 0.1)
    with pytest.raises(InputError, match="one size"):
        simulate([*layers, *random_layers([1.0], (4, 4))], 0.5, 0.1)
    with pytest.raises(OptionError, match="supersample"):
        simulate(layers, 0.5, 0.1, 0)
    with pytest.raises(OptionError, match="aperture"):
        simulate(layers, 0.5, float("nan"))
    with pytest.raises(InputError, match="person_index"):
        scene_mask(layers, 2)
    with pytest.raises(InputError, match="16x16"):
        simple_scene(0, (8, 8))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rgb": np.zeros((3, 4))}, "HxWx3"),
        ({"rgb": np.full((3, 4, 3), np.nan)}, "finite"),
        ({"rgb": np.full((3, 4, 3), -0.1)}, "finite"),
        ({"alpha": np.ones((4, 3))}, "HxWx3"),
        ({"alpha": np.full((3, 4), np.nan)}, "alpha"),
        ({"depth": 1.5}, "depth"),
    ],
)
def test_a_wrong_layer_raises(change, says):
    with pytest.raises(InputError, match=says):
        Layer(**({"rgb": np.zeros((3, 4, 3)), "alpha": np.ones((3, 4)), "depth": 0.5} | change))
