"""Tables on the terminal: of every command, and of parity."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from portraiture.export.parity.rows import Row, Status

_COLOUR = {Status.PASSED: "green", Status.FAILED: "red", Status.NOT_RUN: "yellow"}


def console() -> Console:
    """Where tables go; piped output has no width of its own and is not cut."""
    found = Console()
    return found if found.is_terminal else Console(width=180)


def failed(rows: Sequence[Row]) -> int:
    """How many rows failed."""
    return sum(r.status is Status.FAILED for r in rows)


def first_failure(rows: Sequence[Row]) -> str:
    """What failed first and why, for a message; rows with an explanation come first."""
    found = sorted((r for r in rows if r.status is Status.FAILED), key=lambda r: not r.note)
    return "".join(f"{r.subject} {r.output}: {r.note or 'outside its gate'}" for r in found[:1])


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table, a row a comparison, and a closing line of counts."""
    table = Table("subject", "output", "max error", "PSNR dB", "IoU", "gate", "photos", "status", "note")
    for row in rows:
        d = row.difference
        table.add_row(
            str(row.subject),
            row.output,
            "-" if d is None else f"{d.max_abs:.2e}",
            "-" if d is None else f"{d.psnr_db:.1f}",
            "-" if d is None or d.iou is None else f"{d.iou:.4f}",
            row.tolerance,
            str(row.photos),
            f"[{_COLOUR[row.status]}]{row.status.value}[/]",
            row.note,
        )
    out = console()
    out.print(table)
    counts = ", ".join(f"{sum(r.status is s for r in rows)} {s.value}" for s in Status)
    out.print(f"parity: {counts}")
