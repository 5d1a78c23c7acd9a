"""The graph of an ``.aimodel``."""

from pathlib import Path
from typing import Any

from portraiture.export.coreai.program import Program
from portraiture.export.graph import Graph, RawNode, Tensor, graph_of
from portraiture.export.model_file import ModelFile

_DTYPES = {"f64": "float64", "f32": "float32", "f16": "float16", "i1": "bool"} | {
    f"{sign}{bits}": f"{name}{bits}" for sign, name in (("si", "int"), ("ui", "uint")) for bits in (4, 8, 16, 32, 64)
}
"""NumPy's name by MLIR's."""


def graph(path: Path, _file: ModelFile) -> Graph:
    """The graph of a file's function.

    A file does not name the modules that its operations belong to: a node's module is its value's name.

    Args:
        path: of the file.
        _file: which model of it: the only one.
    """
    program = Program(path)
    values: dict[Any, Tensor] = {}
    arguments = [(value, str(a["coreai.name"]).strip('"')) for value, a in _with_attributes(program)]
    values.update({value: _tensor(name, value) for value, name in arguments})
    raw = []
    for step in program.steps:
        for name, value in zip(step.names, step.operation.results, strict=True):
            values[value] = _tensor(name, value)
        for k, value in enumerate(step.operation.operands):
            values.setdefault(value, _tensor(f"{step.names[0]} input {k}", value))
        inputs = tuple(values[value].name for value in step.operation.operands)
        raw.append(RawNode(step.kind, step.names[0], inputs, step.names))
    tensors = {tensor.name: tensor for tensor in values.values()}
    return graph_of(raw, tensors, [n for _, n in arguments], [values[value].name for value in program.end.operands])


def _with_attributes(program: Program) -> list[tuple[Any, Any]]:
    return list(zip(program.graph.arguments, program.graph.arg_attrs, strict=True))


def _tensor(name: str, value: Any) -> Tensor:
    kind = value.type
    shape = tuple(None if kind.is_dynamic_dim(k) else kind.get_dim_size(k) for k in range(kind.rank))
    return Tensor(name, shape, _DTYPES.get(str(kind.element_type), str(kind.element_type)))
