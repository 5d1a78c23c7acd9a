"""Torture the commands: kill them, take their place to write, give them damaged files; print what came of it.

``python -m portraiture.tools.torture`` takes 22 minutes on one busy core. It ends with 1 where anything went wrong.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from portraiture.tools.progress import note
from portraiture.tools.torture.command import warm_up
from portraiture.tools.torture.killing import VICTIMS, Kills, Victim, killed_often
from portraiture.tools.torture.places import Case, disk_full, foreign_files, not_writable, odd_names, two_at_once
from portraiture.tools.torture.readers import KINDS, WHOLE
from portraiture.tools.torture.sound import write_sound
from portraiture.tools.torture.table import cases_table, counts_table, kills_table
from portraiture.tools.torture.workers import Count, Outcome, tortured

PARTS = ("kills", "places", "files")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.torture", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="Only this part; repeatable. [default: all]")
    parser.add_argument("--kills", type=int, default=20, help="Kills of each command. [default: 20]")
    parser.add_argument("--command", action="append", choices=[v.name for v in VICTIMS],
                        help="Only this command in kills and places; repeatable. [default: all]")  # fmt: skip
    parser.add_argument("--files", type=int, default=2000, help="Damaged files of each kind, at most. [default: 2000]")
    parser.add_argument("--seconds", type=float, default=60,
                        help="After so long no further file of a kind is read. [default: 60]")  # fmt: skip
    parser.add_argument("--kind", action="append", choices=list(KINDS), metavar="KIND",
                        help=f"Only this kind of file; repeatable: {', '.join(KINDS)}.")  # fmt: skip
    parser.add_argument("--workers", type=int, default=2, help="Commands or kinds at once. [default: 2]")
    parser.add_argument("--seed", type=int, default=0, help="Seed of moments and damage. [default: 0]")
    parser.add_argument("--sound", type=Path, help="Folder of the sound files, kept; written where it is not there.")
    return parser.parse_args(arguments)


def _kills(options: argparse.Namespace, work: Path) -> list[Kills]:
    def of_command(victim: Victim) -> Kills:
        note(f"torture: kills of {victim.name}")
        found = killed_often(victim, work / "kills", options.kills, random.Random(f"{options.seed} {victim.name}"))
        note(f"torture: {victim.name}: {found.kills} kills, {found.faults} faults")
        return found

    with ThreadPoolExecutor(options.workers) as pool:
        return list(pool.map(of_command, _chosen(options)))


def _chosen(options: argparse.Namespace) -> list[Victim]:
    return [v for v in VICTIMS if not options.command or v.name in options.command]


def _cases(options: argparse.Namespace, work: Path) -> Iterator[Case]:
    chosen = _chosen(options)
    for group in (disk_full, not_writable):
        for victim in chosen:
            note(f"torture: {group.__name__.replace('_', ' ')}, {victim.name}")
            yield from group(victim, work / group.__name__ / victim.name)
    for victim in chosen:
        note(f"torture: somebody else's files, {victim.name}")
        yield from foreign_files(victim, work / "foreign" / victim.name, into_older=False)
        if victim.name == "export":
            yield from foreign_files(victim, work / "foreign" / "older", into_older=True)
    if not options.command or "export" in options.command:
        note("torture: two exports at once")
        yield from (two_at_once(work / "two" / str(older), older) for older in (False, True))
    if not options.command:
        note("torture: odd names")
        yield from odd_names(work / "names")


def _counts(options: argparse.Namespace, work: Path) -> list[Count]:
    sound = (options.sound or work / "sound").absolute()
    if not sound.exists():
        note("torture: writing the sound files")
        write_sound(sound)

    def of_kind(kind: str) -> Count:
        note(f"torture: damaged files, {kind}")
        try:
            return tortured(kind, sound, work, options.seed, options.files, options.seconds)
        except RuntimeError as error:
            failed = Count(kind)
            failed.add(Outcome.TRACEBACK, str(error))
            return failed

    with ThreadPoolExecutor(options.workers) as pool:
        return list(pool.map(of_kind, options.kind or [k for k in KINDS if k not in WHOLE]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts and print the table of each; return 1 where anything went wrong."""
    options, started, faults = _options(arguments), time.monotonic(), 0
    parts = options.part or PARTS
    warm_up()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        work = Path(folder)
        if "kills" in parts:
            kills = _kills(options, work)
            faults += sum(k.faults for k in kills)
            print(f"{kills_table(kills)}\n", flush=True)
        if "places" in parts:
            cases = list(_cases(options, work))
            faults += sum(bool(case.wrong) for case in cases)
            print(f"{cases_table(cases)}\n", flush=True)
        if "files" in parts:
            counts = _counts(options, work)
            faults += sum(count.faults for count in counts)
            print(f"{counts_table(counts)}\n", flush=True)
    print(
        f"torture: {faults} faults in {time.monotonic() - started:.0f} s; seed {options.seed}, {options.kills} kills of"
        f" a command, {options.files} files of a kind or {options.seconds:g} s, {options.workers} at once"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
