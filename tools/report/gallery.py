"""Collects what the parity report shows of the compared pictures.

Arrays are reduced as they come, so that a report over many photos holds a few megabytes.
"""

from dataclasses import dataclass, field

import numpy as np

from portraiture.export.compare import Difference
from portraiture.export.parity.rows import Comparison, Link
from portraiture.export.parity.subjects import Subject, engine_note
from portraiture.tools.report.histogram import error_counts
from portraiture.tools.report.pictures import Figure, difference, picture

SHOWN_PHOTOS = 3
"""This many photos are shown, the first ones, and at most as many more where something fails; chosen, not measured."""


@dataclass(frozen=True)
class Shown:
    """What one subject gave for a photo, beside the difference from its reference."""

    subject: str
    picture: Figure
    difference: Figure


@dataclass
class Strip:
    """A reference picture and what every subject made of it."""

    title: str
    reference: Figure
    shown: list[Shown] = field(default_factory=list)


def _numbers(found: Difference) -> str:
    return f"{found.psnr_db:.1f} dB, max {found.max_abs:.1e}"


_REFERENCES = {
    Link.FILE: "PyTorch float64",
    Link.FILTER: "CRF reference",
    Link.PIPELINE: "Python pipeline, at the photo's size",
    Link.DEVICE: "golden, PyTorch float64",
}


class Gallery:
    """Collects comparisons; ``watch`` is what parity calls.

    Args:
        shown: number of photos that are shown, and of further ones where something fails; histograms count all photos.
    """

    def __init__(self, shown: int = SHOWN_PHOTOS) -> None:
        self.shown = shown
        self.counts: dict[tuple[Link, Subject, str], np.ndarray] = {}
        self.strips: dict[int, dict[str, Strip]] = {}

    def watch(self, c: Comparison) -> None:
        """Count the errors of one comparison, and keep its pictures where its photo is shown."""
        if c.found.shape != c.expected.shape:
            return
        key = (c.link, c.subject, c.output)
        counts = error_counts(c.found, c.expected)
        self.counts[key] = self.counts[key] + counts if key in self.counts else counts
        later = [k for k in self.strips if k >= self.shown]
        if c.photo >= self.shown and (c.passed or (c.photo not in later and len(later) >= self.shown)):
            return
        height, width = c.expected.shape[:2]
        file = None if c.link is Link.PIPELINE else c.subject.file
        model = "" if file is None else f"{file.name}: "
        title = f"{model}{c.output} {height}x{width}, {_REFERENCES[c.link]}"
        strips = self.strips.setdefault(c.photo, {})
        if title not in strips:
            strips[title] = Strip(title, Figure(picture(c.expected), _REFERENCES[c.link]))
        own = Figure(picture(c.found), _numbers(c.difference))
        file = None if c.link is Link.DEVICE else c.subject.file
        engine = engine_note(file).partition(",")[0] if file else ""
        strips[title].shown.append(
            Shown(f"{c.subject}{f' ({engine})' if engine else ''}", own, difference(c.found, c.expected))
        )
