"""MIL's reductions, products and normalisations against NumPy, and against values by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.export.mil.ops.table import OPERATIONS

X = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4, 5))


def op(name: str, **arguments: object) -> Tensor:
    """One operation's single output."""
    result = OPERATIONS[name](**arguments)
    assert isinstance(result, Tensor)
    return result


REDUCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "reduce_sum": np.sum,
    "reduce_mean": np.mean,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_prod": np.prod,
    "reduce_sum_square": lambda x, **how: (x * x).sum(**how),
    "reduce_l1_norm": lambda x, **how: np.abs(x).sum(**how),
    "reduce_l2_norm": lambda x, **how: np.sqrt((x * x).sum(**how)),
    "reduce_log_sum_exp": lambda x, **how: np.log(np.exp(x).sum(**how)),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_numpys(name):
    x, expected = torch.from_numpy(X), REDUCTIONS[name]
    for axes in ((1,), (0, 2), (-1, 1)):
        for keep in (False, True):
            found = op(name, x=x, axes=axes, keep_dims=keep)
            np.testing.assert_allclose(found.numpy(), expected(X, axis=axes, keepdims=keep), rtol=1e-12)
    np.testing.assert_allclose(op(name, x=x).numpy(), expected(X), rtol=1e-12)
    np.testing.assert_allclose(op(name, x=x, axes=(2,)).numpy(), expected(X, axis=2), rtol=1e-12)


def test_integers_keep_their_type():
    x = torch.tensor([[1, 2], [3, 4]], dtype=torch.int32)
    for name, value in (("reduce_sum", 10), ("reduce_prod", 24), ("reduce_max", 4)):
        found = op(name, x=x)
        assert (found.dtype, found.item()) == (torch.int32, value)
    found = op("cumsum", x=x, axis=1)
    assert (found.dtype, found.tolist()) == (torch.int32, [[1, 3], [3, 7]])


def test_the_place_of_the_largest_and_the_smallest():
    x = torch.tensor([[3.0, 9.0, 1.0], [8.0, 2.0, 5.0]])
    for name, last, first in (("reduce_argmax", [1, 0], [1, 0, 1]), ("reduce_argmin", [2, 1], [0, 1, 0])):
        assert op(name, x=x).tolist() == last
        assert op(name, x=x, axis=0).tolist() == first
        assert op(name, x=x, axis=0, keep_dims=True).tolist() == [first]
        assert op(name, x=x).dtype == torch.int32


def test_softmax_sums_to_one_along_its_axis():
    x = torch.tensor([[0.0, math.log(3)], [math.log(2), math.log(3)]], dtype=torch.float64)
    np.testing.assert_allclose(op("softmax", x=x).numpy(), [[0.25, 0.75], [0.4, 0.6]])
    np.testing.assert_allclose(op("softmax", x=x, axis=0).numpy(), [[1 / 3, 0.5], [2 / 3, 0.5]])


def test_cumulative_sums_run_along_the_first_axis_where_none_is_given():
    x = torch.tensor([[1, 2], [10, 20], [100, 200]])
    assert op("cumsum", x=x).tolist() == [[1, 2], [11, 22], [111, 222]]
    assert op("cumsum", x=x, exclusive=True).tolist() == [[0, 0], [1, 2], [11, 22]]
    assert op("cumsum", x=x, reverse=True).tolist() == [[111, 222], [110, 220], [100, 200]]
    assert op("cumsum", x=x, axis=1, exclusive=True, reverse=True).tolist() == [[2, 0], [20, 0], [200, 0]]


def test_matrix_products_by_hand():
    x, y = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 10.0], [100.0, 1000.0]])
    assert op("matmul", x=x, y=y).tolist() == [[201, 2010], [403, 4030]]
    assert op("matmul", x=x, y=y, transpose_x=True).tolist() == [[301, 3010], [402, 4020]]
    assert op("matmul", x=x, y=y, transpose_y=True).tolist() == [[21, 2100], [43, 4300]]
    weight = torch.tensor([[1.0, 10.0]])
    assert op("linear", x=x, weight=weight).tolist() == [[21], [43]]
    assert op("linear", x=x, weight=weight, bias=torch.tensor([0.5])).tolist() == [[21.5], [43.5]]
    assert op("einsum", values=[x, y], equation="ij,jk->ik").tolist() == [[201, 2010], [403, 4030]]


def channels(values: list[float]) -> np.ndarray:
    return np.array(values).reshape(1, -1, 1, 1)


@pytest.mark.parametrize("given", [{}, {"epsilon": 0.5}])
def test_normalisations_by_their_formula(given):
    epsilon = given.get("epsilon", 1e-5)
    gamma, beta = [2.0, 0.5, -1.0], [0.1, -0.2, 0.3]
    mean, variance = [0.5, -1.0, 0.25], [1.0, 0.25, 4.0]

    def normal(x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        return (x - mean) / np.sqrt(variance + epsilon)

    tensors = {"gamma": torch.tensor(gamma, dtype=torch.float64), "beta": torch.tensor(beta, dtype=torch.float64)}
    known = {"mean": torch.tensor(mean, dtype=torch.float64), "variance": torch.tensor(variance, dtype=torch.float64)}
    x = torch.from_numpy(X)
    expected = normal(X, channels(mean), channels(variance))
    np.testing.assert_allclose(op("batch_norm", x=x, **known, **given).numpy(), expected, atol=1e-12)
    expected = channels(gamma) * expected + channels(beta)
    np.testing.assert_allclose(op("batch_norm", x=x, **known, **tensors, **given).numpy(), expected, atol=1e-12)
    own = {"axis": (2, 3), "keepdims": True}
    expected = normal(X, X.mean(**own), X.var(**own))
    np.testing.assert_allclose(op("instance_norm", x=x, **given).numpy(), expected, atol=1e-12)
    expected = channels(gamma) * expected + channels(beta)
    np.testing.assert_allclose(op("instance_norm", x=x, **tensors, **given).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("given", [{}, {"epsilon": 0.5}])
def test_layer_norm_over_the_axes_that_it_is_given(given):
    epsilon = given.get("epsilon", 1e-5)
    gamma = np.random.default_rng(1).uniform(0.5, 2, (3, 5))
    x, weight = torch.from_numpy(X), torch.from_numpy(gamma)
    own = {"axis": (1, 3), "keepdims": True}
    normal = (X - X.mean(**own)) / np.sqrt(X.var(**own) + epsilon)
    scaled = normal * gamma.reshape(1, 3, 1, 5)
    for axes in ((1, 3), (1, -1)):
        np.testing.assert_allclose(op("layer_norm", x=x, axes=axes, **given).numpy(), normal, atol=1e-12)
        found = op("layer_norm", x=x, axes=axes, gamma=weight, **given)
        np.testing.assert_allclose(found.numpy(), scaled, atol=1e-12)
        found = op("layer_norm", x=x, axes=axes, gamma=weight, beta=weight, **given)
        np.testing.assert_allclose(found.numpy(), scaled + gamma.reshape(1, 3, 1, 5), atol=1e-12)
    whole = (X - X.mean()) / np.sqrt(X.var() + epsilon)
    np.testing.assert_allclose(op("layer_norm", x=x, **given).numpy(), whole, atol=1e-12)
