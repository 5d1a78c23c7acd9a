"""One trace of the graph less in a conversion by litert-torch.

litert-torch 0.10.0 traces the whole graph four times. The last time it does so only to turn the int64 ``arange`` of
each resize into int32; a cast behind each of them gives the same graph at once, and the same file byte by byte.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def ranges_as_int32(program: Any) -> bool:
    """Put a cast to int32 behind each int64 ``arange`` of an exported program, in place; returns whether one was put.

    Bounds beyond int32 stay, as in litert-torch.
    """
    copy, limits, changed = torch.ops.aten._to_copy.default, torch.iinfo(torch.int32), False
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        meta = node.meta.get("tensor_meta")
        if node.target != torch.ops.aten.arange.start_step or not meta or meta.dtype != torch.int64:
            continue
        if not all(limits.min <= bound <= limits.max for bound in node.args[:2]):
            continue
        with graph.inserting_after(node):
            cast = graph.call_function(copy, (node,), {"dtype": torch.int32})
        node.replace_all_uses_with(cast, delete_user_cb=lambda user, cast=cast: user is not cast)
        value = node.meta["val"]
        with value.fake_mode:
            narrow = value.to(torch.int32)
        cast.meta = {**node.meta, "val": narrow, "tensor_meta": meta._replace(dtype=torch.int32)}
        changed = True
    return changed


@contextmanager
def one_trace_less() -> Iterator[None]:
    """A block in which litert-torch leaves its last trace out."""
    from litert_torch.backend import export

    honest = export._convert_i64_to_i32
    export._convert_i64_to_i32 = ranges_as_int32
    try:
        yield
    finally:
        export._convert_i64_to_i32 = honest
