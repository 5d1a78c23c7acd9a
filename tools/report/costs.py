"""What files cost on this machine, as a table on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from portraiture.tools.report.terminal import console


def cells(cost: dict[str, Any]) -> tuple[str, str, str]:
    """Milliseconds, times MobileNetV2 and megabytes of one file, as text; "-" where there is no figure."""
    figures = (("ms", ".1f"), ("ratio", ".2f"), ("peak_mb", ".0f"))
    ms, ratio, peak = ("-" if cost[name] is None else format(cost[name], form) for name, form in figures)
    return ms, ratio, peak


def print_costs(costs: Sequence[dict[str, Any]]) -> None:
    """Print a line for each file, as ``FileCost.to_json`` gives it."""
    table = Table("file", "ms", "times MobileNetV2", "peak MB", Column("note", overflow="fold"))
    for cost in costs:
        table.add_row(escape(cost["subject"]), *cells(cost), escape(cost["note"]))
    console().print(table)
