"""The figures of a torture as text."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from portraiture.tools.torture.killing import Kills
from portraiture.tools.torture.places import Case
from portraiture.tools.torture.workers import Count, Outcome

MOST_EXAMPLES = 8
"""Examples of one kind that are printed, the most frequent first."""


def _aligned(rows: Sequence[Sequence[object]]) -> str:
    """Rows as columns, the first one to the left."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in texts
    )


def kills_table(found: Sequence[Kills]) -> str:
    """Kills by command, and what went wrong."""
    head = ("killed by SIGKILL", "run s", "kills", "whole after", "next run well", "litter", "left running")
    rows = [(k.name, f"{k.seconds:.1f}", k.kills, k.whole, k.went_on, k.litter, k.orphans) for k in found]
    notes = [f"  {k.name}: {' '.join(note.split())}" for k in found for note in dict.fromkeys(k.notes)]
    return "\n".join([_aligned([head, *rows]), *notes])


def cases_table(found: Iterable[Case]) -> str:
    """Cases by group, and what went wrong."""
    rows: list[tuple[object, ...]] = [("places and names", "tried", "right", "not run")]
    notes = []
    for group, members in groupby(found, lambda case: case.group):
        cases = list(members)
        skipped, wrong = [c for c in cases if c.not_run], [c for c in cases if c.wrong]
        rows.append((group, len(cases) - len(skipped), len(cases) - len(skipped) - len(wrong), len(skipped)))
        notes += [f"  {c.name}: {' '.join(c.wrong.split())}" for c in wrong]
        notes += [f"  {c.name}: not run, {c.not_run}" for c in skipped]
    return "\n".join([_aligned(rows), *notes])


def counts_table(found: Sequence[Count]) -> str:
    """Damaged files by kind, and examples of what went wrong."""
    rows: list[tuple[object, ...]] = [("damaged files", "read", *(o.value for o in Outcome))]
    rows += [(c.kind, c.files, *(c.outcomes[o] for o in Outcome)) for c in found]
    rows.append(("all", sum(c.files for c in found), *(sum(c.outcomes[o] for c in found) for o in Outcome)))
    notes = [f"  {c.kind}: {n} x {text}" for c in found for text, n in c.examples.most_common(MOST_EXAMPLES)]
    return "\n".join([_aligned(rows), *notes])
