"""A conversion by litert-torch in two thirds of the time: quicker traces of the graph, and one less.

litert-torch 0.10.0 traces the whole graph four times by PyTorch's ``run_decompositions``. The last time it does so only
to turn the int64 ``arange`` of each resize into int32; a cast behind each of them gives the same graph at once. The two
before it are of functional graphs, for which :func:`traced` is enough. The file is the same byte by byte.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from portraiture.export.tflite.trace import traced


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
def quick_traces() -> Iterator[None]:
    """A block in which litert-torch traces in our way where that can be, in PyTorch's elsewhere."""
    from litert_torch.backend import export
    from torch.export import ExportedProgram

    owner: Any = ExportedProgram
    as_int32, decomposed = export._convert_i64_to_i32, owner.run_decompositions

    def run_decompositions(program: Any, table: Any = None, **options: Any) -> Any:
        if table and not options:
            try:
                return traced(program, table)
            except Exception:  # a graph that PyTorch knows to trace and we do not
                pass
        return decomposed(program, table, **options)

    export._convert_i64_to_i32 = ranges_as_int32
    owner.run_decompositions = run_decompositions
    try:
        yield
    finally:
        export._convert_i64_to_i32 = as_int32
        owner.run_decompositions = decomposed
