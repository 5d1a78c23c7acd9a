"""Layers against the reference's K-means, and against what their form promises."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.paper.layers import VARIANCE_FLOOR, depth_layers
from portraiture.training.models.filters.layers import BINS, LAYERS, Layers, layered_depth

H, W = 96, 64


def bodies(seed: int) -> np.ndarray:
    """A depth as networks give it: a slope, a wall behind it and a person before it, all a little rough."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(rng.uniform(0.6, 1.0), rng.uniform(0.0, 0.3), H)[:, None] ** rng.uniform(0.5, 2) * np.ones(W)
    depth[: rng.integers(20, 50)] = rng.uniform(0.7, 1.0)
    left = rng.integers(5, 35)
    depth[30:90, left : left + 20] = rng.uniform(0.1, 0.4)
    return np.clip(depth + 0.01 * rng.standard_normal((H, W)), 0, 1)


def tensor(depth: np.ndarray) -> Tensor:
    return torch.from_numpy(depth)[None, None]


def cost(depth: np.ndarray, centres: np.ndarray) -> float:
    """Mean squared distance to the nearest centre."""
    return float(np.square(np.abs(depth.ravel()[:, None] - centres).min(1)).mean())


def cells(depth: np.ndarray) -> np.ndarray:
    """What is counted: means over 4x4 pixels."""
    return np.asarray(depth.reshape(H // 4, 4, W // 4, 4).mean((1, 3)))


@pytest.mark.parametrize("seed", range(8))
def test_the_centres_are_the_best_ones(seed: int) -> None:
    """But for the bins: the reference's K-means is exact."""
    counted = cells(bodies(seed))
    found = Layers(tensor(bodies(seed)))
    centres = (found.low + found.span * found.centres).flatten().numpy()
    best = depth_layers(counted)
    np.testing.assert_allclose(centres, best.centres, rtol=0, atol=0.025)
    assert cost(counted, centres) < 1.07 * cost(counted, best.centres)


@pytest.mark.parametrize("seed", range(8))
def test_a_pixels_layer_is_the_one_that_8_charges_least(seed: int) -> None:
    depth = bodies(seed)
    best = depth_layers(cells(depth))
    unary = np.abs(depth[..., None] - best.centres) / best.variances
    found = layered_depth(tensor(depth))[0, 0].numpy()
    near = np.abs(found - best.centres[unary.argmin(2)]) < 0.025
    assert near.mean() > 0.9


def test_no_other_split_of_the_bins_is_better() -> None:
    """Against every split of a histogram of few bins into three, the two dearest steps of the six left out."""
    rng = np.random.default_rng(0)
    values = rng.choice(np.arange(12) * 5 / (BINS - 1), 96 * 64, p=rng.dirichlet(np.ones(12))).reshape(96, 64)
    depth = np.repeat(np.repeat(values[:24, :16], 4, 0), 4, 1)
    depth[:4, :4], depth[:4, 4:8] = 0.0, 1.0  # the range is 0 to 1, so that bins are as above
    found = Layers(tensor(depth))
    centres = (found.low + found.span * found.centres).flatten().numpy()
    distinct, counts = np.unique(depth[::4, ::4], return_counts=True)
    best = np.inf
    for starts in itertools.combinations(range(1, len(distinct)), LAYERS - 1):
        total = 0.0
        for part in np.split(np.arange(len(distinct)), starts):
            mean = np.average(distinct[part], weights=counts[part])
            total += float((counts[part] * (distinct[part] - mean) ** 2).sum())
        best = min(best, total / counts.sum())
    assert cost(depth, centres) == pytest.approx(best, rel=0.02)


def test_neighbouring_bins_are_kept_apart() -> None:
    """A layer begins between two bins: half a bin farther, a half of one would count for the other."""
    values = np.array([0, 1, 2, 3, 4, BINS - 1]) / (BINS - 1)
    depth = np.resize(values, (H // 4, W // 4)).repeat(4, 0).repeat(4, 1)
    found = Layers(tensor(depth))
    np.testing.assert_allclose(found.centres.flatten().numpy(), values, rtol=0, atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_fewer_depths_than_layers_stay_as_they_are(count: int) -> None:
    depth = np.repeat(np.linspace(0.2, 0.8, count) if count > 1 else [0.4], 96 // count + 1)[:96, None] * np.ones(W)
    found = layered_depth(tensor(depth))
    np.testing.assert_allclose(found[0, 0].numpy(), depth, rtol=0, atol=0.02)


def test_the_boundary_lies_nearer_to_the_flatter_layer() -> None:
    """(8) divides by the variance, which is at least the reference's floor."""
    rng = np.random.default_rng(1)
    coarse = rng.choice([0.0, 0.1, 0.2, 0.3, 0.4], (H // 4, W // 4))
    coarse[:, 8:] = 0.9 + 0.055 * rng.uniform(-1, 1, (H // 4, 8))  # one rough layer beyond five flat ones
    depth = coarse.repeat(4, 0).repeat(4, 1)
    layers = Layers(tensor(depth))
    best = depth_layers(depth[::4, ::4])
    assert best.variances[0] == VARIANCE_FLOOR
    (low, high), (less, more) = best.centres[-2:], best.variances[-2:]
    assert more > 2 * less
    expected = (low * more + high * less) / (less + more)
    found = float(layers.low + layers.span * layers.bounds[0, -1])
    assert found == pytest.approx(expected, abs=0.02)


def test_each_photo_of_a_batch_has_its_own_layers() -> None:
    both = torch.cat([tensor(bodies(1)), 0.5 * tensor(bodies(2))])
    together = layered_depth(both)
    for k in range(2):
        torch.testing.assert_close(together[k : k + 1], layered_depth(both[k : k + 1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_fp16_keeps_the_layers(seed: int) -> None:
    """What a phone's fp16 does to the sums: every product and sum rounded, as PyTorch's half does on a CPU."""
    depth = tensor(bodies(seed))
    whole, half = layered_depth(depth), layered_depth(depth.half()).double()
    assert float((whole - half).abs().mean()) < 0.004
