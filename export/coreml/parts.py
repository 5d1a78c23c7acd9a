"""What a Core ML package is made of: operations, constants, and every value that it computes."""

from pathlib import Path

import numpy as np
import torch

from portraiture.export.contract import RGB
from portraiture.export.formats import Precision
from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.export.mil.package import read_package
from portraiture.export.mil.values import ValueDecoder
from portraiture.export.model_file import ModelFile, Operation, Values, laid_out
from portraiture.export.runner import Feeds

# fmt: off
_REFUSED = frozenset(
    [
        "cumsum", "gather", "gather_along_axis", "gather_nd", "inverse", "list_gather", "list_read", "list_scatter",
        "list_write", "make_list", "reverse", "reverse_sequence", "scatter", "scatter_along_axis", "scatter_nd", "topk",
        "while_loop", "cond",
    ]
)
# fmt: on
"""Core ML runs these on the CPU, or compiles them slowly; write a network that needs one in another form."""


def refused(kind: str) -> bool:
    """Whether a package must do without a type of operation."""
    return kind in _REFUSED


def unproven(kind: str) -> bool:
    """Whether our interpreter lacks a type of operation: no file with it is run off macOS."""
    return kind not in OPERATIONS


def operations(path: Path) -> list[Operation]:
    """The operations of a package's main function, in order; constants and compressed weights are left out.

    They are read from the file and not from the interpreter, which knows fewer operations than coremltools writes.
    """
    found = [o for o in read_package(path).block.operations if o.type != "const" and not o.type.startswith("constexpr")]
    return [Operation(str(o.type), str(o.outputs[0].name)) for o in found]


def constants(path: Path) -> list[np.ndarray]:
    """The floating-point constants of a package's main function, flat, float32."""
    package = read_package(path)
    decoder = ValueDecoder(package, torch.float32)
    values = [decoder.decode(o.attributes["val"]) for o in package.block.operations if o.type == "const"]
    return [v.numpy().ravel() for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()]


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    """Every value that a package computes, by the MIL interpreter.

    Args:
        path: of the package.
        file: which model of it.
        feeds: the contract's inputs.
    """
    from portraiture.export.mil.interpreter import MilProgram
    from portraiture.export.mil.interpreter import Precision as MilPrecision

    precision = MilPrecision.FLOAT32 if file.precision is Precision.FP32 else MilPrecision.DECLARED
    inputs = laid_out(file, feeds)
    inputs[RGB.name] = np.rint(inputs[RGB.name][0].transpose(1, 2, 0) * 255).astype(np.uint8)
    values: Values = []
    program = MilProgram.load(path, precision, file.entry or "main")
    program.run(inputs, lambda _, name, tensor: values.append((name, tensor.numpy().copy())))
    return values
