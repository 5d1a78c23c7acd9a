"""Programs written operation by operation: what each is given, and what it must give, is held to what they declare."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.export.mil.dtypes import DataType
from portraiture.export.mil.features import to_array, to_tensor
from portraiture.export.mil.interpreter import MilProgram, Precision
from portraiture.export.mil.ops.table import CHOOSE, OPERATIONS
from portraiture.export.mil.package import ArrayFeature, ColourSpace, ImageFeature, Package, TensorType, proto
from portraiture.reference.errors import InputError

Sizes = tuple[int | None, ...]

X = (torch.rand(1, 2, 4, 4, generator=torch.Generator().manual_seed(0)) * 8 - 4).half().float()
"""Binary16 values."""


class Program:
    """A program by hand.

    Args:
        inputs: shape of each float32 input.
    """

    def __init__(self, dtype: str = "FLOAT32", **inputs: Sizes) -> None:
        self.block = proto().MIL_pb2.Block()
        self.inputs = {n: ArrayFeature(n, TensorType(DataType[dtype], s)) for n, s in inputs.items()}

    def const(self, name: str, dtype: str, values: list[Any], *sizes: int) -> str:
        """A named constant."""
        operation = self.block.operations.add(type="const")
        operation.outputs.add(name=name)
        self.fill(operation.attributes["val"], dtype, values, sizes)
        return name

    def fill(self, value: Any, dtype: str, values: list[Any], sizes: Sizes) -> None:
        """Write a constant's type and values."""
        self.declare(value.type, dtype, sizes)
        field = {"FLOAT32": "floats", "INT32": "ints", "BOOL": "bools", "STRING": "strings"}.get(dtype)
        if field:
            getattr(value.immediateValue.tensor, field).values.extend(values)
        else:
            value.immediateValue.tensor.bytes.values = bytes(values)

    def declare(self, kind: Any, dtype: str, sizes: Sizes) -> None:
        """Write a tensor's type; None leaves a size open."""
        kind.tensorType.dataType, kind.tensorType.rank = DataType[dtype].value, len(sizes)
        for size in sizes:
            dimension = kind.tensorType.dimensions.add()
            if size is None:
                dimension.unknown.variadic = False
            else:
                dimension.constant.size = size

    def add(self, kind: str, out: dict[str, tuple[str, Sizes]], **arguments: str | list[str]) -> Any:
        """An operation: its outputs' types and shapes by name, and the names of its arguments."""
        operation = self.block.operations.add(type=kind)
        for name, (dtype, sizes) in out.items():
            self.declare(operation.outputs.add(name=name).type, dtype, sizes)
        for parameter, names in arguments.items():
            for name in [names] if isinstance(names, str) else names:
                operation.inputs[parameter].arguments.add(name=name)
        return operation

    def load(self, *outputs: str, precision: Precision = Precision.FLOAT32) -> MilProgram:
        """Prepare it; the outputs are arrays."""
        features = {n: ArrayFeature(n, TensorType(DataType.FLOAT32, ())) for n in outputs}
        return MilProgram(Package(Path("m.mlmodel"), self.inputs, features, self.block), precision)

    def run(self, *outputs: str, precision: Precision = Precision.FLOAT32, **feeds: Any) -> Any:
        """The outputs of a run, the one where there is one."""
        given = {n: np.asarray(v, np.float32) for n, v in feeds.items()}
        found = self.load(*outputs, precision=precision).run(given)
        assert list(found) == list(outputs)
        return found[outputs[0]] if len(outputs) == 1 else tuple(found.values())


FLOATS = ("FLOAT32", (2,))


def test_a_value_may_be_read_often_and_an_output_be_read_on() -> None:
    program = Program(x=(2,))
    program.add("add", {"double": FLOATS}, x="x", y="x")
    program.add("mul", {"square": FLOATS}, x="double", y="x")
    program.add("sub", {"rest": FLOATS}, x="square", y="double")
    double, rest, x = program.run("double", "rest", "x", x=[1, 3])
    assert (double.tolist(), rest.tolist(), x.tolist()) == ([2, 6], [0, 12], [1, 3])
    assert program.load("rest").op_counts() == {"add": 1, "mul": 1, "sub": 1}


def test_a_constant_may_be_an_output_and_is_counted_as_no_operation() -> None:
    program = Program(x=(2,))
    program.const("two", "FLOAT32", [2, 4], 2)
    program.add("add", {"y": FLOATS}, x="x", y="two")
    two, y = program.run("two", "y", x=[1, 3])
    assert (two.tolist(), y.tolist()) == ([2, 4], [3, 7])
    assert program.load("y").op_counts() == {"add": 1}
    assert program.run("two", x=[1, 3]).tolist() == [2, 4]


def test_values_written_in_place_and_as_attributes() -> None:
    program = Program(x=(2,))
    operation = program.add("concat", {"y": ("FLOAT32", (3,))}, values=["x"])
    program.fill(operation.inputs["values"].arguments.add().value, "FLOAT32", [9], (1,))
    program.fill(operation.inputs["axis"].arguments.add().value, "INT32", [0], ())
    program.fill(operation.attributes["name"], "STRING", ["joined"], ())  # an operation's own name is no parameter
    scale = program.add("constexpr_affine_dequantize", {"w": ("FLOAT32", (2,))})
    for name, dtype, values, sizes in (("quantized_data", "INT8", [3, 255], (2,)), ("zero_point", "INT8", [1], ()),
                                       ("scale", "FLOAT32", [0.5], ()), ("axis", "INT32", [0], ())):  # fmt: skip
        program.fill(scale.attributes[name], dtype, values, sizes)
    y, w = program.run("y", "w", x=[1, 3])
    assert (y.tolist(), w.tolist()) == ([1, 3, 9], [1, -1])
    assert program.load("y").op_counts() == {"concat": 1, "constexpr_affine_dequantize": 1}


def test_a_setting_may_be_computed_when_the_program_runs() -> None:
    program = Program(x=(1, 2), y=(2, 1))
    program.add("shape", {"sizes": ("INT32", (2,))}, x="y")
    program.add("reshape", {"turned": ("FLOAT32", (2, 1))}, x="x", shape="sizes")
    assert program.run("turned", x=[[1, 3]], y=[[0], [0]]).tolist() == [[1], [3]]


def test_a_compressed_weight_is_of_constants_alone() -> None:
    program = Program(x=(2,))
    program.add("identity", {"q": FLOATS}, x="x")
    scale = program.add("constexpr_affine_dequantize", {"w": FLOATS}, quantized_data="q")
    for name in ("zero_point", "scale"):
        program.fill(scale.attributes[name], "FLOAT32", [1], ())
    program.fill(scale.attributes["axis"], "INT32", [0], ())
    with pytest.raises(InputError, match="expected constants only, found a value computed at run time"):
        program.load("w")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (("FLOAT32", (2,)), None),
        (("FLOAT32", (None,)), None),
        (("FLOAT32", (1,)), r"expected shape \(1,\) for y, found \(2,\)"),
        (("FLOAT32", (3,)), r"expected shape \(3,\) for y, found \(2,\)"),
        (("FLOAT32", (2, 1)), r"expected shape \(2, 1\) for y, found \(2,\)"),
        (("INT32", (2,)), r"expected torch\.int32 for y, found torch\.float32"),
        (("BOOL", (2,)), r"expected torch\.bool for y, found torch\.float32"),
    ],
)
def test_a_result_is_of_the_shape_and_the_type_that_is_declared(declared: tuple[str, Sizes], said: str | None) -> None:
    program = Program(x=(2,))
    program.add("identity", {"y": declared}, x="x")
    if said is None:
        assert program.run("y", x=[1, 3]).tolist() == [1, 3]
        return
    with pytest.raises(InputError, match=rf"m\.mlmodel: identity y: {said}"):
        program.run("y", x=[1, 3])


@pytest.mark.parametrize(("operation", "declared"), [("less", "INT32"), ("less", "FLOAT32"), ("reduce_argmax", "BOOL")])
def test_truth_values_are_no_numbers(operation: str, declared: str) -> None:
    program = Program(x=(2,))
    sizes: Sizes = () if operation == "reduce_argmax" else (2,)
    given = {"x": "x"} if operation == "reduce_argmax" else {"x": "x", "y": "x"}
    program.add(operation, {"y": (declared, sizes)}, **given)
    with pytest.raises(InputError, match=rf"expected torch\.\w+ for y, found torch\.{'' if sizes == () else 'bool'}"):
        program.run("y", x=[1, 3])


def test_integers_take_the_width_that_is_declared() -> None:
    program = Program(x=(2,))
    program.add("reduce_argmax", {"y": ("INT16", ())}, x="x")
    found = program.run("y", x=[1, 3])
    assert (found.dtype, found.tolist()) == (np.int16, 1)


def test_there_are_as_many_outputs_as_are_declared() -> None:
    for count, fits in ((1, False), (2, True), (3, False)):
        program = Program(x=(2,))
        program.const("parts", "INT32", [2])
        program.const("axis", "INT32", [0])
        out = {f"y{k}": ("FLOAT32", (1,)) for k in range(count)}
        program.add("split", out, x="x", num_splits="parts", axis="axis")
        if fits:
            assert [y.tolist() for y in program.run("y0", "y1", x=[1, 3])] == [[1], [3]]
            continue
        with pytest.raises(InputError, match=rf"split y0: expected {count} outputs, found 2"):
            program.run("y0", x=[1, 3])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": "x"}, "expected parameter alpha, beta, found none"),
        ({"x": "x", "alpha": "one", "beta": "one", "gamma": "one"}, "parameters among x, alpha, beta, found gamma"),
        ({"x": ["x", "x"], "alpha": "one", "beta": "one"}, "expected one value for x, found 2"),
        ({"x": "x", "alpha": ["one", "one"], "beta": "one"}, "expected one value for alpha, found 2"),
        ({"x": "x", "alpha": "text", "beta": "one"}, "alpha: expected numbers, found text"),
        ({"x": "x", "alpha": "one", "beta": "two"}, "beta: expected one number, found 2"),
        ({"x": "text", "alpha": "one", "beta": "one"}, "expected a tensor for text, found text"),
        ({"x": "later", "alpha": "one", "beta": "one"}, "expected later to be computed before it is read"),
        ({"x": "x", "alpha": "one", "beta": "one", "compute": "one"}, "among x, alpha, beta, found compute"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments: dict[str, Any], said: str) -> None:
    program = Program(x=(2,))
    program.const("one", "FLOAT32", [1])
    program.const("two", "FLOAT32", [1, 2], 2)
    program.const("text", "STRING", ["word"])
    program.add("clip", {"y": FLOATS}, **arguments)
    program.add("identity", {"later": FLOATS}, x="x")
    with pytest.raises(InputError, match=rf"m\.mlmodel: clip y.*{said}"):
        program.load("y")


def test_a_text_is_asked_for_by_name() -> None:
    program = Program(x=(2,))
    program.const("one", "FLOAT32", [1])
    program.add("gelu", {"y": FLOATS}, x="x", mode="one")
    with pytest.raises(InputError, match="gelu y: mode: expected text, found Tensor"):
        program.load("y")


@pytest.mark.parametrize(
    ("precision", "dtype", "expected"),
    [
        (Precision.FLOAT32, "FLOAT16", [0.1, 2049.0]),
        (Precision.FLOAT64, "FLOAT16", [0.1, 2049.0]),
        (Precision.DECLARED, "FLOAT16", [0.0999755859375, 2048.0]),  # 11 bits
        (Precision.DECLARED, "FLOAT32", [0.1, 2049.0]),
    ],
)
def test_half_precision_is_rounded_to_where_the_program_runs_as_declared(
    precision: Precision, dtype: str, expected: list[float]
) -> None:
    program = Program(x=(2,))
    program.add("identity", {"y": (dtype, (2,))}, x="x")
    found = program.run("y", precision=precision, x=[0.1, 2049])
    assert found.dtype == (np.float64 if precision is Precision.FLOAT64 else np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    as_input = Program(dtype, x=(2,))
    as_input.add("identity", {"y": FLOATS}, x="x")
    np.testing.assert_allclose(as_input.run("y", precision=precision, x=[0.1, 2049]), expected, rtol=1e-7)


@pytest.mark.parametrize("wide", ["x", "y"])
def test_what_a_wider_value_may_be_chosen_for_is_rounded(wide: str) -> None:
    program = Program("FLOAT32" if wide == "x" else "FLOAT16", x=(2,))
    if wide == "y":
        program.const("y", "FLOAT32", [0.1, 2049.0], 2)
        program.add("maximum", {"z": ("FLOAT16", (2,))}, x="x", y="y")
    else:
        program.add("concat", {"z": ("FLOAT16", (2,))}, values=["x"], axis=program.const("a", "INT32", [0]))
    given = [0.1, 2049] if wide == "x" else [0, 0]
    found = program.run("z", precision=Precision.DECLARED, x=given)
    np.testing.assert_allclose(found, [0.0999755859375, 2048.0], rtol=1e-7)


CHOSEN: dict[str, dict[str, Any]] = {
    "concat": {"values": [X, X], "axis": 0},
    "stack": {"values": [X, X], "axis": 0},
    "split": {"x": X, "axis": 1, "num_splits": 2},
    "slice_by_index": {"x": X, "begin": (0, 0, 1, 1), "end": (1, 2, 3, 4)},
    "slice_by_size": {"x": X, "begin": (0, 0, 1, 1), "size": (1, 1, 2, 2)},
    "pad": {"x": X, "pad": (1, 1), "constant_val": 0.5},
    "crop": {"x": X, "crop_height": (1, 0), "crop_width": (0, 1)},
    "reshape": {"x": X, "shape": (32,)},
    "transpose": {"x": X, "perm": (3, 2, 1, 0)},
    "expand_dims": {"x": X, "axes": (0,)},
    "squeeze": {"x": X},
    "reverse": {"x": X},
    "tile": {"x": X, "reps": (1, 1, 2, 1)},
    "gather": {"x": X, "indices": torch.tensor([0]), "axis": 1},
    "pixel_shuffle": {"x": X.reshape(1, 4, 4, 2), "upscale_factor": 2},
    "pixel_unshuffle": {"x": X, "downscale_factor": 2},
    "fill": {"shape": (2,), "value": X[0, 0, 0, 0]},
    "fill_like": {"ref_tensor": X, "value": X[0, 0, 0, 0]},
    "clip": {"x": X, "alpha": -0.5, "beta": 1.5},
    "threshold": {"x": X, "alpha": 0.5},
    "thresholded_relu": {"x": X, "alpha": 0.5},
    "maximum": {"x": X, "y": -X},
    "minimum": {"x": X, "y": -X},
    "select": {"cond": X > 0, "a": X, "b": -X},
    "max_pool": {"x": X, "kernel_sizes": (2, 2), "pad_type": "same", "strides": (1, 1)},
    "reduce_max": {"x": X},
    "reduce_min": {"x": X},
    "upsample_nearest_neighbor": {"x": X, "scale_factor_height": 2},
    "resize_nearest_neighbor": {"x": X, "target_size_height": 3, "target_size_width": 7},
    **{kind: {"x": X} for kind in ("identity", "abs", "sign", "relu", "relu6")},
}


def test_every_operation_that_chooses_has_a_case() -> None:
    assert set(CHOSEN) == CHOOSE


@pytest.mark.parametrize("kind", sorted(CHOSEN))
def test_what_is_chosen_of_binary16_values_is_one(kind: str) -> None:
    found = OPERATIONS[kind](**CHOSEN[kind])
    for value in found if isinstance(found, tuple) else (found,):
        assert torch.equal(value, value.half().float())


def test_an_observer_sees_each_output_in_order() -> None:
    program = Program(x=(2,))
    program.add("add", {"a": FLOATS}, x="x", y="x")
    program.add("mul", {"b": FLOATS}, x="a", y="a")
    seen: list[tuple[str, str, list[float]]] = []

    def observer(kind: str, name: str, tensor: Tensor) -> None:
        seen.append((kind, name, tensor.tolist()))

    program.load("b").run({"x": np.array([1, 3], np.float32)}, observer)
    assert seen == [("add", "a", [2, 6]), ("mul", "b", [4, 36])]


@pytest.mark.parametrize(
    ("shape", "value", "said"),
    [
        ((2, None), np.zeros((2, 5), np.float32), None),
        ((2, None), np.zeros((2, 5)), None),
        ((2, None), np.zeros((3, 5), np.float32), r"of shape \(3, 5\)"),
        ((2, None), np.zeros((1, 5), np.float32), r"of shape \(1, 5\)"),
        ((2, None), np.zeros((2, 5, 1), np.float32), r"of shape \(2, 5, 1\)"),
        ((2, None), np.zeros((2, 5), np.int32), "of type int32"),
        ((2, None), np.full((2, 5), np.inf, np.float32), "with NaN or infinite values"),
    ],
)
def test_feeds_are_held_to_the_sizes_that_the_file_fixes(shape: Sizes, value: np.ndarray, said: str | None) -> None:
    program = Program(x=shape)
    program.add("identity", {"y": ("FLOAT32", (None, None))}, x="x")
    loaded = program.load("y")
    if said is None:
        assert loaded.run({"x": value})["y"].shape == value.shape
        return
    with pytest.raises(InputError, match=rf"expected \[x: float32 array 2x\?\], found x {said}"):
        loaded.run({"x": value})


def test_integer_feeds_are_of_the_very_type() -> None:
    program = Program("INT32", x=(2,))
    program.add("identity", {"y": ("INT32", (2,))}, x="x")
    loaded = program.load("y")
    found = loaded.run({"x": np.array([1, 3], np.int32)})["y"]
    assert (found.dtype, found.tolist()) == (np.int32, [1, 3])
    with pytest.raises(InputError, match="found x of type int64"):
        loaded.run({"x": np.array([1, 3])})


def image(colour: ColourSpace) -> ImageFeature:
    channels = 3 if colour in (ColourSpace.RGB, ColourSpace.BGR) else 1
    return ImageFeature("i", TensorType(DataType.FLOAT32, (1, channels, 2, 3)), colour, 3, 2)


def test_pictures_of_each_colour_space_go_in_and_out() -> None:
    photo = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    for colour, first in ((ColourSpace.RGB, 0), (ColourSpace.BGR, 2)):
        tensor = to_tensor(image(colour), photo, torch.float64)
        assert (tensor.dtype, tuple(tensor.shape)) == (torch.float64, (1, 3, 2, 3))
        assert tensor[0, 0].tolist() == photo[..., first].tolist()
        np.testing.assert_array_equal(to_array(image(colour), tensor), photo)
    gray = to_tensor(image(ColourSpace.GRAYSCALE), photo[..., 0], torch.float32)
    assert (gray.dtype, tuple(gray.shape)) == (torch.float32, (1, 1, 2, 3))
    found = to_array(image(ColourSpace.GRAYSCALE), gray + 0.75)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, photo[..., 0] + 1)
    floats = to_array(image(ColourSpace.GRAYSCALE_FLOAT16), gray + 0.75)
    np.testing.assert_array_equal(floats, photo[..., 0] + np.float32(0.75))
    ends = torch.tensor([[[[-3.0, 0.5, 1.5], [254.5, 255.4, 300.0]]]])
    assert to_array(image(ColourSpace.GRAYSCALE), ends).tolist() == [[0, 0, 2], [254, 255, 255]]
    for bad in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="program output i: expected finite values for an 8-bit image"):
            to_array(image(ColourSpace.GRAYSCALE), torch.full((1, 1, 2, 3), bad))
    assert np.isinf(to_array(image(ColourSpace.GRAYSCALE_FLOAT16), torch.full((1, 1, 2, 3), float("inf")))).all()


@pytest.mark.parametrize(
    ("colour", "value", "said"),
    [
        (ColourSpace.RGB, np.zeros((2, 3), np.uint8), r"i: uint8 image 2x3x3 in R, G, B order\], found i of shape"),
        (ColourSpace.BGR, np.zeros((2, 3, 3), np.float32), r"uint8 image 2x3x3 in R, G, B order\], found i of type f"),
        (ColourSpace.GRAYSCALE, np.zeros((2, 3, 3), np.uint8), r"i: uint8 image 2x3\], found i of shape"),
        (ColourSpace.GRAYSCALE, np.zeros((3, 2), np.uint8), r"i: uint8 image 2x3\], found i of shape \(3, 2\)"),
        (ColourSpace.GRAYSCALE_FLOAT16, np.zeros((2, 3), np.uint8), r"i: float image 2x3\], found i of type uint8"),
        (ColourSpace.GRAYSCALE_FLOAT16, np.full((2, 3), np.nan), r"float image 2x3\], found i with NaN"),
    ],
)
def test_pictures_that_do_not_fit_are_named(colour: ColourSpace, value: np.ndarray, said: str) -> None:
    program = Program()
    program.inputs = {"i": image(colour)}
    channels = image(colour).type.shape[1]
    program.add("identity", {"y": ("FLOAT32", (1, channels, 2, 3))}, x="i")
    with pytest.raises(InputError, match=said):
        program.load("y").run({"i": value})
