"""Cuts a graph into parts that a device runs and parts that the CPU runs, and measures the cut.

The cut is that of TFLite's delegates, ``PartitionGraphIntoIndependentNodeSubsets`` in
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/graph_info.cc: a part takes every operation of its
side that can run, before the other side begins. Other runtimes may cut more often.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portraiture.export.graph import Graph, Node, Tensor


@dataclass(frozen=True)
class Part:
    """Operations that run together.

    Attributes:
        on_device: whether the device runs them, else the CPU.
        nodes: indices in the graph, in the order in which they run.
    """

    on_device: bool
    nodes: tuple[int, ...]


def partition(graph: Graph, taken: Sequence[bool]) -> list[Part]:
    """The parts of a graph in the order in which they run.

    Args:
        graph: of any format.
        taken: whether the device takes each node, in the graph's order.
    """
    ready = {t.name for t in graph.inputs}
    left, parts = list(range(len(graph.nodes))), []
    while left:
        side, chosen = taken[left[0]], []
        for k in left:
            node = graph.nodes[k]
            if taken[k] == side and all(t.name in ready for t in node.inputs):
                chosen.append(k)
                ready.update(t.name for t in node.outputs)
        parts.append(Part(side, tuple(chosen)))
        left = sorted(set(left) - set(chosen))
    return parts


def crossing(graph: Graph, parts: Sequence[Part]) -> list[Tensor]:
    """Tensors that one side computes and the other reads, each once.

    The model's inputs and outputs, which every app hands over, are not among them.

    Args:
        graph: of any format.
        parts: of its cut.
    """
    side = {k: part.on_device for part in parts for k in part.nodes}
    maker = {t.name: side[k] for k, node in enumerate(graph.nodes) for t in node.outputs}
    found = {
        t.name: t for k, node in enumerate(graph.nodes) for t in node.inputs if maker.get(t.name, side[k]) != side[k]
    }
    return list(found.values())


def peak_bytes(graph: Graph, parts: Sequence[Part], size: Callable[[Tensor], int] = lambda t: t.bytes) -> int:
    """Most bytes of activations that are alive at once, if no operation writes over its input.

    A tensor lives from the operation that makes it to the last one that reads it; the model's inputs from the start,
    its outputs to the end. Weights, and what a kernel needs inside, are not counted.

    Args:
        graph: of any format.
        parts: of its cut, which gives the order of execution.
        size: bytes that a tensor takes on the device.
    """
    order: list[Node] = [graph.nodes[k] for part in parts for k in part.nodes]
    last = {t.name: step for step, node in enumerate(order) for t in (*node.outputs, *node.inputs)}
    last.update({t.name: len(order) for t in graph.outputs})
    alive = {t.name: size(t) for t in graph.inputs}
    peak = sum(alive.values())
    for step, node in enumerate(order):
        alive.update({t.name: size(t) for t in node.outputs})
        peak = max(peak, sum(alive.values()))
        alive = {name: taken for name, taken in alive.items() if last.get(name, -1) > step}
    return peak
