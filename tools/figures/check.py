"""Runs the command of each marker and looks for its figures in what is printed."""

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portraiture.reference.errors import InputError, PortraitureError
from portraiture.tools.figures.markers import Marker, read_markers
from portraiture.tools.figures.numbers import Number, printed_numbers
from portraiture.tools.progress import note

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTS = ("README.md", *(f"{layer}/README.md" for layer in ("reference", "training", "export", "tools")),
             "training/*/MODEL_CARD.md")  # fmt: skip
"""What is read, below the root."""

PROGRAMS = {"portraiture": [sys.executable, "-m", "portraiture.tools.cli"], "python": [sys.executable]}
"""Programs of this environment; any other one is found by its name."""

WORDS = ("met", "differs", "failed", "skipped")

_DATA = re.compile(r"(?<![\w/.-])DATA(?P<rest>/\S*)?$")
"""``DATA`` at the end of an argument, or a path below it: ``DATA/ccp``, ``ccp=DATA/ccp``."""


@dataclass
class Verdict:
    """What became of a command: one of ``WORDS``, and a line for each reason."""

    word: str
    reasons: list[str] = field(default_factory=list)


def judge(markers: Sequence[Marker], root: Path, data: Path) -> Verdict:
    """Run the command that some markers share, and look for their figures in its output.

    Args:
        markers: of one command, one or more.
        root: where it runs.
        data: folder of the data sets.

    Raises:
        InputError: there is no such program.
    """

    def placed(word: str) -> str:
        return _DATA.sub(lambda match: f"{data}{match['rest'] or ''}", word)

    words = shlex.split(markers[0].command)
    needed = [placed(match[0]) for word in words if (match := _DATA.search(word))]
    needed += [placed(name) for marker in markers for name in marker.given]
    if absent := [name for name in needed if not (root / name).exists()]:
        return Verdict("skipped", [f"there is no {absent[0]}"])
    note(f"running {markers[0].command}")
    command = [*PROGRAMS.get(words[0], words[:1]), *map(placed, words[1:])]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError(f"{markers[0].where}: expected a program, found no {words[0]}; correct the marker") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [""]
        return Verdict("failed", [f"exit {done.returncode}: {said[-1]}"])
    printed = printed_numbers(done.stdout)
    figures = [figure for marker in markers for figure in marker.figures]
    wrong = [(place, n) for place, n in figures if not any(p.rounds_to(n) for p in printed)]
    return Verdict(
        "differs" if wrong else "met", [f"{place}: {n.digits}, {_nearest(n, printed)}" for place, n in wrong]
    )


def _nearest(figure: Number, printed: Sequence[Number]) -> str:
    if not printed:
        return "no number is printed"
    return f"nearest printed {min(printed, key=figure.gap).digits}"


def _markers(root: Path, only: str) -> list[list[Marker]]:
    """The markers of all documents whose command or place holds a text, grouped by command."""
    documents = [path for pattern in DOCUMENTS for path in sorted(root.glob(pattern))]
    if not documents:
        raise InputError(f"{root}: expected README.md and the guides, found none; name the checkout with --root")
    found = [m for path in documents for m in read_markers(path.relative_to(root).as_posix(), path.read_text())]
    groups: dict[str, list[Marker]] = {}
    for marker in found:
        if only in marker.command or only in marker.where:
            groups.setdefault(marker.command, []).append(marker)
    return list(groups.values())


def _print_list(groups: Sequence[Sequence[Marker]]) -> None:
    for group in groups:
        print(group[0].command)
        for place, number in (figure for marker in group for figure in marker.figures):
            print(f"  {place}: {number.digits}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge every command, print a line for each, and return the exit code."""
    about = "Run the commands that the guides name, and hold their figures against what is printed."
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.figures", description=about)
    parser.add_argument("--list", action="store_true", help="Print commands and figures; run nothing.")
    parser.add_argument("--only", metavar="TEXT", default="", help="Take markers whose command or file holds TEXT.")
    parser.add_argument("--data", type=Path, help="Folder of the data sets. [default: ../shared/data]")
    parser.add_argument("--root", type=Path, default=ROOT, help="Folder of README.md. [default: this checkout]")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    data = (options.data or root.parent / "shared" / "data").resolve()
    words: list[str] = []
    try:
        groups = _markers(root, options.only)
        if options.list:
            _print_list(groups)
            return 0
        for group in groups:
            verdict = judge(group, root, data)
            words.append(verdict.word)
            count = sum(len(marker.figures) for marker in group)
            print("\n  ".join([f"{verdict.word}: {group[0].command} (figures: {count})", *verdict.reasons]), flush=True)
    except PortraitureError as error:
        print(f"figures: {error}", file=sys.stderr)
        return error.exit_code
    print(", ".join(f"{words.count(word)} {word}" for word in WORDS))
    return int("differs" in words or "failed" in words)
