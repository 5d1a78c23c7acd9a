"""Reads damaged files in processes that may hang or die, and counts how each reading ended."""

import os
import random
import re
import resource
import shutil
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from portraiture.reference.errors import LONGEST_MESSAGE, PortraitureError
from portraiture.tools.torture.command import FORKSERVER
from portraiture.tools.torture.readers import KINDS, Kind

HANG_S = 10.0
"""A reading that takes longer is a hang."""

READY_S = 120.0

MOST_BYTES = 2 << 30
"""Address space that readings may take beside what the process has when it begins."""


class Outcome(Enum):
    """How a reading ended; the first two are right."""

    SOUND = "sound"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    TRACEBACK = "traceback"
    MEMORY = "memory"
    HANG = "hang"
    CRASH = "crash"


@dataclass
class Count:
    """What became of one kind's damaged files.

    Attributes:
        kind: its name.
        files: number that was read.
        outcomes: how many of each.
        examples: number by what went wrong, its place in it.
    """

    kind: str
    files: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> int:
        """Readings that ended in none of the two right ways."""
        return self.files - self.outcomes[Outcome.SOUND] - self.outcomes[Outcome.REFUSED]

    def add(self, outcome: Outcome, example: str = "") -> None:
        """Count one reading."""
        self.files += 1
        self.outcomes[outcome] += 1
        if example:
            self.examples[f"{outcome.value}: {example}"] += 1


def _place(error: BaseException) -> str:
    """File and line of ours in which an error was raised."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


def judged(kind: Kind, folder: Path) -> tuple[Outcome, str]:
    """Read the file of a kind once.

    Args:
        kind: what is read.
        folder: of its files.

    Returns:
        How it ended, and for a fault what it was.
    """
    try:
        kind.read(folder)
    except PortraitureError as error:
        line = " ".join(str(error).split())
        if ";" not in line:
            return Outcome.UNCLEAR, f"no next step: {line[:150]}"
        if len(line) > LONGEST_MESSAGE:
            return Outcome.UNCLEAR, f"{_place(error)}: a line of {len(line)} characters: {line[:100]}"
    except MemoryError as error:
        return Outcome.MEMORY, f"{_place(error)}: {str(error)[:100]}"
    except Exception as error:
        text = re.sub(r"\d+", "N", " ".join(str(error).split())[:100])  # so that equal faults count together
        return Outcome.TRACEBACK, f"{_place(error)}: {type(error).__name__}: {text}"
    else:
        return Outcome.SOUND, ""
    return Outcome.REFUSED, ""


def damage(kind: Kind, sound: bytes, seed: int, number: int) -> bytes:
    """The damaged file of a number; equal seeds and numbers give equal files.

    Args:
        kind: of the file.
        sound: its bytes before.
        seed: of the whole torture.
        number: from 0.
    """
    return kind.damage(sound, random.Random(f"{seed} {kind.name} {number}"))


def _serve(connection: Connection, name: str, sound: str, own: str, seed: int, numbers: tuple[int, int]) -> None:
    """What a process does: it sends each number before it reads that file, and the outcome after."""
    kind, folder = KINDS[name], Path(own)
    for output in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    if not folder.exists():
        shutil.copytree(sound, folder)
    path = folder / kind.file
    data = (Path(sound) / kind.file).read_bytes()
    path.write_bytes(data)
    if kind.settle:
        kind.settle(folder)
    kind.read(folder)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection.send("ready")
    for number in range(*numbers):
        path.write_bytes(damage(kind, data, seed, number))
        if kind.settle:
            kind.settle(folder)
        connection.send(number)
        connection.send(judged(kind, folder))
    connection.send(None)


def tortured(name: str, sound: Path, work: Path, seed: int, files: int, seconds: float) -> Count:
    """Read so many damaged files of one kind.

    Args:
        name: of the kind, a key of ``KINDS``.
        sound: folder of the sound files.
        work: folder for the copies.
        seed: of the damage.
        files: how many at most.
        seconds: after which no further file is begun; until the first one is read does not count.
    """
    count, spent = Count(name), 0.0
    own = work / name.replace("/", " ")
    while count.files < files and spent < seconds:
        spent += _one_process(count, (name, str(sound), str(own), seed, (count.files, files)), seconds - spent)
    shutil.rmtree(own, ignore_errors=True)
    return count


def _one_process(count: Count, arguments: tuple[Any, ...], seconds: float) -> float:
    """Count what one process reads, until it is done, hangs or dies, or the time is over; the seconds that it took."""
    began = time.monotonic()
    ours, theirs = FORKSERVER.Pipe()
    process = FORKSERVER.Process(target=_serve, args=(theirs, *arguments))
    process.start()
    theirs.close()
    number = -1
    try:
        if not ours.poll(READY_S) or ours.recv() != "ready":
            raise RuntimeError(f"{count.kind}: the sound file was not read; run its reader by hand")
        if not count.files:
            began = time.monotonic()
        while time.monotonic() - began < seconds:
            if not ours.poll(HANG_S):
                count.add(Outcome.HANG, f"file {number}")
                break
            message = ours.recv()
            if message is None:
                break
            if isinstance(message, int):
                number = message
            else:
                count.add(*message)
    except EOFError:
        process.join()
        if number < 0:
            raise RuntimeError(f"{count.kind}: the sound file was not read; run its reader by hand") from None
        count.add(Outcome.CRASH, f"signal {-(process.exitcode or 0)}, file {number}")
    finally:
        process.kill()
        process.join()
    return time.monotonic() - began
