"""Reader of an ``.mlpackage``: ``Manifest.json`` -> ``model.mlmodel`` -> a function, its inputs and outputs.

Only ``coremltools.proto`` is loaded, under a private name: ``import coremltools`` takes 3 s, this 0.04 s. Protobuf
returns one class for one message however often the generated module is loaded, so both may live in one process.
"""

import importlib.util
import os
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from portraiture.export.mil.dtypes import DataType
from portraiture.export.mil.faults import cannot_run, damaged
from portraiture.export.mil.weights import WeightFile
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json

_PROTO = "_portraiture_coremltools_proto"

_LONGEST = 255
"""Bytes of a path inside a package: no more than a single name may have."""


class ColourSpace(Enum):
    """Colour spaces of image inputs and outputs; values as in ``FeatureTypes.proto``."""

    GRAYSCALE = 10
    RGB = 20
    BGR = 30
    GRAYSCALE_FLOAT16 = 40


@dataclass(frozen=True)
class TensorType:
    """Element type and shape of a value; None stands for a size the file leaves open."""

    dtype: DataType
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class ArrayFeature:
    """An input or output passed as an array."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class ImageFeature:
    """An input or output passed as an image: HxWx3 uint8, HxW uint8, or HxW float for GRAYSCALE_FLOAT16.

    Attributes:
        type: of the tensor inside the program, 1xCxHxW; it carries values 0..255 for the 8-bit colour spaces.
        colour: order of the channels inside the program. Pictures are given to and taken from
            :class:`~portraiture.export.mil.interpreter.MilProgram` in R, G, B order, always.
        width, height: in pixels.
    """

    name: str
    type: TensorType
    colour: ColourSpace
    width: int
    height: int


Feature = ArrayFeature | ImageFeature


@dataclass(frozen=True)
class Package:
    """A package's parsed program.

    Attributes:
        model_path: of ``model.mlmodel``.
        inputs, outputs: of the chosen function, in the file's order.
        block: the function's protobuf ``Block``.
    """

    model_path: Path
    inputs: dict[str, Feature]
    outputs: dict[str, Feature]
    block: Any

    def weight_file(self, name: str) -> WeightFile:
        """Open a weight file by the name the program gives it, as ``@model_path/weights/weight.bin``.

        Raises:
            InputError: the name leads outside the package, or the file is missing or damaged.
        """
        if "\0" in name:
            raise damaged(self.model_path, "a weight file inside the package", repr(name))
        folder = self.model_path.parent.resolve()
        path = Path(name.replace("@model_path", str(folder))).resolve()
        if not path.is_relative_to(folder):
            raise damaged(self.model_path, "a weight file inside the package", repr(name))
        return WeightFile(path)


def proto() -> ModuleType:
    """``coremltools.proto``, without the rest of coremltools."""
    if _PROTO in sys.modules:
        return sys.modules[_PROTO]
    coremltools = importlib.util.find_spec("coremltools")
    if coremltools is None or not coremltools.submodule_search_locations:
        raise InputError("Core ML packages: expected coremltools, found none; install portraiture again")
    folder = Path(coremltools.submodule_search_locations[0]) / "proto"
    spec = importlib.util.spec_from_file_location(
        _PROTO, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise InputError(f"{folder}: expected coremltools' protobuf modules, found none; reinstall coremltools")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PROTO] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_PROTO]
        raise
    return module


def specification_of(path: Path) -> int:
    """The version of Core ML's format in which a package folder's model is written.

    Raises:
        InputError: a file is missing or damaged.
    """
    return int(_parse_model(_model_path(path)).specificationVersion)


def read_package(path: Path, function: str = "main") -> Package:
    """Read a package folder.

    Args:
        path: the ``.mlpackage`` folder.
        function: name of the function to run; single-function packages call it "main".

    Raises:
        InputError: a file is missing or damaged, the model is no ML program, or the function does not exist.
    """
    model_path = _model_path(path)
    model = _parse_model(model_path)
    kind = model.WhichOneof("Type")
    if kind != "mlProgram":
        raise damaged(model_path, "an ML program", kind or "no model")
    functions = model.mlProgram.functions
    if function not in functions:
        raise damaged(model_path, f"one of the functions {sorted(functions)}", repr(function))
    program = functions[function]
    if program.opset not in program.block_specializations:
        raise damaged(model_path, f"a block for opset {program.opset!r}", "none")
    block = program.block_specializations[program.opset]
    types = {str(item.name): tensor_type(item.type, model_path) for item in program.inputs}
    description = _description(model, function)
    inputs = {name: _feature(name, types[name], description.input, model_path) for name in types}
    wanted = set(block.outputs)
    for operation in block.operations:
        for item in operation.outputs:
            if item.name in wanted:
                types[str(item.name)] = tensor_type(item.type, model_path)
    missing = sorted(wanted - set(types))
    if missing:
        raise damaged(model_path, f"an operation that computes output {missing[0]!r}", "none")
    outputs = {str(n): _feature(str(n), types[n], description.output, model_path) for n in block.outputs}
    return Package(model_path, inputs, outputs, block)


def tensor_type(value_type: Any, model_path: Path) -> TensorType:
    """Element type and shape of a protobuf ``ValueType``.

    Raises:
        InputError: it is no tensor, or its element type is not supported.
    """
    kind = value_type.WhichOneof("type")
    if kind != "tensorType":
        raise cannot_run(model_path, "tensors only", f"a value of kind {kind}")
    tensor = value_type.tensorType
    try:
        dtype = DataType(tensor.dataType)
    except ValueError:
        names = ", ".join(t.name for t in DataType)
        raise cannot_run(model_path, f"element types {names}", f"type {tensor.dataType}") from None
    shape = tuple(int(d.constant.size) if d.WhichOneof("dimension") == "constant" else None for d in tensor.dimensions)
    return TensorType(dtype, shape)


def _model_path(path: Path) -> Path:
    """Where ``Manifest.json`` says that ``model.mlmodel`` lies."""
    if not path.is_dir():
        raise damaged(path, "an .mlpackage folder", "none")
    manifest_path = path / "Manifest.json"
    if not manifest_path.is_file():
        raise damaged(manifest_path, "the package's manifest", "none")
    try:
        manifest = parse_json(manifest_path.read_bytes())
        relative = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(manifest_path, "JSON that names the root model", type(error).__name__) from None
    if not isinstance(relative, str) or "\0" in relative:
        raise damaged(manifest_path, "a model inside the package", repr(relative))
    model_path = path / "Data" / relative
    if len(os.fsencode(relative)) > _LONGEST:
        raise damaged(manifest_path, "a model inside the package", f"a path of {len(relative)} characters")
    if not model_path.resolve().is_relative_to((path / "Data").resolve()):
        raise damaged(manifest_path, "a model inside the package", repr(relative))
    if not model_path.is_file():
        raise damaged(model_path, "the model that Manifest.json names", "none")
    return model_path


def _parse_model(model_path: Path) -> Any:
    """The protobuf ``Model``."""
    from google.protobuf.message import DecodeError

    model = proto().Model_pb2.Model()
    try:
        model.ParseFromString(model_path.read_bytes())
    except DecodeError:
        raise damaged(model_path, "a Core ML model", "bytes that do not parse") from None
    return model


def _description(model: Any, function: str) -> Any:
    """What describes the function's inputs and outputs (a multi-function model holds one message per function)."""
    for described in model.description.functions:
        if described.name == function:
            return described
    return model.description


def _feature(name: str, inner: TensorType, described: Any, model_path: Path) -> Feature:
    """An input or output: a tensor's type joined with what the model description says about it."""
    found = [item for item in described if item.name == name]
    if not found:
        raise damaged(model_path, f"a description of {name!r}", "none")
    kind = found[0].type.WhichOneof("Type")
    if kind == "multiArrayType":
        return ArrayFeature(name, inner)
    if kind != "imageType":
        raise cannot_run(model_path, f"an array or an image for {name!r}", f"{kind}")
    image = found[0].type.imageType
    if image.WhichOneof("SizeFlexibility") is not None:
        raise cannot_run(model_path, f"an image of fixed size for {name!r}", "a flexible one")
    try:
        colour = ColourSpace(image.colorSpace)
    except ValueError:
        names = ", ".join(c.name for c in ColourSpace)
        raise damaged(model_path, f"{name!r} in one of {names}", f"{image.colorSpace}") from None
    channels = 3 if colour in (ColourSpace.RGB, ColourSpace.BGR) else 1
    shape = (1, channels, int(image.height), int(image.width))
    if inner.shape != shape:
        raise damaged(model_path, f"image {name!r} to be {shape} in the program", f"{inner.shape}")
    return ImageFeature(name, inner, colour, int(image.width), int(image.height))
