"""Graph cut against exhaustive search, on known shapes, and its seeds."""

import itertools

import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.colour_model import OUTLIERS, learn_colours, log_likelihood
from portraiture.reference.evaluation.graph_cut import cut_energy, minimum_cut, pair_weights, segment
from portraiture.reference.evaluation.seeds import seeds_from_mask, seeds_from_prior
from portraiture.reference.metrics import iou


@pytest.fixture
def two_colours():
    """A noisy red disk on noisy blue, 48x56, its mask, and a few seeds on each side."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :56]
    mask = np.hypot(y - 24, x - 26) < 15
    rgb = np.where(mask[..., None], [0.8, 0.3, 0.2], [0.2, 0.3, 0.7]) + rng.normal(0, 0.08, (48, 56, 3))
    foreground, background = np.zeros_like(mask), np.zeros_like(mask)
    foreground[21:28, 23:30] = True
    background[:4, :], background[-4:, :] = True, True
    return rgb.clip(0, 1), mask, foreground, background


def direct_energy(mask, as_person, as_background, rgb, smoothness, neighbours):
    """E(A) by loops over all pairs of pixels."""
    points = list(itertools.product(range(mask.shape[0]), range(mask.shape[1])))
    reach = 1.0 if neighbours == 4 else 1.5
    distance = {(p, q): np.hypot(p[0] - q[0], p[1] - q[1]) for p in points for q in points if p < q}
    pairs = {pair: d for pair, d in distance.items() if d < reach + 1e-9}
    variance = np.mean([((rgb[p] - rgb[q]) ** 2).sum() for p, q in pairs])
    total = sum(as_person[p] if mask[p] else as_background[p] for p in points)
    for (p, q), d in pairs.items():
        if mask[p] != mask[q]:
            total += smoothness * np.exp(-((rgb[p] - rgb[q]) ** 2).sum() / (2 * variance)) / d
    return total


@pytest.mark.parametrize("neighbours", [4, 8])
@pytest.mark.parametrize("seed", range(6))
def test_the_cut_is_the_exhaustive_minimum(seed, neighbours):
    rng = np.random.default_rng(seed)
    rgb, as_person, as_background = rng.random((3, 3, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    foreground, background = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    foreground[tuple(rng.integers(0, 3, 2))] = True
    background.flat[rng.choice(np.nonzero(~foreground.ravel())[0])] = True
    smoothness = float(rng.uniform(0.2, 3))
    weights = pair_weights(rgb, neighbours)
    found = minimum_cut(as_person, as_background, weights, smoothness, foreground, background)
    masks = (np.reshape(bits, (3, 3)) for bits in itertools.product([False, True], repeat=9))
    allowed = [m for m in masks if m[foreground].all() and not m[background].any()]
    direct = [direct_energy(m, as_person, as_background, rgb, smoothness, neighbours) for m in allowed]
    np.testing.assert_array_equal(found, allowed[int(np.argmin(direct))])
    assert cut_energy(found, as_person, as_background, weights, smoothness) == pytest.approx(min(direct), abs=1e-12)


def test_weights_of_a_constant_photo_are_one_over_distance():
    weights = pair_weights(np.full((3, 4, 3), 0.4))
    assert [w.shape for w in weights] == [(3, 3), (2, 4), (2, 3), (2, 3)]
    for weight, value in zip(weights, [1, 1, 2**-0.5, 2**-0.5], strict=True):
        np.testing.assert_allclose(weight, value)


@pytest.mark.parametrize("neighbours", [4, 8])
def test_a_two_colour_disk_is_recovered(two_colours, neighbours):
    rgb, mask, foreground, background = two_colours
    assert iou(segment(rgb, foreground, background, neighbours=neighbours), mask) >= 0.99


def test_smoothness_removes_what_colour_alone_gets_wrong(two_colours):
    rgb, mask, foreground, background = two_colours
    rgb = rgb.copy()
    rgb[::7, ::9] = rgb[::7, ::9][..., ::-1]  # pixels with red and blue swapped
    alone = iou(segment(rgb, foreground, background, smoothness=0), mask)
    assert alone < 0.95
    assert iou(segment(rgb, foreground, background), mask) > alone + 0.03


@pytest.mark.parametrize("smoothness", [0, 1, 1e4])
def test_seeds_are_obeyed_against_their_colour(two_colours, smoothness):
    rgb, mask, foreground, background = two_colours
    foreground, background = foreground.copy(), background.copy()
    foreground[40, 3], background[20, 20] = True, True  # each amid the other colour
    assert not mask[40, 3]
    assert mask[20, 20]
    found = segment(rgb, foreground, background, smoothness=smoothness)
    assert found[foreground].all()
    assert not found[background].any()


def test_segment_is_deterministic_and_reads_uint8(two_colours):
    rgb, _, foreground, background = two_colours
    first = segment(rgb, foreground, background)
    np.testing.assert_array_equal(first, segment(rgb.copy(), foreground.copy(), background.copy()))
    codes = np.round(rgb * 255).astype(np.uint8)
    np.testing.assert_array_equal(
        segment(codes, foreground, background), segment(codes / 255.0, foreground, background)
    )


def test_a_constant_photo_gives_a_mask():
    foreground, background = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    foreground[4, 4], background[0, 0] = True, True
    found = segment(np.full((8, 8, 3), 0.5), foreground, background)
    assert found[4, 4]
    assert not found[0, 0]


def test_a_model_of_one_cluster_is_the_gaussian():
    from scipy.stats import multivariate_normal

    rng = np.random.default_rng(1)
    colours = rng.normal([0.5, 0.4, 0.6], [0.05, 0.1, 0.15], (400, 3))
    model = learn_colours(colours, 1)
    gaussian = multivariate_normal(colours.mean(0), np.cov(colours.T, bias=True) + 0.02**2 * np.eye(3))
    expected = np.log(OUTLIERS + (1 - OUTLIERS) * gaussian.pdf(colours)).reshape(20, 20)
    np.testing.assert_allclose(log_likelihood(colours.reshape(20, 20, 3), model), expected)


def test_clusters_find_separate_colours():
    rng = np.random.default_rng(2)
    centres = np.array([[0.9, 0.1, 0.1], [0.1, 0.8, 0.2], [0.2, 0.2, 0.9]])
    model = learn_colours(np.repeat(centres, [100, 200, 300], axis=0) + rng.normal(0, 0.01, (600, 3)), 3)
    order = np.argsort(model.shares)
    np.testing.assert_allclose(model.shares[order], [1 / 6, 1 / 3, 1 / 2])
    np.testing.assert_allclose(model.means[order], centres, atol=0.01)


def test_fewer_colours_than_clusters_give_fewer_gaussians():
    assert len(learn_colours(np.repeat([[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]], 5, axis=0), 5).shares) == 2
    assert len(learn_colours(np.array([[0.1, 0.2, 0.3]]), 5).shares) == 1


def test_seeds_from_mask_are_deep_on_both_sides():
    y, x = np.mgrid[:80, :80]
    distance = np.hypot(y - 40, x - 40)
    foreground, background = seeds_from_mask((distance < 30).astype(float), 10, 5)
    assert distance[foreground].max() < 20.5
    assert foreground.sum() > 0.9 * np.pi * 19**2
    assert distance[background].min() > 34
    assert background[distance > 36.5].all()


def test_seeds_from_a_thin_mask_are_its_middle():
    mask = np.zeros((40, 40), bool)
    mask[:, 17:24] = True
    foreground, background = seeds_from_mask(mask, 15, 100)
    np.testing.assert_array_equal(np.nonzero(foreground.any(axis=0))[0], range(19, 22))
    assert background.any()
    assert not (foreground & background).any()


def test_prior_seeds_lie_where_a_selfie_has_its_face_its_chest_and_its_sides():
    """Of 100x200 pixels, by hand: an ellipse around (43, 100), 12 and 22 pixels long; a block below; sides and top."""
    foreground, background = seeds_from_prior((100, 200))
    face = foreground[:80]
    rows, columns = np.flatnonzero(face.any(axis=1)), np.flatnonzero(face.any(axis=0))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (31, 54, 78, 121)
    assert face.sum() == pytest.approx(np.pi * 12 * 22, rel=0.01)
    chest = np.zeros((20, 200), bool)
    chest[:, 70:130] = True
    np.testing.assert_array_equal(foreground[80:], chest)
    sides = np.zeros((100, 200), bool)
    sides[:40, :8] = sides[:3, :30] = True
    np.testing.assert_array_equal(background, sides | sides[:, ::-1])


@pytest.mark.parametrize("shape", [(16, 16), (300, 500), (800, 600)])
def test_prior_seeds_are_on_both_sides_and_apart(shape):
    foreground, background = seeds_from_prior(shape)
    assert foreground.shape == background.shape == shape
    assert foreground.any()
    assert background.any()
    assert not (foreground & background).any()


def test_what_is_wrong_raises(two_colours):
    rgb, mask, foreground, background = two_colours
    none = np.zeros_like(mask)
    with pytest.raises(InputError, match="foreground_seeds"):
        segment(rgb, none, background)
    with pytest.raises(InputError, match="background_seeds"):
        segment(rgb, foreground, none)
    with pytest.raises(InputError, match="both"):
        segment(rgb, foreground, background | foreground)
    with pytest.raises(InputError, match="bool"):
        segment(rgb, foreground.astype(float), background)
    with pytest.raises(OptionError, match="smoothness"):
        segment(rgb, foreground, background, smoothness=float("nan"))
    with pytest.raises(OptionError, match="neighbours"):
        segment(rgb, foreground, background, neighbours=6)
    with pytest.raises(OptionError, match="clusters"):
        segment(rgb, foreground, background, clusters=0)
    with pytest.raises(InputError, match="only background"):
        seeds_from_mask(none)
    with pytest.raises(InputError, match="only person"):
        seeds_from_mask(~none)
    with pytest.raises(OptionError, match="erode_px"):
        seeds_from_mask(mask, -1)
    with pytest.raises(InputError, match="16x16"):
        seeds_from_prior((8, 40))
