"""MIL operations one by one, against NumPy or torch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.mil.dtypes import unpack_bits
from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.reference.errors import InputError

X = torch.rand(2, 3, 7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def op(name: str, **arguments: object) -> Tensor:
    """One operation's single output."""
    result = OPERATIONS[name](**arguments)
    assert isinstance(result, Tensor)
    return result


@pytest.mark.parametrize(
    ("begin", "end", "stride", "begin_mask", "end_mask", "index"),
    [
        (1, 5, 1, 0, 0, slice(1, 5)),
        (-4, -1, 2, 0, 0, slice(-4, -1, 2)),
        (0, 0, 3, 1, 1, slice(None, None, 3)),
        (0, 0, -1, 1, 1, slice(None, None, -1)),
        (5, 1, -2, 0, 0, slice(5, 1, -2)),
        (-2, 0, -1, 0, 1, slice(-2, None, -1)),
    ],
)
def test_slices_as_numpy(begin, end, stride, begin_mask, end_mask, index):
    found = op(
        "slice_by_index",
        x=X,
        begin=(0, 0, begin, 0),
        end=(0, 0, end, 0),
        stride=(1, 1, stride, 1),
        begin_mask=(1, 1, begin_mask, 1),
        end_mask=(1, 1, end_mask, 1),
    )
    np.testing.assert_array_equal(found.numpy(), X.numpy()[:, :, index])


def test_squeezed_axes_are_indexed():
    found = op("slice_by_index", x=X, begin=(1, 0, 0, -1), end=(0, 3, 7, 0), squeeze_mask=(1, 0, 0, 1))
    np.testing.assert_array_equal(found.numpy(), X.numpy()[1, :, :, -1])


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("factor", [2, 4])
def test_upsample_bilinear_as_torch(align_corners, factor):
    found = op(
        "upsample_bilinear",
        x=X,
        scale_factor_height=factor,
        scale_factor_width=factor,
        align_corners=align_corners,
    )
    expected = F.interpolate(X, scale_factor=factor, mode="bilinear", align_corners=align_corners)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


# Grid points from MIL's own documentation of resize_bilinear, input [0, 1], 5 outputs.
@pytest.mark.parametrize(
    ("mode", "points"),
    [
        ("UNALIGN_CORNERS", [0.0, 0.1, 0.5, 0.9, 1.0]),
        ("STRICT_ALIGN_CORNERS", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("ALIGN_CORNERS", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("DEFAULT", [0.0, 0.4, 0.8, 1.0, 1.0]),
        ("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9]),
    ],
)
def test_resize_bilinear_grid_points_as_documented(mode, points):
    ramp = torch.tensor([[[0.0, 1.0]]], dtype=torch.float64)  # 1x1x2
    found = op("resize_bilinear", x=ramp, target_size_height=1, target_size_width=5, sampling_mode=mode)
    np.testing.assert_allclose(found.numpy().ravel(), points, atol=1e-12)


def test_unknown_sampling_mode_lists_the_valid_ones():
    with pytest.raises(InputError, match=r"UNALIGN_CORNERS.*found CUBIC"):
        op("resize_bilinear", x=X, target_size_height=9, target_size_width=9, sampling_mode="CUBIC")


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_pooling_as_torch(ceil_mode, padding):
    shared = {"kernel_sizes": (3, 3), "strides": (2, 2), "pad_type": "custom", "pad": (padding,) * 4}
    found = op("max_pool", x=X, ceil_mode=ceil_mode, **shared)
    torch.testing.assert_close(found, F.max_pool2d(X, 3, 2, padding, ceil_mode=ceil_mode))
    for exclude in (False, True):
        found = op("avg_pool", x=X, ceil_mode=ceil_mode, exclude_padding_from_average=exclude, **shared)
        expected = F.avg_pool2d(X, 3, 2, padding, ceil_mode=ceil_mode, count_include_pad=not exclude)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("pad_type", "before"), [("same", 0), ("same_lower", 1)])
def test_same_padding_puts_the_odd_element_where_documented(pad_type, before):
    weight = torch.rand(4, 3, 2, 2, dtype=torch.float64)
    found = op("conv", x=X, weight=weight, pad_type=pad_type)
    padded = F.pad(X, (before, 1 - before, before, 1 - before))
    torch.testing.assert_close(found, F.conv2d(padded, weight))


@pytest.mark.parametrize("output_padding", [0, 1])
def test_transposed_convolution_with_a_given_output_shape(output_padding):
    weight, bias = torch.rand(3, 5, 3, 3, dtype=torch.float64), torch.rand(5, dtype=torch.float64)
    expected = F.conv_transpose2d(X, weight, bias, 2, 1, output_padding)
    shape = tuple(expected.shape)
    found = op(
        "conv_transpose",
        x=X,
        weight=weight,
        bias=bias,
        strides=(2, 2),
        pad_type="custom",
        pad=(1,) * 4,
        output_shape=shape,
    )
    torch.testing.assert_close(found, expected)


def test_inverse_adds_its_epsilon():
    assert float(op("inverse", x=torch.tensor(0.0), epsilon=0.5)) == 2.0


def test_interleaved_concat_as_documented():
    values = [torch.tensor([[1, 2], [3, 4]]), torch.tensor([[7, 8], [9, 10]])]
    assert op("concat", values=values, axis=0, interleave=True).tolist() == [[1, 2], [7, 8], [3, 4], [9, 10]]


@pytest.mark.parametrize(("exclusive", "reverse", "expected"), [(True, False, [0, 1, 3]), (True, True, [5, 3, 0])])
def test_cumsum(exclusive, reverse, expected):
    x = torch.tensor([1, 2, 3])
    assert op("cumsum", x=x, axis=0, exclusive=exclusive, reverse=reverse).tolist() == expected


def test_cast_refuses_what_the_type_cannot_hold():
    assert op("cast", x=torch.tensor([-1.7, 1.7]), dtype="int8", compute=torch.float32).tolist() == [-1, 1]
    with pytest.raises(InputError, match=r"0\.\.255 for uint8"):
        op("cast", x=torch.tensor([256.0]), dtype="uint8", compute=torch.float32)


def test_packed_bits_as_documented():
    # constexpr_lut_to_dense's example: 2 bits, five indices 0, 3, 2, 1, 3, least significant first
    packed = np.array([0b01_10_11_00, 0b11], np.uint8)
    assert unpack_bits(packed, 5, 2, signed=False).tolist() == [0, 3, 2, 1, 3]
    assert unpack_bits(packed, 5, 2, signed=True).tolist() == [0, -1, -2, 1, -1]


def test_grouped_table_as_documented():
    indices = torch.tensor([[2, 3], [3, 0], [1, 0], [3, 0], [2, 1], [0, 3]], dtype=torch.uint8)
    lut = torch.tensor([1.0, 5.0, 9.0, 13.0, 2.0, 10.0, 18.0, 26.0]).reshape(2, 1, 4, 1)
    found = op("constexpr_lut_to_dense", indices=indices, lut=lut)
    assert found.tolist() == [[9, 13], [13, 1], [5, 1], [26, 2], [18, 10], [2, 26]]


def test_sparse_weights():
    mask = torch.tensor([0b01100], dtype=torch.uint8)
    dense = op("constexpr_sparse_to_dense", nonzero_data=torch.tensor([7.0, 8.0]), mask=mask, shape=(5,))
    assert dense.tolist() == [0, 0, 7, 8, 0]


def test_blockwise_scale_and_offset():
    data = torch.tensor([[10, 11, 3, 4]], dtype=torch.int8)
    scale, offset = torch.tensor([[0.5, 2.0]]), torch.tensor([[1, 2]], dtype=torch.int8)
    found = op("constexpr_blockwise_shift_scale", data=data, scale=scale, offset=offset, compute=torch.float32)
    assert found.tolist() == [[4.5, 5.0, 2.0, 4.0]]
