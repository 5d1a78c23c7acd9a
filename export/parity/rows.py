"""What parity says: rows, each a comparison judged by its tolerance, and the pictures it was made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from portraiture.export.compare import Difference
from portraiture.export.tolerances import Tolerance


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
    DEVICE = "device against goldens"


@dataclass(frozen=True)
class Row:
    """One comparison: the worst photo counts; ``worst`` is its index, where there are several."""

    link: Link
    subject: str
    output: str
    status: Status
    difference: Difference | None
    tolerance: str
    reason: str
    photos: int
    note: str = ""
    gate: Tolerance | None = None
    worst: int | None = None

    def to_json(self, photos: Sequence[str] = ()) -> dict[str, Any]:
        """Plain values; ``worst`` is named where the names of the photos are given."""
        d = self.difference
        found = {} if d is None else {"max_abs": d.max_abs, "mean_abs": d.mean_abs, "psnr_db": d.psnr_db}
        if d is not None and d.iou is not None:
            found["iou"] = d.iou
        # JSON has no infinity
        figures = {k: (v if np.isfinite(v) else str(v)) for k, v in found.items()}
        return {
            "link": self.link.value,
            "subject": self.subject,
            "output": self.output,
            "status": self.status.value,
            "tolerance": self.tolerance,
            "reason": self.reason,
            "photos": self.photos,
            "note": self.note,
            **({} if self.worst is None or not photos else {"worst": photos[self.worst]}),
            **figures,
        }


@dataclass(frozen=True)
class Comparison:
    """What a row's figure of one photo is made of; for whoever wants to show it.

    Attributes:
        link, subject, output: of the row.
        photo: index of the photo, from 0.
        found, expected: HxWx3 or HxW in 0..1.
        difference: of the two.
        gate: what it must keep.
    """

    link: Link
    subject: str
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


def judge(
    link: Link, subject: str, output: str, found: Mapping[int, Difference], tolerance: Tolerance, note: str = ""
) -> Row:
    """The row of the differences by photo: it passes only if each passes."""
    worst = max(found, key=lambda k: tolerance.badness(found[k]))
    status = Status.PASSED if all(tolerance.passes(d) for d in found.values()) else Status.FAILED
    if not found[worst].finite:
        note = f"{note}; NaN or infinity in the output".removeprefix("; ")
    return Row(link, subject, output, status, found[worst], str(tolerance), tolerance.reason, len(found), note,
               tolerance, worst if len(found) > 1 else None)  # fmt: skip


def refusal(device: bool, error: Exception) -> Row:
    """The one row of a run that could not begin: files that were changed, a manifest that cannot be read."""
    link = Link.DEVICE if device else Link.FILE
    return Row(link, "bundle", "-", Status.FAILED, None, "whole and unaltered", "-", 0, str(error))
