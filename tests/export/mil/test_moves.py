"""MIL's operations that move, resize or decode elements, against values by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.export.mil.dtypes import unpack_bits
from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.reference.errors import InputError

X = torch.arange(24).reshape(2, 3, 4)


def op(name: str, **arguments: object) -> Tensor:
    """One operation's single output."""
    result = OPERATIONS[name](**arguments)
    assert isinstance(result, Tensor)
    return result


def ramp(*values: float) -> Tensor:
    """1xN."""
    return torch.tensor([list(values)], dtype=torch.float64)


def test_joining_along_an_axis_and_along_a_new_one():
    a, b = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5, 6], [7, 8]])
    assert op("concat", values=[a, b], axis=0).tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert op("concat", values=[a, b], axis=-1).tolist() == [[1, 2, 5, 6], [3, 4, 7, 8]]
    assert op("concat", values=[a, b], axis=-1, interleave=True).tolist() == [[1, 5, 2, 6], [3, 7, 4, 8]]
    assert op("stack", values=[a, b], axis=1).tolist() == [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]


def test_cutting_into_parts():
    x = torch.tensor([[1, 2, 3, 4, 5, 6]])
    split = OPERATIONS["split"]
    assert [p.tolist() for p in split(x=x, axis=1, num_splits=3)] == [[[1, 2]], [[3, 4]], [[5, 6]]]
    assert [p.tolist() for p in split(x=x, axis=1, split_sizes=(1, 5))] == [[[1]], [[2, 3, 4, 5, 6]]]
    assert [p.tolist() for p in split(x=x, axis=1, num_splits=2, split_sizes=(4, 2))] == [[[1, 2, 3, 4]], [[5, 6]]]
    for wrong in (4, None):
        with pytest.raises(InputError, match=rf"split: expected parts that divide 6 evenly, found {wrong}"):
            split(x=x, axis=1, num_splits=wrong)


def test_slices_of_a_given_size():
    assert op("slice_by_size", x=X, begin=(1, 0, 2), size=(1, 2, 2)).tolist() == [[[14, 15], [18, 19]]]
    assert op("slice_by_size", x=X, begin=(1, 1, 2), size=(-1, -1, -1)).tolist() == [[[18, 19], [22, 23]]]


def test_slices_that_run_backwards_on_two_axes():
    found = op("slice_by_index", x=X, begin=(1, 2, 3), end=(2, 0, 0), stride=(1, -1, -2))
    np.testing.assert_array_equal(found.numpy(), X.numpy()[1:2, 2:0:-1, 3:0:-2])
    found = op("slice_by_index", x=X, begin=(0, 1, 0), end=(2, 3, 4))
    np.testing.assert_array_equal(found.numpy(), X.numpy()[:, 1:3])


def test_padding_of_the_last_axes():
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert op("pad", x=x, pad=(1, 2)).tolist() == [[0, 1, 2, 3, 0, 0], [0, 4, 5, 6, 0, 0]]
    found = op("pad", x=x, pad=(1, 0, 0, 1), constant_val=9.0)
    assert found.tolist() == [[9, 9, 9, 9], [1, 2, 3, 9], [4, 5, 6, 9]]
    found = op("pad", x=x, pad=(0, 1, 0, 0), constant_val=9.0)  # the last axis stays
    assert found.tolist() == [[1, 2, 3], [4, 5, 6], [9, 9, 9]]
    assert op("pad", x=x, pad=(0, 0, 2, 1), mode="reflect").tolist() == [[3, 2, 1, 2, 3, 2], [6, 5, 4, 5, 6, 5]]
    assert op("pad", x=x, pad=(1, 2), mode="replicate").tolist() == [[1, 1, 2, 3, 3, 3], [4, 4, 5, 6, 6, 6]]
    assert op("pad", x=x, pad=(0, 0, 0, 0)) is x
    with pytest.raises(InputError, match="pad: expected mode constant, reflect or replicate, found wrap"):
        op("pad", x=x, pad=(1, 1), mode="wrap")


def test_crops_by_what_is_cut_off():
    x = torch.arange(30).reshape(1, 5, 6)
    assert op("crop", x=x, crop_height=(1, 2), crop_width=(3, 1)).tolist() == [[[9, 10], [15, 16]]]
    assert op("crop", x=x, crop_height=(0, 4), crop_width=(5, 0)).tolist() == [[[5]]]


def test_new_shapes():
    assert op("reshape", x=X, shape=(0, -1)).shape == (2, 12)
    assert op("reshape", x=X, shape=(4, 0, 2)).shape == (4, 3, 2)
    assert op("transpose", x=X, perm=(2, 0, 1)).shape == (4, 2, 3)
    assert op("expand_dims", x=X, axes=(0, -1)).shape == (1, 2, 3, 4, 1)
    assert op("expand_dims", x=X, axes=(3, 1)).shape == (2, 1, 3, 1, 4)
    wide = X.reshape(1, 2, 1, 3, 4)
    assert op("squeeze", x=wide).shape == (2, 3, 4)
    assert op("squeeze", x=wide, axes=(2,)).shape == (1, 2, 3, 4)
    assert op("shape", x=X).tolist() == [2, 3, 4]
    assert op("shape", x=X).dtype == torch.int32


def test_reversing_and_repeating():
    x = torch.tensor([[1, 2], [3, 4]])
    assert op("reverse", x=x).tolist() == [[4, 3], [2, 1]]
    assert op("reverse", x=x, axes=(0,)).tolist() == [[3, 4], [1, 2]]
    assert op("tile", x=x, reps=(1, 2)).tolist() == [[1, 2, 1, 2], [3, 4, 3, 4]]


def test_gathering_by_index():
    x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    assert op("gather", x=x, indices=torch.tensor([1, 0, -1])).tolist() == [[4, 5, 6], [1, 2, 3], [4, 5, 6]]
    found = op("gather", x=x, indices=torch.tensor([[0, -1], [-3, 1]]), axis=-1)
    assert found.tolist() == [[[1, 3], [1, 2]], [[4, 6], [4, 5]]]
    assert op("gather", x=x, indices=torch.tensor(2), axis=1).tolist() == [3, 6]
    with pytest.raises(InputError, match="gather: expected batch_dims 0, found 1"):
        op("gather", x=x, indices=torch.tensor([[0], [1]]), batch_dims=1)


def test_pixels_to_channels_and_back():
    x = torch.arange(4).reshape(1, 4, 1, 1)
    assert op("pixel_shuffle", x=x, upscale_factor=2).tolist() == [[[[0, 1], [2, 3]]]]
    assert op("pixel_unshuffle", x=x.reshape(1, 1, 2, 2), downscale_factor=2).tolist() == x.tolist()


def test_tensors_of_one_value_and_ranges():
    seven = torch.tensor(7)
    assert op("fill", shape=(2, 2), value=seven).tolist() == [[7, 7], [7, 7]]
    assert op("fill_like", ref_tensor=X[0], value=seven).tolist() == [[7] * 4] * 3
    found = op("range_1d", start=torch.tensor(1.5), end=torch.tensor(3.0), step=torch.tensor(0.5))
    assert (found.dtype, found.tolist()) == (torch.float32, [1.5, 2.0, 2.5])


def test_nearest_neighbours_by_hand():
    x = torch.tensor([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]])
    found = op("upsample_nearest_neighbor", x=x, scale_factor_height=2, scale_factor_width=1.5)
    assert found.tolist() == [[0, 0, 1, 2], [0, 0, 1, 2], [10, 10, 11, 12], [10, 10, 11, 12]]
    assert op("upsample_nearest_neighbor", x=x).tolist() == x.tolist()
    five = torch.arange(5).reshape(1, 5)
    found = op("resize_nearest_neighbor", x=five, target_size_height=2, target_size_width=3)
    assert found.tolist() == [[0, 1, 3], [0, 1, 3]]


def test_bilinear_of_unequal_factors_and_of_corners_of_pixels():
    x = ramp(0, 4)
    found = op("upsample_bilinear", x=x, scale_factor_width=2.9)  # floor(2 x 2.9) = 5, corners on corners
    np.testing.assert_allclose(found.numpy(), [[0, 1, 2, 3, 4]])
    found = op("upsample_bilinear", x=x, scale_factor_width=2, align_corners=False, half_pixel_centers=False)
    np.testing.assert_allclose(found.numpy(), [[0, 2, 4, 4]])
    found = op("upsample_bilinear", x=x.T, scale_factor_height=2, align_corners=False)
    np.testing.assert_allclose(found.numpy(), [[0], [1], [3], [4]])
    assert op("upsample_bilinear", x=x).tolist() == x.tolist()
    with pytest.raises(InputError, match="expected align_corners or half_pixel_centers, found both"):
        op("upsample_bilinear", x=x, align_corners=True, half_pixel_centers=True)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (1, 2, 3, 5)])
@pytest.mark.parametrize(("down", "along"), [(2, 4), (4, 1), (2, 3), (1.5, 2)])
def test_half_pixels_by_every_factor(shape: tuple[int, ...], down: float, along: float) -> None:
    """Factors that are powers of 2 take another way than others; columns and rows are resized one by one here."""
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    factors = {"scale_factor_height": down, "scale_factor_width": along}
    found = op("upsample_bilinear", x=x, align_corners=False, **factors)
    expected = x.numpy()
    for axis, factor in ((-2, down), (-1, along)):
        n_in = expected.shape[axis]
        n_out = int(n_in * factor)
        at = ((np.arange(n_out) + 0.5) * n_in / n_out - 0.5).clip(0, n_in - 1)
        expected = np.apply_along_axis(lambda line, at=at: np.interp(at, np.arange(len(line)), line), axis, expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("mode", "one", "smaller", "of_one"),
    [
        ("STRICT_ALIGN_CORNERS", [0.0], [0, 3], [7, 7, 7]),
        ("ALIGN_CORNERS", [1.5], [0, 3], [7, 7, 7]),
        ("DEFAULT", [0.0], [0, 2], [7, 7, 7]),
        ("OFFSET_CORNERS", [1.5], [0.75, 2.25], [7, 7, 7]),
        ("UNALIGN_CORNERS", [1.5], [0.5, 2.5], [7, 7, 7]),
    ],
)
def test_resizing_to_fewer_elements_and_from_one(mode, one, smaller, of_one):
    for x, size, expected in ((ramp(0, 1, 2, 3), 1, one), (ramp(0, 1, 2, 3), 2, smaller), (ramp(7), 3, of_one)):
        given = {"target_size_height": 1, "sampling_mode": mode}
        found = op("resize_bilinear", x=x, target_size_width=size, **given)
        np.testing.assert_allclose(found.numpy(), [expected])
        down = op("resize_bilinear", x=x.T, target_size_height=size, target_size_width=1, sampling_mode=mode)
        np.testing.assert_allclose(down.numpy()[:, 0], expected)


def test_resizing_gives_one_element_where_no_size_is_named():
    assert op("resize_bilinear", x=torch.tensor([[5.0, 6.0], [7.0, 8.0]])).tolist() == [[5.0]]


def test_affine_weights_along_an_axis():
    q = torch.tensor([[-128, 127], [0, 1]], dtype=torch.int8)
    shared = {"quantized_data": q, "compute": torch.float64}
    one = {"zero_point": torch.tensor(2, dtype=torch.int8), "scale": torch.tensor(0.5)}
    found = op("constexpr_affine_dequantize", **shared, **one, axis=0)
    assert found.tolist() == [[-65, 62.5], [-1, -0.5]]
    many = {"zero_point": torch.tensor([0, 1], dtype=torch.int8), "scale": torch.tensor([0.5, 2.0])}
    rows = [[-64, 63.5], [-2, 0]]
    assert op("constexpr_affine_dequantize", **shared, **many, axis=0).tolist() == rows
    assert op("constexpr_affine_dequantize", **shared, **many, axis=-2).tolist() == rows
    assert op("constexpr_affine_dequantize", **shared, **many, axis=1).tolist() == [[-64, 252], [0, 0]]


def test_block_scales_that_do_not_divide_the_weights_are_refused():
    data = torch.tensor([[1, 2, 3]], dtype=torch.int8)
    shared = {"data": data, "compute": torch.float64}
    assert op("constexpr_blockwise_shift_scale", scale=torch.tensor([[0.5]]), **shared).tolist() == [[0.5, 1.0, 1.5]]
    with pytest.raises(InputError, match="compressed weights: expected blocks that divide 3 evenly, found 2 blocks"):
        op("constexpr_blockwise_shift_scale", scale=torch.tensor([[0.5, 2.0]]), **shared)


def test_tables_of_packed_indices_and_of_vectors():
    lut = torch.tensor([10.0, 20.0, 30.0, 40.0])  # two bits an index, least significant first
    packed = torch.tensor([0b01_10_11_00, 0b11], dtype=torch.uint8)
    found = op("constexpr_lut_to_dense", indices=packed, lut=lut, shape=(5, 1))
    assert found.tolist() == [[10], [40], [30], [20], [40]]
    indices = torch.zeros(2, 2, dtype=torch.uint8)
    for shape in ((1, 1, 4, 2), (1, 4, 1)):
        with pytest.raises(InputError, match="expected scalar entries, found vectors along axis 0"):
            op("constexpr_lut_to_dense", indices=indices, lut=torch.zeros(shape), vector_axis=0)


def test_sparse_weights_with_a_mask_that_is_not_packed():
    mask = torch.tensor([[0, 1], [1, 0]], dtype=torch.uint8)
    found = op("constexpr_sparse_to_dense", nonzero_data=torch.tensor([7.0, 8.0]), mask=mask)
    assert found.tolist() == [[0, 7], [8, 0]]


def test_a_constant_is_cast_to_single_precision_alone():
    half = torch.tensor([0.5, 2.0], dtype=torch.float16)
    found = op("constexpr_cast", source_val=half, output_dtype="fp32", compute=torch.float64)
    assert (found.dtype, found.tolist()) == (torch.float64, [0.5, 2.0])
    with pytest.raises(InputError, match="constexpr_cast: expected output_dtype fp32, found fp16"):
        op("constexpr_cast", source_val=half, output_dtype="fp16", compute=torch.float64)


def test_activations_in_eight_bits_there_and_back():
    x = torch.tensor([[-100.0, -0.75, 0.25, 0.75], [1.0, 2.0, 3.0, 100.0]], dtype=torch.float64)
    shared = {"compute": torch.float64, "scale": torch.tensor(0.5)}
    found = op("quantize", input=x, output_dtype="int8", **shared)
    assert (found.dtype, found.tolist()) == (torch.int8, [[-128, -2, 0, 2], [2, 4, 6, 127]])  # halves to even
    found = op("quantize", input=x, output_dtype="uint8", zero_point=torch.tensor(128, dtype=torch.uint8), **shared)
    assert (found.dtype, found.tolist()) == (torch.uint8, [[0, 126, 128, 130], [130, 132, 134, 255]])
    levels = torch.tensor([[0, 126], [130, 255]], dtype=torch.uint8)
    found = op("dequantize", input=levels, zero_point=torch.tensor(128, dtype=torch.uint8), **shared)
    assert found.tolist() == [[-64, -1], [1, 63.5]]
    assert op("dequantize", input=levels, **shared).tolist() == [[0, 63], [65, 127.5]]
    with pytest.raises(InputError, match="quantize: expected output_dtype int8 or uint8, found int4"):
        op("quantize", input=x, output_dtype="int4", **shared)


def test_activations_in_eight_bits_with_a_scale_for_each_row_or_column():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    many = {"scale": torch.tensor([1.0, 0.5]), "zero_point": torch.tensor([0, 1], dtype=torch.int8)}
    many["compute"] = torch.float64
    rows, columns = [[1, 2], [7, 9]], [[1, 5], [3, 9]]
    assert op("quantize", input=x, output_dtype="int8", **many).tolist() == rows
    assert op("quantize", input=x, output_dtype="int8", axis=1, **many).tolist() == columns
    assert op("dequantize", input=torch.tensor(rows, dtype=torch.int8), **many).tolist() == x.tolist()
    assert op("dequantize", input=torch.tensor(columns, dtype=torch.int8), axis=-1, **many).tolist() == x.tolist()


def test_signed_bits_are_twos_complement():
    packed = np.array([0b1000_0111, 0b1111_0000], np.uint8)
    assert unpack_bits(packed, 4, 4, signed=True).tolist() == [7, -8, 0, -1]
    assert unpack_bits(packed, 4, 4, signed=False).tolist() == [7, 8, 0, 15]
    assert unpack_bits(packed, 4, 4, signed=True).dtype == np.int8
    assert unpack_bits(packed, 3, 3, signed=False).tolist() == [7, 0, 2]
