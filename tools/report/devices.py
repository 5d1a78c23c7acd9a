"""What the doctor says of files and devices, on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from portraiture.export.doctor.devices.examine import Verdict
from portraiture.export.doctor.devices.summary import Group, groups_of, parts, where

_MOST_KINDS = 6
"""Types of operations that are named of one group; ``--json`` has all. Chosen, not measured."""


def print_verdicts(out: Console, verdicts: Sequence[Verdict]) -> None:
    """Print a table with a line for each file and device, then what stops each that is not whole.

    A value in megabytes is of 10^6 bytes.
    """
    table = Table(Column("file", overflow="fold"), "device", "operations taken", "parts", "crossing MB", "peak MB")
    for v in verdicts:
        table.add_row(
            escape(f"{v.file.path} {v.file.entry}".rstrip()),
            v.device.value,
            f"{v.taken} of {len(v.graph.nodes)}",
            f"[{'green' if v.is_whole else 'yellow'}]{parts(v)}[/]",
            f"{v.crossing_bytes / 1e6:.2f}",
            f"{v.peak_bytes / 1e6:.2f}",
        )
    out.print(table)
    for v in verdicts:
        for text in (*(_group(v, group) for group in groups_of(v)), *(f"{where(v)}: {a}" for a in v.advice)):
            out.print(escape(text), highlight=False, soft_wrap=True)


def _group(verdict: Verdict, group: Group) -> str:
    """What stops a device, in five lines."""
    first, node = group.first, verdict.graph.nodes[group.first.node]
    named = [f"{number} {kind}" for kind, number in group.kinds.items()]
    kinds = ", ".join(named[:_MOST_KINDS]) + (", .." if len(named) > _MOST_KINDS else "")
    tensors = " -> ".join(", ".join(map(str, side)) for side in (node.inputs, node.outputs))
    doubt = f" (not certain: {first.doubt})" if first.doubt else ""
    return (
        f"{where(verdict)}: {kinds}; the first, {node.kind}, at {verdict.module(first, {})}\n"
        f"    tensors: {tensors}\n"
        f"    {first.reason.value}: {first.found}{doubt}\n"
        f"    instead: {first.instead}\n"
        f"    by: {first.source}"
    )
