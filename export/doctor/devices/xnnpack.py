"""XNNPACK, TFLite's delegate for the CPU: its own answer on this machine, which needs no list."""

from collections.abc import Collection

from portraiture.export.doctor.devices.rules import FIXED_SHAPES, Reason, Refusal, first
from portraiture.export.doctor.forms import form_of
from portraiture.export.graph import Graph

_SOURCE = (
    "the delegate itself, in this machine's ai_edge_litert; its limits by operation:"
    " https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/delegates/xnnpack/README.md"
)

_TYPES = frozenset(("float32", "float16", "int8", "uint8"))
"""Element types that the README names for what is computed; int32 is for shapes and axes, which are constants."""


def refusals(graph: Graph, left_out: Collection[str]) -> list[Refusal]:
    """What the delegate left to plain kernels; of the reasons, those that the README names are told apart.

    Args:
        graph: of a TFLite file.
        left_out: names of the first outputs of the operations that it left.
    """
    found = []
    for k, node in enumerate(graph.nodes):
        if node.outputs[0].name not in left_out:
            continue
        reason, instead = Reason.KIND, form_of(node.kind)
        if first(node, lambda t: None in t.shape):
            reason, instead = Reason.DYNAMIC, FIXED_SHAPES
        elif first(node, lambda t: t.dtype not in _TYPES):
            reason, instead = Reason.DTYPE, "compute it in float"
        found.append(Refusal(k, reason, f"XNNPACK leaves this {node.kind} to a plain kernel", instead, _SOURCE))
    return found
