"""Times of the files that two bundles have, run in turns on this machine."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from portraiture.export.bundle.allowed import Allowed
from portraiture.export.bundle.findings import Finding, Section, Verdict
from portraiture.export.difference.pairs import Pair
from portraiture.export.parity.subjects import engine_note
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import open_file
from portraiture.reference.errors import PortraitureError
from portraiture.tools.bench.timing import turns_ms


@dataclass(frozen=True)
class Times:
    """Of a pair of files: medians in milliseconds, and the median of the ratios new / old of each turn."""

    old_ms: float
    new_ms: float
    ratio: float


def times_of(turns: list[tuple[float, ...]]) -> Times:
    """From the two times of each turn, in milliseconds."""
    table = np.asarray(turns)  # (turns, 2)
    old, new = np.median(table, axis=0)
    return Times(float(old), float(new), float(np.median(table[:, 1] / table[:, 0])))


def speed_finding(pair: Pair, truth: Truth, photo: np.ndarray, repeats: int, allowed: Allowed) -> Finding:
    """How long each file of a pair takes; the ratio is held to the rule on ``ms`` where one was named.

    A Core ML package is run by our interpreter off macOS: its time is no phone's, and is never judged.

    Args:
        pair: the two files.
        truth: its feeds are what both are given.
        photo: HxWx3 uint8.
        repeats: turns, 1 or more; medians count.
        allowed: the rules.
    """
    rule = allowed.growth.get("ms")
    if pair.is_same:
        return Finding(Section.SPEED, pair.name, "ms", Verdict.SAME, note="same bytes")
    why = pair.why_not_run()
    if not why:
        try:
            sides = pair.sides()
            feeds = truth.feeds(sides[1][1].name, sides[1][1].size, photo)
            times = times_of(turns_ms([partial(open_file(*side).run, feeds) for side in sides], repeats))
        except PortraitureError as error:
            why = str(error)
    if why:
        verdict = Verdict.WORSE if rule else Verdict.NOT_COMPARED
        return Finding(Section.SPEED, pair.name, "ms", verdict, note=why, rule=rule.text if rule else "")
    note = engine_note(sides[1][1])
    said = "; ".join(t for t in (f"{times.ratio:.2f} times as long", note) if t)
    verdict, held = Verdict.MEASURED, ""
    if rule is not None and not note:
        held = rule.text
        verdict = Verdict.ALLOWED if rule.allows(times.old_ms, times.old_ms * times.ratio) else Verdict.WORSE
    return Finding(Section.SPEED, pair.name, "ms", verdict, f"{times.old_ms:.3g}", f"{times.new_ms:.3g}", said, held)
