"""An earlier report beside this one: of each row what it said before, and what is worse than it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraiture.export.parity.rows import Row, Status
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json, read_bytes

WORSE_DB = 1.0
"""A PSNR that fell by more counts as worse; another machine's rounding moves it by less. Chosen, not measured."""

REPORT = "parity.json"
"""The file of a report's folder that is read."""

Key = tuple[str, str, str]
"""Link, subject and output of a row."""


@dataclass(frozen=True)
class Was:
    """What a row said: its status, and its PSNR in dB, None where nothing was compared."""

    status: str
    psnr_db: float | None

    def __str__(self) -> str:
        return self.status if self.psnr_db is None else f"{self.psnr_db:.1f} dB, {self.status}"


@dataclass(frozen=True)
class Before:
    """An earlier report.

    Attributes:
        name: of its folder.
        rows: what each said.
    """

    name: str
    rows: dict[Key, Was]

    def of(self, row: Row) -> Was | None:
        """What was said of a row then; None where it is new."""
        return self.rows.get(key_of(row))

    def is_worse(self, row: Row) -> bool:
        """Whether a row no longer passes, or has lost more than ``WORSE_DB``."""
        was = self.of(row)
        if was is None:
            return False
        if was.status == Status.PASSED.value and row.status is not Status.PASSED:
            return True
        return (
            was.psnr_db is not None and row.difference is not None and row.difference.psnr_db < was.psnr_db - WORSE_DB
        )

    def line(self, rows: Sequence[Row]) -> str:
        """What has changed, in one sentence."""
        known = [row for row in rows if self.of(row) is not None]
        gone = len(self.rows.keys() - {key_of(row) for row in rows})
        worse = sum(self.is_worse(row) for row in known)
        return (
            f"compared with {self.name}: {worse} of {len(known)} rows worse (failed, not run or {WORSE_DB:g} dB less),"
            f" {len(rows) - len(known)} new, {gone} gone"
        )


def key_of(row: Row) -> Key:
    """What tells a row from the others of a report."""
    return row.link.value, str(row.subject), row.output


def read_before(folder: Path) -> Before:
    """Read the report that ``parity -o`` left in a folder.

    Raises:
        InputError: no report there, or one of another form.
    """
    path = folder / REPORT
    try:
        value = parse_json(read_bytes(path, f"a report's {REPORT}"))
        if not isinstance(value, list):
            raise ValueError("no list")
        rows = {(str(r["link"]), str(r["subject"]), str(r["output"])): _was(r) for r in value}
    except (ValueError, TypeError, KeyError):
        raise InputError(
            f"{path}: expected rows of a report of parity, found others; give a folder of parity -o"
        ) from None
    return Before(folder.resolve().name, rows)


def _was(row: dict[str, Any]) -> Was:
    psnr = row.get("psnr_db")
    return Was(str(row["status"]), None if psnr is None else float(psnr))
