"""Equations (7) and (9), and alpha expansion against exhaustive search and PyMaxflow's own."""

import itertools

import maxflow
import numpy as np
import pytest

from portraiture.reference.paper.crf import _expand, crf_energy, label_layers, minimise, pair_weights
from portraiture.reference.paper.layers import depth_layers


def direct_energy(labels, unary, weight_h, weight_v, smoothness):
    height, width = labels.shape
    total = 0.0
    for y in range(height):
        for x in range(width):
            total += unary[y, x, labels[y, x]]
            if x + 1 < width and labels[y, x] != labels[y, x + 1]:
                total += smoothness * weight_h[y, x]
            if y + 1 < height and labels[y, x] != labels[y + 1, x]:
                total += smoothness * weight_v[y, x]
    return total


def problem(seed, labels=3, shape=(3, 3)):
    rng = np.random.default_rng(seed)
    height, width = shape
    return (
        rng.random((height, width, labels)),
        rng.random((height, width - 1)),
        rng.random((height - 1, width)),
    )


def exhaustive(unary, weight_h, weight_v, smoothness):
    grids = itertools.product(range(unary.shape[2]), repeat=unary.shape[0] * unary.shape[1])
    shape = unary.shape[:2]
    return min(crf_energy(np.reshape(g, shape), unary, weight_h, weight_v, smoothness) for g in grids)


def test_weights_are_equation_9():
    depth = np.random.default_rng(0).random((5, 6))
    padded = np.pad(depth, 1, mode="edge")
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    along = {"x": np.zeros((5, 6)), "y": np.zeros((5, 6))}
    for y in range(5):
        for x in range(6):
            window = padded[y : y + 3, x : x + 3]
            along["x"][y, x], along["y"][y, x] = (window * sobel_x).sum(), (window * sobel_x.T).sum()
    weight_h, weight_v = pair_weights(depth)
    np.testing.assert_allclose(weight_h, np.exp(-np.abs(along["x"][:, :-1] + along["x"][:, 1:]) / 2))
    np.testing.assert_allclose(weight_v, np.exp(-np.abs(along["y"][:-1] + along["y"][1:]) / 2))


def test_a_cut_is_cheapest_on_the_depth_edge():
    depth = np.repeat([[0.0] * 4 + [1.0] * 4], 5, axis=0)
    weight_h, weight_v = pair_weights(depth)
    np.testing.assert_allclose(weight_h[:, 3], np.exp(-4))
    assert np.delete(weight_h, 3, axis=1).min() > 0.1
    np.testing.assert_array_equal(weight_v, 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_energy_is_equation_7(seed):
    unary, weight_h, weight_v = problem(seed, shape=(4, 5))
    labels = np.random.default_rng(seed).integers(0, 3, (4, 5))
    expected = direct_energy(labels, unary, weight_h, weight_v, 2.5)
    assert crf_energy(labels, unary, weight_h, weight_v, 2.5) == pytest.approx(expected)


@pytest.mark.parametrize("smoothness", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_three_labels_within_the_bound_of_the_optimum(seed, smoothness):
    unary, weight_h, weight_v = problem(seed)
    best = exhaustive(unary, weight_h, weight_v, smoothness)
    labels = minimise(unary, weight_h, weight_v, smoothness)
    found = crf_energy(labels, unary, weight_h, weight_v, smoothness)
    assert best - 1e-12 <= found <= 2 * best
    assert found == pytest.approx(best, rel=0.05)  # in practice the bound is far off
    if smoothness == 0:
        np.testing.assert_array_equal(labels, unary.argmin(axis=2))


@pytest.mark.parametrize("seed", range(8))
def test_two_labels_are_exact(seed):
    unary, weight_h, weight_v = problem(seed, labels=2)
    found = crf_energy(minimise(unary, weight_h, weight_v, 0.7), unary, weight_h, weight_v, 0.7)
    assert found == pytest.approx(exhaustive(unary, weight_h, weight_v, 0.7))


@pytest.mark.parametrize("seed", range(4))
def test_one_move_is_the_best_move(seed):
    unary, weight_h, weight_v = problem(seed)
    labels = np.random.default_rng(seed + 50).integers(0, 3, (3, 3))
    moves = (np.where(np.reshape(bits, (3, 3)), 1, labels) for bits in itertools.product((0, 1), repeat=9))
    best = min(crf_energy(move, unary, weight_h, weight_v, 1.0) for move in moves)
    found = crf_energy(_expand(labels, 1, unary, weight_h, weight_v), unary, weight_h, weight_v, 1.0)
    assert found == pytest.approx(best)


def whole_grid_move(labels, alpha, unary, weight_h, weight_v):
    """The expansion move with a node for every pixel: each pair by Kolmogorov and Zabih's form, none left out."""
    keep = np.take_along_axis(unary, labels[..., None], axis=2)[..., 0]
    take = unary[..., alpha].copy()
    graph = maxflow.Graph[float](labels.size, 2 * labels.size)
    nodes = graph.add_grid_nodes(labels.shape)
    for weight, p, q in ((weight_h, np.s_[:, :-1], np.s_[:, 1:]), (weight_v, np.s_[:-1, :], np.s_[1:, :])):
        # A at 00, B at 01, C at 10, 0 at 11: A + (C - A) x_p - C x_q + (B + C - A) (1 - x_p) x_q
        a, b, c = weight * (labels[p] != labels[q]), weight * (labels[p] != alpha), weight * (labels[q] != alpha)
        take[p] += c - a
        take[q] -= c
        graph.add_edges(nodes[p].ravel(), nodes[q].ravel(), (b + c - a).ravel(), np.zeros(a.size))
    base = np.minimum(keep, take)
    graph.add_grid_tedges(nodes, take - base, keep - base)
    graph.maxflow()
    return np.where(graph.get_grid_segments(nodes), alpha, labels)


@pytest.mark.parametrize("smoothness", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("seed", range(6))
def test_a_reduced_move_is_as_good_as_the_whole_grids(seed, smoothness):
    unary, weight_h, weight_v = problem(seed, labels=5, shape=(25, 31))
    labels = np.random.default_rng(seed + 9).integers(0, 5, (25, 31)) if seed % 2 else unary.argmin(axis=2)
    weights = smoothness * weight_h, smoothness * weight_v
    for alpha in range(5):
        found, expected = _expand(labels, alpha, unary, *weights), whole_grid_move(labels, alpha, unary, *weights)
        assert crf_energy(found, unary, *weights, 1.0) == pytest.approx(
            crf_energy(expected, unary, *weights, 1.0), abs=1e-8
        )


def stairs_and_ramp(shape=(60, 80)):
    """A depth with a smooth ground, a person that stands out and noise at every scale."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    depth = 0.9 - 0.6 * y + 0.15 * np.sin(7 * x)
    depth[np.hypot((y - 0.6) * 1.4, x - 0.5) < 0.25] = 0.2
    return (depth + rng.normal(0, 0.02, shape)).clip(0, 1)


@pytest.mark.parametrize("smoothness", [1.0, 10.0, 100.0])
def test_a_depths_labels_are_as_good_as_the_whole_grids(smoothness):
    depth = stairs_and_ramp()
    unary = depth_layers(depth, 6).unary
    weights = [smoothness * w for w in pair_weights(depth)]
    labels, failures, move = unary.argmin(axis=2), 0, 0
    energy = start = crf_energy(labels, unary, *weights, 1.0)
    while failures < 6:
        candidate = whole_grid_move(labels, move % 6, unary, *weights)
        lower = crf_energy(candidate, unary, *weights, 1.0)
        if lower < energy - 1e-9:
            labels, energy, failures = candidate, lower, 0
        else:
            failures += 1
        move += 1
    assert energy < start
    found = crf_energy(label_layers(depth, unary, smoothness), unary, *weights, 1.0)
    assert found == pytest.approx(energy, abs=1e-8)


def test_a_move_that_cannot_gain_hands_the_labels_back():
    unary, weight_h, weight_v = problem(0)
    labels = unary.argmin(axis=2)
    assert _expand(labels, 1, unary, 0 * weight_h, 0 * weight_v) is labels  # no candidate
    everywhere = np.ones_like(labels)
    assert _expand(everywhere, 1, unary, weight_h, weight_v) is everywhere
    settled = minimise(unary, weight_h, weight_v, 0.4)
    assert all(_expand(settled, alpha, unary, 0.4 * weight_h, 0.4 * weight_v) is settled for alpha in range(3))


@pytest.mark.parametrize("smoothness", [0.2, 1.0])
def test_agrees_with_pymaxflow_where_weights_are_constant(smoothness):
    unary, _, _ = problem(1, labels=4, shape=(12, 15))
    ones = np.ones((12, 14)), np.ones((11, 15))
    theirs = maxflow.aexpansion_grid(unary, smoothness * (1 - np.eye(4))).astype(np.int64)
    ours = minimise(unary, *ones, smoothness)
    assert crf_energy(ours, unary, *ones, smoothness) == pytest.approx(
        crf_energy(theirs, unary, *ones, smoothness), rel=1e-3
    )


def test_the_energy_never_rises():
    unary, weight_h, weight_v = problem(2, labels=5, shape=(20, 20))
    energies = [
        crf_energy(minimise(unary, weight_h, weight_v, 0.5, cycles), unary, weight_h, weight_v, 0.5)
        for cycles in (0, 1, 2, 3, 20)
    ]
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < energies[0]


def test_smoothing_removes_a_lone_pixel_and_is_deterministic():
    depth = np.full((20, 20), 0.2)
    depth[:, 10:] = 0.8
    depth += np.random.default_rng(0).normal(0, 0.02, depth.shape)
    depth[5, 5] = 0.56  # nearer to the far layer, alone
    depth = depth.clip(0, 1)
    unary = depth_layers(depth, 2).unary
    assert unary.argmin(axis=2)[5, 5] == 1
    labels = label_layers(depth, unary, smoothness=400.0)
    np.testing.assert_array_equal(labels, np.repeat([[0] * 10 + [1] * 10], 20, axis=0))
    np.testing.assert_array_equal(labels, label_layers(depth, unary, smoothness=400.0))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_thin_grids(shape):
    depth = np.linspace(0, 1, shape[0] * shape[1]).reshape(shape)
    assert label_layers(depth, depth_layers(depth, 3).unary).shape == shape


def _best_energy(labels, alpha, unary, weight_h, weight_v):
    """The energy of the best expansion, by trying every subset of pixels."""
    energies = []
    for switched in itertools.product((False, True), repeat=labels.size):
        candidate = np.where(np.reshape(switched, labels.shape), alpha, labels)
        energies.append(crf_energy(candidate, unary, weight_h, weight_v, 1.0))
    return min(energies)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scale", [0.5, 2.0, 8.0])
def test_a_move_over_the_free_pixels_alone_is_the_best_of_all_moves(seed, scale):
    rng = np.random.default_rng(seed)
    unary = scale * rng.random((3, 3, 3))
    weight_h, weight_v = rng.random((3, 2)), rng.random((2, 3))
    labels = rng.integers(0, 3, (3, 3))
    for alpha in range(3):
        found = _expand(labels, alpha, unary, weight_h, weight_v)
        assert ((found == labels) | (found == alpha)).all()
        expected = _best_energy(labels, alpha, unary, weight_h, weight_v)
        assert crf_energy(found, unary, weight_h, weight_v, 1.0) == pytest.approx(expected)
