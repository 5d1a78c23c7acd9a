"""The program of an ``.aimodel`` as operations: Apple's reader gives MLIR, whose values have no names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.coreai.asset import check_program
from portraiture.export.coreai.packages import apple
from portraiture.export.model_file import dequantized
from portraiture.reference.errors import InputError

FUNCTION = "main"
"""Of every file that we write; a file holds one model."""

_NUMPY = {"f32": np.float32, "f16": np.float16, "si8": np.int8, "ui8": np.uint8}
"""NumPy's types of constants that a weight is made of, by MLIR's name of each."""


@dataclass(frozen=True)
class Step:
    """An operation on what is computed when the model runs.

    Attributes:
        operation: MLIR's.
        kind: its type; of a composite, such as a pixel shuffle, the composite's name.
        names: ours, one per result: the kind and the place among all steps, such as ``conv2d_12``.
    """

    operation: Any
    kind: str
    names: tuple[str, ...]


class Program:
    """The program of an ``.aimodel``. Its operations are MLIR's, which live no longer than it: keep it while you read.

    Args:
        path: the folder.

    Raises:
        InputError: it is damaged, or Apple's packages are not installed.
    """

    def __init__(self, path: Path) -> None:
        check_program(path)
        with apple():
            from coreai.authoring import AIModelAsset

            try:
                self.whole = AIModelAsset.load(path).program
                self.graph = self.whole._get_graph(FUNCTION)
            except Exception as error:  # Apple's errors have no common base
                reason = str(error).partition("\n")[0]
                raise InputError(f"{path}: expected a program ({reason}); export the bundle again") from error
        if self.graph is None:
            raise InputError(f"{path}: expected a function {FUNCTION}, found none; export the bundle again")
        *operations, self.end = self.graph.bodyRegion.blocks[0].operations
        self.operations: list[Any] = operations
        self.steps = list(self._steps())

    def _steps(self) -> Iterator[Step]:
        graphs = {g.sym_name.value: g.operation.attributes for g in self.whole._module._body.operations}
        computed, count = set(self.graph.arguments), 0
        for operation in self.operations:
            if not computed.intersection(operation.operands):
                continue  # a constant, or a weight that is expanded
            kind = operation.name.removeprefix("coreai.").removeprefix("decomposable.")
            if kind == "invoke":
                kind = _composite(graphs, operation) or kind
            results = list(operation.results)
            computed.update(results)
            own = f"{kind}_{count}"
            yield Step(operation, kind, tuple(f"{own}.{k}" if len(results) > 1 else own for k in range(len(results))))
            count += 1

    def constants(self) -> Iterator[tuple[str, np.ndarray]]:
        """The floating-point constants that steps compute with, and the step and input of each; weights expanded."""
        computed = {*self.graph.arguments, *(r for step in self.steps for r in step.operation.results)}
        for step in self.steps:
            for k, value in enumerate(step.operation.operands):
                if value not in computed:
                    array = expanded(value)
                    if array is not None and np.issubdtype(array.dtype, np.floating):
                        yield f"{step.names[0]} input {k}", array


def _composite(graphs: dict[str, Any], invoke: Any) -> str:
    """What a function inside a program does, such as ``pixel_shuffle``; empty where it does not say."""
    called = re.search(r"@(\w+)", " ".join(str(named.attr) for named in invoke.attributes))
    attributes = graphs.get(called[1], {}) if called else {}
    declared = str(attributes["composite_decl"]) if "composite_decl" in attributes else ""
    found = re.search(r'declaration<"(\w+)"', declared)
    return found[1] if found else ""


def expanded(value: Any) -> np.ndarray | None:
    """The numbers of a constant, or of a weight that is made of some; None where it is neither."""
    operation = value.owner
    if operation.name == "coreai.constant":
        return _constant(operation)
    parts = [expanded(operand) for operand in operation.operands]
    if operation.name == "coreai.blockwise_shift_scale" and all(p is not None for p in parts[:2]):
        q, scale = parts[0], parts[1]
        assert q is not None
        assert scale is not None
        axis = next((k for k, size in enumerate(scale.shape) if size > 1), 0)
        return dequantized(q, scale.ravel(), None, axis)  # symmetric: both offsets are 0
    if operation.name == "coreai.lut_to_dense" and all(p is not None for p in parts[:2]):
        assert parts[0] is not None
        assert parts[1] is not None
        return np.asarray(parts[1].ravel()[parts[0]])
    return None


def _constant(operation: Any) -> np.ndarray | None:
    """A constant's numbers; None where they are of a type that no weight has."""
    from coreai._compiler._mlir_libs._coreaiIR._bindings.compiler import copy_constant_value_to_array

    kind = operation.results[0].type
    dtype = _NUMPY.get(str(kind.element_type))
    if dtype is None:
        return None
    shape = tuple(kind.shape)
    found = np.array(operation.attributes["value"])
    if found.dtype != np.object_:
        return found.astype(dtype).reshape(shape)
    raw = np.zeros(int(np.prod(shape)) * np.dtype(dtype).itemsize, np.uint8)
    copy_constant_value_to_array(constant_op=operation, destination=raw)
    return raw.view(dtype).reshape(shape)
