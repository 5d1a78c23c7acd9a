"""MIL's convolutions and pooling against sums written element by element, and against values by hand."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.reference.errors import InputError

RNG = np.random.default_rng(0)


def op(name: str, **arguments: object) -> Tensor:
    """One operation's single output."""
    result = OPERATIONS[name](**arguments)
    assert isinstance(result, Tensor)
    return result


def row(*values: float) -> Tensor:
    """1x1xN."""
    return torch.tensor([[list(values)]], dtype=torch.float64)


def correlate(x, weight, strides, pads, dilations, groups):
    """A convolution as one sum for each output; ``pads`` is (before, after) of each dimension."""
    padded = np.pad(x, [(0, 0), (0, 0), *pads])
    kernel, per_group = weight.shape[2:], weight.shape[0] // groups
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    sizes = [(n - r) // s + 1 for n, r, s in zip(padded.shape[2:], reach, strides, strict=True)]
    out = np.zeros((x.shape[0], weight.shape[0], *sizes))
    for n, c, *place in itertools.product(*map(range, out.shape)):
        first = c // per_group * weight.shape[1]
        for i, *tap in itertools.product(*map(range, weight.shape[1:])):
            at = [p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations, strict=True)]
            out[(n, c, *place)] += padded[(n, first + i, *at)] * weight[(c, i, *tap)]
    return out


@pytest.mark.parametrize(
    ("kernel", "strides", "pads", "dilations", "groups"),
    [
        ((3,), (1,), [(0, 0)], (1,), 1),
        ((3,), (2,), [(2, 1)], (2,), 1),
        ((3, 2), (2, 1), [(1, 1), (2, 2)], (1, 2), 1),
        ((2, 3), (1, 3), [(0, 1), (2, 0)], (2, 1), 2),
        ((2, 2, 3), (1, 2, 1), [(1, 0), (0, 0), (0, 2)], (1, 1, 1), 1),
    ],
)
def test_convolution_is_the_sum(kernel, strides, pads, dilations, groups):
    x = RNG.random((2, 4, *(7, 6, 5)[: len(kernel)]))
    weight, bias = RNG.random((6, 4 // groups, *kernel)), RNG.random(6)
    expected = correlate(x, weight, strides, pads, dilations, groups)
    given = {"pad_type": "custom", "pad": tuple(itertools.chain(*pads)), "strides": strides, "dilations": dilations}
    x, weight = torch.from_numpy(x), torch.from_numpy(weight)
    found = op("conv", x=x, weight=weight, groups=groups, **given)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    found = op("conv", x=x, weight=weight, groups=groups, bias=torch.from_numpy(bias), **given)
    np.testing.assert_allclose(found.numpy(), expected + bias.reshape(-1, *[1] * len(kernel)), atol=1e-12)


def test_a_convolution_of_which_nothing_is_said_has_no_padding_and_goes_by_one():
    assert op("conv", x=row(1, 2, 3, 4), weight=row(1, 10)).tolist() == [[[21, 32, 43]]]
    assert op("conv", x=row(1, 2, 3, 4), weight=row(1, 10), pad=(1, 1)).tolist() == [[[21, 32, 43]]]
    assert op("conv", x=row(1, 2), weight=row(1), pad_type="custom").tolist() == [[[1, 2]]]


@pytest.mark.parametrize(
    ("stride", "dilation", "same", "lower"),
    [
        (1, 1, [210, 321, 432, 543, 54], [210, 321, 432, 543, 54]),
        (2, 1, [210, 432, 54], [210, 432, 54]),
        (3, 1, [321, 54], [210, 543]),  # two windows need six elements: the odd one goes after, or before
        (1, 2, [310, 420, 531, 42, 53], [310, 420, 531, 42, 53]),
    ],
)
def test_same_padding_gives_as_many_outputs_as_strides_fit(stride, dilation, same, lower):
    for pad_type, expected in (("same", same), ("same_lower", lower)):
        given = {"pad_type": pad_type, "strides": (stride,), "dilations": (dilation,)}
        found = op("conv", x=row(1, 2, 3, 4, 5), weight=row(1, 10, 100), **given)
        assert found[0, 0].tolist() == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [1, 10, 102, 20, 200]),
        ({"pad": (1, 1)}, [1, 10, 102, 20, 200]),  # valid: pad does not count
        ({"pad_type": "custom", "pad": (1, 0)}, [10, 102, 20, 200]),
        ({"pad_type": "custom", "pad": (1, 2)}, [10, 102]),
        ({"pad_type": "custom"}, [1, 10, 102, 20, 200]),
        ({"pad_type": "same"}, [1, 10, 102, 20]),  # an odd element is cut after
        ({"output_shape": (1, 1, 6)}, [1, 10, 102, 20, 200, 0]),
        ({"output_shape": (1, 1, 3)}, [1, 10, 102]),
        ({"pad_type": "custom", "pad": (2, 0), "output_shape": (1, 1, 4)}, [102, 20, 200, 0]),
        ({"strides": (1,)}, [1, 12, 120, 200]),
        ({"strides": (1,), "pad_type": "same"}, [12, 120]),
        ({"strides": (1,), "dilations": (2,)}, [1, 2, 10, 20, 100, 200]),
        ({"bias": torch.tensor([0.5], dtype=torch.float64)}, [1.5, 10.5, 102.5, 20.5, 200.5]),
    ],
)
def test_transposed_convolution_by_hand(given, expected):
    found = op("conv_transpose", x=row(1, 2), weight=row(1, 10, 100), **{"strides": (2,)} | given)
    assert found[0, 0].tolist() == expected


def test_a_transposed_convolution_of_same_padding_is_as_long_as_the_strides_say():
    found = op("conv_transpose", x=row(1, 2, 3), weight=row(1, 10, 100), strides=(2,), pad_type="same")
    assert found[0, 0].tolist() == [1, 10, 102, 20, 203, 30]


def test_transposed_convolution_of_nothing_said_and_of_groups_and_planes():
    assert op("conv_transpose", x=row(1, 2), weight=row(1, 10)).tolist() == [[[1, 12, 20]]]
    two = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])  # 1x2x2
    weight = torch.tensor([[[1.0]], [[10.0]]])
    assert op("conv_transpose", x=two, weight=weight).tolist() == [[[31, 42]]]
    assert op("conv_transpose", x=two, weight=weight, groups=2).tolist() == [[[1, 2], [30, 40]]]
    plane = torch.tensor([[[[1.0, 2.0]]]])  # 1x1x1x2
    kernel = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]])
    found = op("conv_transpose", x=plane, weight=kernel, pad_type="custom", pad=(1, 0, 0, 1))
    assert found.tolist() == [[[[100, 1200]]]]
    cube = op("conv_transpose", x=torch.ones(1, 1, 1, 1, 2), weight=torch.ones(1, 1, 1, 1, 2))
    assert cube.tolist() == [[[[[1, 2, 1]]]]]


def test_what_mil_does_not_define_of_windows_is_refused():
    with pytest.raises(InputError, match="kernel of at least the stride"):
        op("conv_transpose", x=row(1, 2), weight=row(1, 10), pad_type="same", strides=(3,))
    assert op("conv_transpose", x=row(1, 2), weight=row(1, 10), pad_type="same", strides=(2,)).shape == (1, 1, 4)
    with pytest.raises(InputError, match="pad_type: expected valid, custom or same, found same_lower"):
        op("conv_transpose", x=row(1, 2), weight=row(1, 10), pad_type="same_lower")
    with pytest.raises(InputError, match="pad: expected 2 values, found 4"):
        op("conv", x=row(1, 2), weight=row(1), pad_type="custom", pad=(0, 0, 0, 0))
    with pytest.raises(InputError, match="pad_type: expected valid, custom, same or same_lower, found full"):
        op("max_pool", x=row(1, 2), kernel_sizes=(2,), pad_type="full")


@pytest.mark.parametrize(
    ("size", "given", "largest", "mean", "mean_of_own"),
    [
        (5, {}, [3, 4, 5], [2, 3, 4], [2, 3, 4]),
        (6, {"strides": (3,)}, [3, 6], [2, 5], [2, 5]),
        (7, {"strides": (3,)}, [3, 6], [2, 5], [2, 5]),
        (7, {"strides": (3,), "ceil_mode": True}, [3, 6, 7], [2, 5, 7], [2, 5, 7]),
        (6, {"strides": (3,), "ceil_mode": True}, [3, 6], [2, 5], [2, 5]),
        (6, {"strides": (2,), "pad": (1, 1)}, [2, 4, 6], [1, 3, 5], [1.5, 3, 5]),
        (4, {"strides": (2,), "pad": (0, 2)}, [3, 4], [2, 7 / 3], [2, 3.5]),
        # the last window would start in the padding after the input: it is left out
        (4, {"strides": (2,), "pad": (0, 2), "ceil_mode": True}, [3, 4], [2, 7 / 3], [2, 3.5]),
        (6, {"strides": (4,), "pad": (1, 1), "ceil_mode": True}, [2, 6], [1, 5], [1.5, 5]),
        (7, {"strides": (4,), "pad": (1, 1), "ceil_mode": True}, [2, 6], [1, 5], [1.5, 5]),
        # the padding counts, what the mode adds after it does not
        (8, {"strides": (4,), "pad": (1, 1), "ceil_mode": True}, [2, 6, 8], [1, 5, 4], [1.5, 5, 8]),
    ],
)
def test_pooling_by_hand(size, given, largest, mean, mean_of_own):
    shared = {"x": row(*range(1, size + 1)), "kernel_sizes": (3,), "pad_type": "custom"} | given
    assert op("max_pool", **shared)[0, 0].tolist() == largest
    np.testing.assert_allclose(op("avg_pool", **shared)[0, 0].numpy(), mean)
    np.testing.assert_allclose(op("avg_pool", **shared, exclude_padding_from_average=True)[0, 0].numpy(), mean_of_own)


def test_padding_is_never_the_largest():
    found = op("max_pool", x=-row(1, 2, 3, 4, 5), kernel_sizes=(3,), pad_type="same", strides=(2,))
    assert found[0, 0].tolist() == [-1, -2, -4]


def test_pooling_by_same_padding_and_of_planes():
    x = row(1, 2, 3, 4)
    assert op("max_pool", x=x, kernel_sizes=(2,), pad_type="same")[0, 0].tolist() == [2, 3, 4, 4]
    assert op("max_pool", x=x, kernel_sizes=(2,), pad_type="same_lower")[0, 0].tolist() == [1, 2, 3, 4]
    assert op("avg_pool", x=x, kernel_sizes=(2,), pad_type="same")[0, 0].tolist() == [1.5, 2.5, 3.5, 2]
    assert op("avg_pool", x=x, kernel_sizes=(2,), pad_type="valid")[0, 0].tolist() == [1.5, 2.5, 3.5]
    plane = torch.arange(12, dtype=torch.float64).reshape(1, 1, 3, 4)
    found = op("max_pool", x=plane, kernel_sizes=(1, 2), pad_type="custom", pad=(1, 0, 0, 2), strides=(2, 3))
    assert found.tolist() == [[[[float("-inf")] * 2, [5, 7]]]]
    found = op("avg_pool", x=plane, kernel_sizes=(2, 1), pad_type="valid", strides=(1, 3))
    assert found.tolist() == [[[[2, 5], [6, 9]]]]
    cube = torch.arange(8, dtype=torch.float64).reshape(1, 1, 2, 2, 2)
    assert op("max_pool", x=cube, kernel_sizes=(2, 2, 1), pad_type="valid").tolist() == [[[[[6, 7]]]]]
    assert op("avg_pool", x=cube, kernel_sizes=(1, 2, 2), pad_type="valid").tolist() == [[[[[1.5]], [[5.5]]]]]
