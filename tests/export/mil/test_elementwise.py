"""MIL's element-by-element operations against NumPy's functions, and against values by hand where MIL has its own."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch import Tensor

from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.reference.errors import InputError

WIDE = np.array([-7.5, -2.5, -0.5, 0.0, 0.5, 1.5, 2.5, 7.25])
UNIT = np.array([-0.9, -0.25, 0.0, 0.5, 0.75])
POSITIVE = np.array([0.25, 1.0, 9.0])


def op(name: str, **arguments: object) -> Tensor:
    """One operation's single output."""
    result = OPERATIONS[name](**arguments)
    assert isinstance(result, Tensor)
    return result


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


UNARY: dict[str, tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]] = {
    "identity": (lambda x: x, WIDE),
    "abs": (np.abs, WIDE),
    "acos": (np.arccos, UNIT),
    "asin": (np.arcsin, UNIT),
    "atan": (np.arctan, WIDE),
    "ceil": (np.ceil, WIDE),
    "cos": (np.cos, WIDE),
    "erf": (erf, WIDE),
    "exp": (np.exp, WIDE),
    "exp2": (np.exp2, WIDE),
    "floor": (np.floor, WIDE),
    "relu": (lambda x: np.maximum(x, 0), WIDE),
    "relu6": (lambda x: np.clip(x, 0, 6), WIDE),
    "round": (np.rint, WIDE),  # halves to even
    "sigmoid": (sigmoid, WIDE),
    "sign": (np.sign, WIDE),
    "silu": (lambda x: x * sigmoid(x), WIDE),
    "sin": (np.sin, WIDE),
    "softplus": (lambda x: np.log1p(np.exp(x)), WIDE),
    "softsign": (lambda x: x / (1 + np.abs(x)), WIDE),
    "sqrt": (np.sqrt, POSITIVE),
    "square": (np.square, WIDE),
    "tan": (np.tan, WIDE),
    "tanh": (np.tanh, WIDE),
}


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_input_are_numpys(name):
    function, x = UNARY[name]
    np.testing.assert_allclose(op(name, x=torch.from_numpy(x)).numpy(), function(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", [-5, 9, -9, 5]),
        ("sub", [-9, 5, -5, 9]),
        ("mul", [-14, 14, 14, -14]),
        ("floor_div", [-4, 3, 3, -4]),  # towards minus infinity
        ("mod", [1, 1, -1, -1]),  # the sign of y
        ("maximum", [2, 7, -2, 7]),
        ("minimum", [-7, 2, -7, -2]),
        ("equal", [False] * 4),
        ("not_equal", [True] * 4),
        ("less", [True, False, True, False]),
        ("greater", [False, True, False, True]),
    ],
)
def test_functions_of_two_inputs_by_hand(name, expected):
    x, y = torch.tensor([-7.0, 7.0, -7.0, 7.0]), torch.tensor([2.0, 2.0, -2.0, -2.0])
    assert op(name, x=x, y=y).tolist() == expected


def test_comparisons_of_equal_values():
    two = torch.tensor([2.0])
    found = {name: op(name, x=two, y=two).item()
             for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")}  # fmt: skip
    assert found == {"equal": True, "not_equal": False, "less": False, "less_equal": True, "greater": False,
                     "greater_equal": True}  # fmt: skip
    assert op("less_equal", x=two, y=two + 1).item()
    assert not op("less_equal", x=two, y=two - 1).item()
    assert op("greater_equal", x=two, y=two - 1).item()
    assert not op("greater_equal", x=two, y=two + 1).item()


def test_logic_by_its_tables():
    x, y = torch.tensor([False, False, True, True]), torch.tensor([False, True, False, True])
    assert op("logical_and", x=x, y=y).tolist() == [False, False, False, True]
    assert op("logical_or", x=x, y=y).tolist() == [False, True, True, True]
    assert op("logical_xor", x=x, y=y).tolist() == [False, True, True, False]
    assert op("logical_not", x=y).tolist() == [True, False, True, False]
    assert op("select", cond=y, a=torch.tensor(1.0), b=torch.tensor(2.0)).tolist() == [2, 1, 2, 1]


def test_power_and_division_of_floats():
    assert op("pow", x=torch.tensor([2.0, 9.0]), y=torch.tensor([10.0, 0.5])).tolist() == [1024, 3]
    assert op("real_div", x=torch.tensor([1.0, -3.0]), y=torch.tensor([4.0, 2.0])).tolist() == [0.25, -1.5]
    with pytest.raises(InputError, match="real_div: expected floats, found integers"):
        op("real_div", x=torch.tensor([1]), y=torch.tensor([4]))


def test_the_epsilons_that_mil_gives_when_none_is_written():
    zero = torch.tensor(0.0, dtype=torch.float64)
    assert op("inverse", x=zero).item() == pytest.approx(1e4)
    assert op("rsqrt", x=zero).item() == pytest.approx(1e6)
    assert op("log", x=zero).item() == pytest.approx(-45 * math.log(10))
    one = torch.tensor(1.0, dtype=torch.float64)
    assert op("inverse", x=one, epsilon=3.0).item() == 0.25
    assert op("rsqrt", x=one, epsilon=3.0).item() == 0.5
    assert op("log", x=one, epsilon=math.e - 1).item() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("clip", {"alpha": -0.5, "beta": 2.0}, [-0.5, -0.5, 0.0, 1.0, 2.0]),
        ("threshold", {"alpha": 1.0}, [1.0, 1.0, 1.0, 1.0, 3.0]),
        ("thresholded_relu", {"alpha": 1.0}, [0.0, 0.0, 0.0, 1.0, 3.0]),
        ("clamped_relu", {"alpha": 0.5, "beta": 2.0}, [-1.0, -0.5, 0.0, 1.0, 2.0]),
        ("clamped_relu", {"alpha": -4.0, "beta": 5.0}, [5.0, 4.0, 0.0, 1.0, 3.0]),
        ("leaky_relu", {"alpha": 0.25}, [-0.5, -0.25, 0.0, 1.0, 3.0]),
        ("elu", {"alpha": 2.0}, [2 * (math.exp(-2) - 1), 2 * (math.exp(-1) - 1), 0.0, 1.0, 3.0]),
        ("linear_activation", {"alpha": 2.0, "beta": 0.5}, [-3.5, -1.5, 0.5, 2.5, 6.5]),
        ("linear_activation", {"alpha": 2.0}, [-4.0, -2.0, 0.0, 2.0, 6.0]),
        ("sigmoid_hard", {}, [0.1, 0.3, 0.5, 0.7, 1.0]),
        ("sigmoid_hard", {"alpha": 0.5, "beta": 0.25}, [0.0, 0.0, 0.25, 0.75, 1.0]),
        ("scaled_tanh", {}, [math.tanh(v) for v in (-2, -1, 0, 1, 3)]),
        ("scaled_tanh", {"alpha": 3.0, "beta": 0.5}, [3 * math.tanh(v / 2) for v in (-2, -1, 0, 1, 3)]),
    ],
)
def test_activations_by_hand(name, settings, expected):
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0], dtype=torch.float64)
    np.testing.assert_allclose(op(name, x=x, **settings).numpy(), expected, atol=1e-12)


def test_prelu_has_a_slope_for_each_channel():
    x = torch.tensor([[[-2.0, 1.0], [-2.0, 1.0]]])  # 1x2x2
    assert op("prelu", x=x, alpha=torch.tensor([0.5, 0.25])).tolist() == [[[-1.0, 1.0], [-0.5, 1.0]]]


def test_gelu_exact_and_both_approximations():
    x = np.array([-2.0, -0.5, 0.5, 3.0])
    exact = x * (1 + erf(x / math.sqrt(2))) / 2
    by_tanh = x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    expected = {"EXACT": exact, "TANH_APPROXIMATION": by_tanh, "SIGMOID_APPROXIMATION": x * sigmoid(1.702 * x)}
    for mode, values in expected.items():
        np.testing.assert_allclose(op("gelu", x=torch.from_numpy(x), mode=mode).numpy(), values, atol=1e-12)
    np.testing.assert_allclose(op("gelu", x=torch.from_numpy(x)).numpy(), exact, atol=1e-12)
    with pytest.raises(InputError, match="gelu: expected mode EXACT"):
        op("gelu", x=torch.from_numpy(x), mode="NONE")


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int8", -128, 127),
        ("uint8", 0, 255),
        ("int16", -32768, 32767),
        ("uint16", 0, 65535),
        ("int32", -2147483648, 2147483647),
    ],
)
def test_cast_holds_each_integer_types_ends_and_no_more(dtype, low, high):
    ends = torch.tensor([low, high], dtype=torch.float64)
    assert op("cast", x=ends, dtype=dtype, compute=torch.float32).tolist() == [low, high]
    for outside in (low - 1, high + 1):
        with pytest.raises(InputError, match=rf"cast: expected values in {low}\.\.{high} for {dtype}"):
            op("cast", x=torch.tensor([outside], dtype=torch.int64), dtype=dtype, compute=torch.float32)


def test_cast_to_floats_and_truth_values():
    whole = torch.tensor([0, 2, -3])
    for dtype in ("fp16", "fp32"):
        found = op("cast", x=whole, dtype=dtype, compute=torch.float64)
        assert (found.dtype, found.tolist()) == (torch.float64, [0, 2, -3])
    assert op("cast", x=whole, dtype="bool", compute=torch.float64).tolist() == [False, True, True]
    with pytest.raises(InputError, match="cast: expected one of fp16, fp32, bool, int8"):
        op("cast", x=whole, dtype="complex", compute=torch.float64)
