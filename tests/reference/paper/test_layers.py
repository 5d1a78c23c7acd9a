"""K-means layers and the unary term (8)."""

import itertools

import numpy as np
import pytest

from portraiture.reference.paper.layers import BINS, VARIANCE_FLOOR, depth_layers, nearest_layer


def cost(values, centres):
    return ((values[:, None] - centres) ** 2).min(axis=1).sum()


def best_cost(values, k):
    """Least K-means cost, over every way to cut the sorted values into k runs."""
    ordered = np.sort(values)
    cuts = itertools.combinations(range(1, len(ordered)), k - 1)
    return min(sum(((run - run.mean()) ** 2).sum() for run in np.split(ordered, cut)) for cut in cuts)


@pytest.mark.parametrize("seed", range(6))
def test_reaches_the_best_clustering_of_small_sets(seed):
    values = np.random.default_rng(seed).random(14)
    layers = depth_layers(values.reshape(2, 7), 3)
    assert cost(values, layers.centres) == pytest.approx(best_cost(values, 3))
    assert np.all(np.diff(layers.centres) > 0)


def test_unary_is_equation_8():
    depth = np.random.default_rng(0).random((20, 30))
    layers = depth_layers(depth, 4)
    label = np.abs(depth[..., None] - layers.centres).argmin(axis=2)
    for k in range(4):
        members = depth[label == k]
        assert layers.centres[k] == pytest.approx(members.mean())
        assert layers.variances[k] == pytest.approx(max(members.var(), VARIANCE_FLOOR))
        expected = np.abs(depth - layers.centres[k]) / layers.variances[k]
        np.testing.assert_allclose(layers.unary[..., k], expected, rtol=1e-12)


def test_many_distinct_depths_are_binned_and_ordered():
    depth = np.random.default_rng(0).random((100, 80))
    assert np.unique(depth).size > BINS
    layers = depth_layers(depth, 6)
    np.testing.assert_allclose(layers.centres, (np.arange(6) + 0.5) / 6, atol=0.03)


@pytest.mark.parametrize("distinct", [1, 2, 3, 6])
def test_fewer_depths_than_layers(distinct):
    depth = np.resize(np.linspace(0.2, 0.9, distinct), (6, 8))
    layers = depth_layers(depth, 6)
    np.testing.assert_allclose(layers.centres, np.unique(depth))
    assert layers.unary.shape == (6, 8, distinct)
    assert np.isfinite(layers.unary).all()


@pytest.mark.parametrize("step", [1e-9, 1e-300])
def test_depths_that_differ_by_almost_nothing(step):
    depth = np.array([[0.0, step, 2 * step, 3 * step]] * 3)
    assert np.isfinite(depth_layers(depth, 3).unary).all()


def test_where_lloyds_iteration_stops_early_the_best_is_found():
    """Three narrow groups far apart and a wide one: from centres at equal distances Lloyd leaves two in one group."""
    groups = [(0.0, 0.01), (0.05, 0.01), (0.1, 0.01), (0.9, 0.1)]
    values = np.concatenate([low + span * np.linspace(0, 1, 30) for low, span in groups])
    found = depth_layers(values.reshape(6, 20), 4)
    np.testing.assert_allclose(found.centres, [low + span / 2 for low, span in groups])


def test_the_nearest_layer_and_the_nearer_of_two_at_one_distance():
    depths = np.array([[0.0, 0.25, 0.26], [0.5, 0.75, 1.0]])
    np.testing.assert_array_equal(nearest_layer(depths, np.array([0.0, 0.5, 1.0])), [[0, 0, 1], [1, 1, 2]])
    assert nearest_layer(np.array(0.6), np.array([0.3])) == 0


def test_a_flat_layer_has_a_sigma_of_two_per_cent_of_the_depth_range() -> None:
    """Two flat depths: by (8) a layer charges noise of 0.02 with 0.02 / 0.02^2 = 50, the other depth with 1250."""
    layers = depth_layers(np.repeat([[0.2, 0.7]], 3, axis=0), 2)
    np.testing.assert_allclose(layers.unary, [[[0, 1250], [1250, 0]]] * 3, atol=1e-9)
    noisy = np.full((50, 40), 0.2)
    noisy[:, 20:], noisy[0, 0] = 0.7, 0.22
    assert depth_layers(noisy, 2).unary[0, 0, 0] == pytest.approx(50, rel=0.01)


def test_the_papers_six_layers_are_the_default() -> None:
    """Section 4.1: K = 6. Twelve depths in six pairs give the pairs' means."""
    means = [0.11, 0.27, 0.43, 0.59, 0.75, 0.91]
    depth = np.repeat(np.sort([m + d for m in means for d in (-0.01, 0.01)])[:, None], 8, axis=1)
    np.testing.assert_allclose(depth_layers(depth).centres, means)
