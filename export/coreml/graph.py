"""The graph of a Core ML package."""

from pathlib import Path
from typing import Any

from portraiture.export.graph import Graph, RawNode, Tensor, graph_of
from portraiture.export.mil.dtypes import DataType
from portraiture.export.mil.package import Package, read_package, tensor_type
from portraiture.export.model_file import ModelFile

_NUMBERS = ("dilations", "kernel_sizes", "strides")


def graph(path: Path, file: ModelFile) -> Graph:
    """The graph of a function in a package.

    A package does not name the modules that its operations belong to: a node's module is its value's name.

    Args:
        path: of the package.
        file: which model of it.
    """
    package = read_package(path, file.entry or "main")
    tensors = {f.name: Tensor(f.name, f.type.shape, f.type.dtype.name.lower()) for f in package.inputs.values()}
    settings: dict[str, tuple[int, ...]] = {}
    raw = []
    for operation in package.block.operations:
        outputs = tuple(str(o.name) for o in operation.outputs)
        tensors.update({str(o.name): _tensor(package, o) for o in operation.outputs})
        if operation.type == "const":
            settings[outputs[0]] = _whole_numbers(operation.attributes["val"])
            continue
        named = {key: [str(a.name) for a in value.arguments if a.name] for key, value in operation.inputs.items()}
        inputs = tuple(name for names in named.values() for name in names if name in tensors)
        numbers = {key: settings[named[key][0]] for key in _NUMBERS if named.get(key) and named[key][0] in settings}
        raw.append(RawNode(str(operation.type), outputs[0], inputs, outputs, numbers))
    return graph_of(raw, tensors, list(package.inputs), list(package.outputs))


def _tensor(package: Package, value: Any) -> Tensor:
    """A value as a tensor; a list, which an operation of a loop may give, as one of no known size."""
    if value.type.WhichOneof("type") != "tensorType":
        return Tensor(str(value.name), (None,), "list")
    found = tensor_type(value.type, package.model_path)
    return Tensor(str(value.name), found.shape, "text" if found.dtype is DataType.STRING else found.dtype.name.lower())


def _whole_numbers(value: Any) -> tuple[int, ...]:
    """The whole numbers that a constant holds in the program itself."""
    return tuple(int(v) for v in value.immediateValue.tensor.ints.values)
