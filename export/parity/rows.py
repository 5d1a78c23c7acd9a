"""What parity says: rows, each a comparison judged by its tolerance, and the arrays that were compared."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from portraiture.export.compare import Difference
from portraiture.export.parity.subjects import Subject
from portraiture.export.runner import Feeds
from portraiture.export.tolerance import Tolerance


class Status(Enum):
    """Outcome of a row."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


class Link(Enum):
    """What is compared with what."""

    FILE = "file against PyTorch float64"
    FILTER = "RNN filter against CRF reference"
    PIPELINE = "exported pipeline against Python pipeline"
    SECOND = "fp16 file against Apple's Core AI, and that against PyTorch float64"
    DEVICE = "device against goldens"


def _named(subject: Subject | str) -> Subject:
    return Subject(subject) if isinstance(subject, str) else subject


@dataclass(frozen=True)
class Row:
    """One comparison, judged; the worst photo counts.

    Attributes:
        link, subject, output: what was compared; ``output`` is "-" where no single output is meant.
        status: the verdict.
        difference: of the worst photo; None where nothing was compared.
        tolerance, reason: the gate in words, and why it is what it is; "-" without a gate.
        photos: number of photos compared.
        note: what else a reader must know, such as why a row failed.
        gate: the gate itself; None without one.
        worst: index of the worst photo, where there are several.
        every: the differences of all photos, of which ``difference`` is the worst.
        feeds: gives the inputs of the worst comparison, where they are not simply those of the worst photo.
    """

    link: Link
    subject: Subject
    output: str
    status: Status
    difference: Difference | None
    tolerance: str
    reason: str
    photos: int
    note: str = ""
    gate: Tolerance | None = None
    worst: int | None = None
    every: tuple[Difference, ...] = field(default=(), compare=False)
    feeds: Callable[[], Feeds] | None = field(default=None, compare=False)

    @classmethod
    def not_run(
        cls, link: Link, subject: Subject | str, why: str, output: str = "-", gate: Tolerance | None = None
    ) -> "Row":
        """The row of what could not run here.

        Args:
            link: which comparison it would have been.
            subject: what would have been compared; a text where it is no file.
            why: what kept it from running.
            output: which output, where one is meant.
            gate: what it would have been held to.
        """
        return cls._without_figure(link, subject, Status.NOT_RUN, why, output, gate)

    @classmethod
    def failed(
        cls, link: Link, subject: Subject | str, why: str, output: str = "-", gate: Tolerance | None = None
    ) -> "Row":
        """The row of what failed before there was an output to compare.

        Args:
            link: which comparison it would have been.
            subject: what failed; a text where it is no file.
            why: the error's message.
            output: which output, where one is meant.
            gate: what it would have been held to.
        """
        return cls._without_figure(link, subject, Status.FAILED, why, output, gate)

    @classmethod
    def _without_figure(
        cls, link: Link, subject: Subject | str, status: Status, why: str, output: str, gate: Tolerance | None
    ) -> "Row":
        tolerance, reason = ("-", "-") if gate is None else (str(gate), gate.reason)
        return cls(link, _named(subject), output, status, None, tolerance, reason, 0, why)

    def to_json(self, photos: Sequence[str] = ()) -> dict[str, Any]:
        """Plain values; ``worst`` is the photo's name, if the names of the photos are given."""
        d = self.difference
        found = {} if d is None else {k: v for k, v in asdict(d).items() if k != "finite" and v is not None}
        # JSON has no infinity
        figures = {k: (v if np.isfinite(v) else str(v)) for k, v in found.items()}
        return {
            "link": self.link.value,
            "subject": str(self.subject),
            "output": self.output,
            "status": self.status.value,
            "tolerance": self.tolerance,
            "reason": self.reason,
            "photos": self.photos,
            "note": self.note,
            **({} if self.worst is None or not photos else {"worst": photos[self.worst]}),
            **figures,
        }


def of_one_photo(row: Row, said: str, feeds: Callable[[], Feeds]) -> Row:
    """A row whose differences are not those of photos, but of cases of one.

    Args:
        row: from :func:`judge`.
        said: which case was the worst, for the note.
        feeds: gives that case's inputs.
    """
    note = f"{row.note}; {said}".removeprefix("; ")
    return replace(row, photos=1, worst=None, note=note, feeds=feeds)


@dataclass(frozen=True)
class Comparison:
    """The arrays of one photo behind a row's figures, for whoever wants to show them.

    Attributes:
        link, subject, output: of the row.
        photo: index of the photo, from 0.
        found, expected: HxWx3 or HxW in 0..1; other values where the file is wrong.
        difference: of the two.
        gate: the tolerance it is held to.
    """

    link: Link
    subject: Subject
    output: str
    photo: int
    found: np.ndarray
    expected: np.ndarray
    difference: Difference
    gate: Tolerance

    @property
    def passed(self) -> bool:
        """Whether this photo passes."""
        return self.gate.passes(self.difference)


Watch = Callable[[Comparison], None]


def unwatched(_: Comparison) -> None:
    """Shows nothing."""


def first_failure(rows: Iterable[Row]) -> str:
    """What failed first and why, for a message; rows with an explanation come first."""
    found = sorted((r for r in rows if r.status is Status.FAILED), key=lambda r: not r.note)
    return "".join(f"{r.subject} {r.output}: {r.note or 'outside its gate'}" for r in found[:1])


def counts(rows: Iterable[Row]) -> dict[Status, int]:
    """Number of rows of each status."""
    found = Counter(row.status for row in rows)
    return {status: found[status] for status in Status}


def judge(
    link: Link,
    subject: Subject | str,
    output: str,
    found: Mapping[int, Difference],
    tolerance: Tolerance,
    note: str = "",
) -> Row:
    """The row of the differences of all photos: it passes only if each passes.

    Args:
        link, subject, output: what was compared; the subject is a text where it is no file.
        found: the difference by index of the photo, at least one.
        tolerance: the gate.
        note: what else a reader must know.
    """
    worst = max(found, key=lambda k: tolerance.badness(found[k]))
    status = Status.PASSED if all(tolerance.passes(d) for d in found.values()) else Status.FAILED
    if not found[worst].finite:
        note = f"{note}; NaN or infinity in the output".removeprefix("; ")
    return Row(link, _named(subject), output, status, found[worst], str(tolerance), tolerance.reason, len(found), note,
               tolerance, worst if len(found) > 1 else None, tuple(found.values()))  # fmt: skip
