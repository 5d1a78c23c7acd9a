"""The cut of graphs whose answer is known by hand: parts, what crosses, the peak."""

from collections.abc import Sequence

import pytest

from portraiture.export.doctor.devices.neural_engine import padded_bytes, padding_advice
from portraiture.export.doctor.devices.partition import crossing, partition, peak_bytes
from portraiture.export.graph import Graph, RawNode, Tensor, graph_of

MAP = (1, 4, 4, 1)
"""16 values of float32: 64 bytes."""


def graph(*nodes: tuple[str, str], outputs: Sequence[str], **shapes: tuple[int, ...]) -> Graph:
    """A graph of nodes given as what they read and what they make; ``x`` is the input."""
    names = {name for given, made in nodes for name in (*given, made)} | {"x"}
    tensors = {n: Tensor(n, shapes.get(n, MAP), "float32") for n in names}
    return graph_of([RawNode("OP", m, tuple(g), (m,)) for g, m in nodes], tensors, ["x"], list(outputs))


CHAIN = graph(("x", "a"), ("a", "b"), ("b", "c"), outputs="c")


def sides(graph: Graph, refused: str) -> list[tuple[bool, str]]:
    """The parts, each as its side and the names of what it makes."""
    found = partition(graph, [n.module not in refused for n in graph.nodes])
    return [(p.on_device, "".join(graph.nodes[k].module for k in p.nodes)) for p in found]


@pytest.mark.parametrize(
    ("refused", "parts"),
    [
        ("", [(True, "abc")]),
        ("b", [(True, "a"), (False, "b"), (True, "c")]),
        ("a", [(False, "a"), (True, "bc")]),
        ("ac", [(False, "a"), (True, "b"), (False, "c")]),
        ("abc", [(False, "abc")]),
    ],
)
def test_a_chain_is_cut_at_what_is_refused(refused: str, parts: list[tuple[bool, str]]) -> None:
    assert sides(CHAIN, refused) == parts


def test_a_part_takes_all_that_can_run_before_the_other_side_begins() -> None:
    """Two branches, one of each side, in turns in the file: three parts, not six."""
    branches = graph(("x", "a"), ("x", "b"), ("a", "c"), ("b", "d"), ("c", "e"), ("de", "f"), outputs="f")
    assert sides(branches, "bd") == [(True, "ace"), (False, "bd"), (True, "f")]


def cut(graph: Graph, refused: str) -> tuple[set[str], int]:
    """Names of what crosses, and the peak."""
    parts = partition(graph, [n.module not in refused for n in graph.nodes])
    return {t.name for t in crossing(graph, parts)}, peak_bytes(graph, parts)


def test_what_crosses_is_what_the_other_side_reads() -> None:
    assert cut(CHAIN, "")[0] == set()
    assert cut(CHAIN, "b")[0] == {"a", "b"}
    twice = graph(("x", "a"), ("a", "b"), ("a", "c"), ("abc", "d"), outputs="d")
    assert cut(twice, "bc")[0] == {"a", "b", "c"}
    assert cut(CHAIN, "abc")[0] == set(), "the model's inputs and outputs do not count"


def test_the_peak_is_what_lives_at_once() -> None:
    assert cut(CHAIN, "")[1] == 2 * 64
    kept = graph(("x", "a"), ("a", "b"), ("b", "c"), ("ac", "d"), outputs="d")
    assert cut(kept, "")[1] == 3 * 64, "a lives until d"
    early = graph(("x", "a"), ("a", "b"), ("b", "c"), outputs="ac")
    assert cut(early, "")[1] == 3 * 64, "an output lives to the end"
    wide = graph(("x", "a"), ("a", "b"), ("b", "c"), outputs="c", b=(1, 8, 8, 1))
    assert cut(wide, "")[1] == 64 + 256


def test_an_operation_on_constants_alone_is_no_node() -> None:
    tensors = {n: Tensor(n, MAP, "float32") for n in "xwvy"}
    raw = [RawNode("DEQUANTIZE", "v", ("w",), ("v",)), RawNode("CONV_2D", "y", ("x", "v"), ("y",))]
    found = graph_of(raw, tensors, ["x"], ["y"])
    assert [n.kind for n in found.nodes] == ["CONV_2D"]
    assert [t.name for t in found.nodes[0].constants] == ["v"]
    assert peak_bytes(found, partition(found, [True])) == 2 * 64


def test_the_last_axis_is_filled_up_on_the_neural_engine() -> None:
    assert padded_bytes(Tensor("t", (1, 8, 4, 32), "float16")) == 8 * 4 * 64
    assert padded_bytes(Tensor("t", (1, 8, 4, 33), "float16")) == 8 * 4 * 128
    assert padded_bytes(Tensor("t", (1, 8, 4, 1), "float16")) == 8 * 4 * 64
    narrow = graph(("x", "a"), outputs="a", a=(1, 64, 64, 1))
    (advice,) = padding_advice(narrow)
    assert "most at a (float32 1x64x64x1): put a longer axis last" in advice
    assert padding_advice(graph(("x", "a"), outputs="a", x=(1, 4, 4, 16), a=(1, 4, 4, 16))) == []
