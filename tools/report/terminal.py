"""Tables on the terminal: the console of every command, and the table of parity."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portraiture.export.parity.rows import Row, Status, counts

_COLOUR = {Status.PASSED: "green", Status.FAILED: "red", Status.NOT_RUN: "yellow"}

_PIPED_COLUMNS = 180
"""Width of a table where there is no terminal: the table of parity fits; chosen, not measured."""


def console() -> Console:
    """The console that tables are printed on; piped output is 180 columns wide, so that no cell is cut."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPED_COLUMNS)


def failed(rows: Sequence[Row]) -> int:
    """Number of rows that failed."""
    return counts(rows)[Status.FAILED]


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table with a line for each row, and a closing line of counts; a last one says what was not proven."""
    table = Table("subject", "output", "max error", "PSNR dB", "IoU", "gate", "photos", "status", "note")
    for row in rows:
        d = row.difference
        table.add_row(
            escape(str(row.subject)),
            row.output,
            "-" if d is None else f"{d.max_abs:.2e}",
            "-" if d is None else f"{d.psnr_db:.1f}",
            "-" if d is None or d.iou is None else f"{d.iou:.4f}",
            row.tolerance,
            str(row.photos),
            f"[{_COLOUR[row.status]}]{row.status.value}[/]",
            escape(row.note),
        )
    out = console()
    out.print(table)
    out.print("parity: " + ", ".join(f"{number} {status.value}" for status, number in counts(rows).items()))
    not_run = dict.fromkeys(f"{row.subject} ({row.note})" for row in rows if row.status is Status.NOT_RUN)
    if not_run:
        out.print(f"not proven: {escape('; '.join(not_run))}")
