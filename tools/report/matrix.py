"""The table at the head of the parity report: a line for each model and size, a column for each format."""

from collections.abc import Sequence
from typing import Any

from portraiture.export.parity.rows import Link, Row, Status


def matrix_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The table's ``columns`` and ``rows``, in the order in which the files were judged.

    Each of ``rows`` is a label and a cell for each column: None where there is no such file, else its ``status``, the
    worst of its rows, and a ``text``: what fails or did not run is counted.
    """
    found: dict[tuple[str, str], list[Status]] = {}
    for row in rows:
        if (file := row.subject.file) is not None:
            name = "pipeline" if row.link is Link.PIPELINE else file.name
            label, column = f"{name} {file.size}", f"{file.target.value} {file.precision.value}"
            found.setdefault((label, column), []).append(row.status)
    columns = list(dict.fromkeys(column for _, column in found))
    labels = dict.fromkeys(label for label, _ in found)
    return {"columns": columns, "rows": [(name, [_cell(found.get((name, c), [])) for c in columns]) for name in labels]}


def _cell(statuses: list[Status]) -> dict[str, str] | None:
    for status in (Status.FAILED, Status.NOT_RUN):
        if number := statuses.count(status):
            return {"status": status.value, "text": f"{number} {status.value}"}
    return {"status": Status.PASSED.value, "text": "passed"} if statuses else None
