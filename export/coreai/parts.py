"""What an ``.aimodel`` is made of: operations, constants, weights, and every value that it computes."""

import tempfile
from pathlib import Path

import numpy as np

from portraiture.export.coreai.packages import apple
from portraiture.export.coreai.program import Program
from portraiture.export.coreai.session import Session
from portraiture.export.model_file import ModelFile, Operation, Values, Weights, laid_out
from portraiture.export.runner import Feeds


def operations(path: Path) -> list[Operation]:
    """The operations of a file, in order; constants and compressed weights are left out."""
    return [Operation(step.kind, step.names[0]) for step in Program(path).steps]


def constants(path: Path) -> list[np.ndarray]:
    """The floating-point constants of a file, flat, float32; compressed weights as what they stand for."""
    return [array.astype(np.float32).ravel() for _, array in Program(path).constants()]


def weights(path: Path, _file: ModelFile) -> Weights:
    """The floating-point constants that a file's operations compute with, float64, named by operation and input.

    Args:
        path: of the file.
        _file: which model of it: the only one.
    """
    return [(name, array.astype(np.float64)) for name, array in Program(path).constants() if array.size > 1]


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    """Every floating-point value of four dimensions that a file computes, made an output of a copy.

    Args:
        path: of the file.
        file: which model of it.
        feeds: the contract's inputs.
    """
    with tempfile.TemporaryDirectory(prefix="portraiture.", suffix=".aimodel") as folder:
        _with_all_outputs(Program(path), Path(folder))
        found = Session(Path(folder)).run(laid_out(file, feeds))
    return list(found.items())


def _with_all_outputs(program: Program, path: Path) -> None:
    """Write a program that gives all that it computes."""
    with apple():
        from coreai._compiler.dialects import coreai
        from coreai._compiler.ir import (
            ArrayAttr,
            DictAttr,
            F16Type,
            F32Type,
            FunctionType,
            InsertionPoint,
            RankedTensorType,
            StringAttr,
            TypeAttr,
        )

        graph, found = program.graph, {}
        for step in program.steps:
            for name, value in zip(step.names, step.operation.results, strict=True):
                kind = value.type
                is_map = isinstance(kind, RankedTensorType) and kind.rank == 4 and kind.has_static_shape
                if is_map and isinstance(kind.element_type, F16Type | F32Type):
                    found[name] = value
        with graph.operation.context, graph.location:
            with InsertionPoint(program.end):
                coreai.output(list(found.values()))
            program.end.operation.erase()
            results = [value.type for value in found.values()]
            kind = FunctionType.get(graph.function_type.value.inputs, results)
            graph.operation.attributes["function_type"] = TypeAttr.get(kind)
            graph.res_attrs = ArrayAttr.get([DictAttr.get({"coreai.name": StringAttr.get(n)}) for n in found])
        program.whole.save_asset(path)
