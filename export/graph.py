"""The graph of a model in one form for all formats: operations, and the tensors between them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BITS = {
    "float64": 64, "float32": 32, "float16": 16, "int64": 64, "uint64": 64, "int32": 32, "uint32": 32, "int16": 16,
    "uint16": 16, "int8": 8, "uint8": 8, "bool": 8, "int4": 4, "uint4": 4,
}  # fmt: skip
"""Bits of one element in memory, by the name of its type; a type that is not named takes 32."""


@dataclass(frozen=True)
class Tensor:
    """A value between operations.

    Attributes:
        name: in the file.
        shape: None stands for a size that the file leaves open.
        dtype: NumPy's name of the element type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """Size in memory, each open size taken as 1.

        >>> Tensor("x", (1, 3, 2, 2), "float16").bytes
        24
        """
        return math.prod(size or 1 for size in self.shape) * BITS.get(self.dtype, 32) // 8

    def __str__(self) -> str:
        """The type and shape, such as ``float32 1x64x48x3``."""
        sizes = "x".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype} {sizes or 'scalar'}"


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        kind: its type, as the format names it.
        module: the layer that it belongs to, as far as the file names it; else the name of its first output.
        inputs: what is computed when the model runs.
        constants: inputs that the file holds.
        outputs: one or more.
        numbers: its settings that are whole numbers, by the file's name of each: kernels, strides, dilations, masks.
    """

    kind: str
    module: str
    inputs: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A model's operations in the order in which they run, none of them on constants alone."""

    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class RawNode:
    """An operation as a file lists it, its tensors by name; an optional input that is absent is left out."""

    kind: str
    module: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def graph_of(raw: Iterable[RawNode], tensors: Mapping[str, Tensor], inputs: list[str], outputs: list[str]) -> Graph:
    """A graph from what a file lists.

    An operation on constants alone, such as the expansion of fp16 weights, is computed once when a model is loaded:
    what it gives counts as a constant, and it is no node.

    Args:
        raw: in the order in which they run.
        tensors: by name, all that the operations name.
        inputs: names of the model's inputs.
        outputs: names of the model's outputs.
    """
    computed, nodes = set(inputs), []
    for node in raw:
        given = [tensors[name] for name in node.inputs if name in computed]
        if not given:
            continue
        fixed = [tensors[name] for name in node.inputs if name not in computed]
        made = tuple(tensors[name] for name in node.outputs)
        computed.update(node.outputs)
        nodes.append(Node(node.kind, node.module, tuple(given), tuple(fixed), made, node.numbers))
    return Graph(tuple(nodes), tuple(tensors[n] for n in inputs), tuple(tensors[n] for n in outputs))
