"""Kills commands with SIGKILL at random moments, and looks at what they leave and at what the next run makes of it."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from portraiture.export.bundle.open import open_bundle
from portraiture.export.sample_photo import sample_photo
from portraiture.reference.errors import PortraitureError
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.torture.command import Ended, Running, finished
from portraiture.tools.torture.sound import write_pairs, write_photos
from portraiture.training.rendered.files import list_pairs, read_pair
from portraiture.training.tensor_files import load_tensors

TRIES = 8
"""A run that ends before its moment is begun again, with half of the time, at most so often."""


@dataclass(frozen=True)
class Victim:
    """A command that is killed.

    Attributes:
        name: of the command.
        arguments: of ``portraiture``, for the run that is killed and for the next one, in the folder.
        prepare: ``prepare(folder)`` writes what it takes, and an older output.
        check: ``check(folder)`` raises where what stands under its final name is not whole.
        results: ``results(folder)``, the files that an undisturbed run and an interrupted one must write alike.
    """

    name: str
    arguments: Callable[[Path], list[str]]
    prepare: Callable[[Path], None]
    check: Callable[[Path], object]
    results: Callable[[Path], Iterable[Path]]


EXPORT = ["export", "-o", "b", "--target", "onnx", "--size", "64x64", "--precision", "fp32", "--no-gate",
          "--model", "coarse"]  # fmt: skip

PAIRS = ["pairs", "--photos", "photos", "--maps", "maps", "-o", "pairs", "--size", "96x64", "--settings", "1",
         "--workers", "1"]  # fmt: skip

RENDER = ["render", "me.png", "-o", "out.png", "--anyway"]

TRAIN = ["train", "filter", "--recipe", "smoke", "--data", "pairs=pairs", "--data", "held-out=pairs", "-o", "run"]


def _old_bundle(folder: Path) -> None:
    """An older bundle, of another size."""
    done = finished([a.replace("64x64", "64x96") for a in EXPORT], folder)
    if done.code != 0:
        raise RuntimeError(f"export for the torture: {done.log}")


def _photo_and_old_portrait(folder: Path) -> None:
    photo = sample_photo()[::2, ::2].copy()
    write_photo(folder / "me.png", photo)
    write_photo(folder / "out.png", photo)


def train_again(folder: Path) -> list[str]:
    """The next run of a training: with a state it goes on from there."""
    return [*TRAIN, "--resume"] if (folder / "run/state.safetensors").exists() else TRAIN


def _check_pairs(folder: Path) -> None:
    if any((folder / "pairs").glob("*/pair.json")):
        for path in list_pairs(folder / "pairs"):
            read_pair(path)
    for path in (folder / "pairs").glob("pairs.json"):
        json.loads(path.read_text())


def _check_run(folder: Path) -> None:
    for path in (folder / "run").glob("[!.]*.safetensors"):
        load_tensors(path)


VICTIMS = (
    Victim("export", lambda _: EXPORT, _old_bundle, lambda f: open_bundle(f / "b"),
           lambda f: (p for p in (f / "b").rglob("*") if p.is_file())),
    Victim("train", train_again, lambda f: write_pairs(f / "pairs", 3), _check_run,
           lambda f: [f / "run" / name for name in ("weights.safetensors", "shipped.safetensors")]),
    Victim("pairs", lambda _: PAIRS, lambda f: write_photos(f, 6), _check_pairs,
           lambda f: (f / "pairs").rglob("*.*")),
    Victim("render", lambda _: RENDER, _photo_and_old_portrait, lambda f: read_photo(f / "out.png"),
           lambda f: [f / "out.png"]),
)  # fmt: skip


@dataclass
class Kills:
    """What the kills of one command led to; all but ``kills``, ``whole`` and ``went_on`` should be 0.

    Attributes:
        name: of the command.
        seconds: an undisturbed run took.
        kills: processes that were killed.
        whole: kills after which everything under its final name was whole.
        went_on: kills after which the next run ended well, with the same files as an undisturbed one.
        litter: files that were left after the next run.
        orphans: children that were left running.
        failed: 1 where a run fails that is not disturbed.
        notes: what went wrong.
    """

    name: str
    seconds: float = 0.0
    kills: int = 0
    whole: int = 0
    went_on: int = 0
    litter: int = 0
    orphans: int = 0
    failed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Number of kills and files that are not as they should be."""
        return 2 * self.kills - self.whole - self.went_on + self.litter + self.orphans + self.failed


def digest(files: Iterable[Path]) -> str:
    """Of the names and contents of files; a file that is not there counts as empty."""
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(f"{path.name}\n".encode() + (path.read_bytes() if path.is_file() else b""))
    return found.hexdigest()


def names_in(folder: Path) -> set[str]:
    """Of all files and folders below."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*")}


def killed_often(victim: Victim, work: Path, kills: int, rng: random.Random) -> Kills:
    """Kill a command so often, each time in a new copy of its folder, and run it once more after each kill.

    Args:
        victim: the command.
        work: folder for the copies.
        kills: how often.
        rng: draws the moments, evenly over an undisturbed run.

    Returns:
        What came of it; no kills where a run fails that is not disturbed.
    """
    before, folder = work / f"{victim.name} before", work / victim.name
    before.mkdir(parents=True)
    victim.prepare(before)
    shutil.copytree(before, folder)
    sound = finished(victim.arguments(folder), folder)
    if sound.code != 0:
        return Kills(victim.name, sound.seconds, failed=1, notes=(f"fails undisturbed: {sound.log.strip()[-300:]}",))
    expected, names = digest(victim.results(folder)), names_in(folder)
    result = Kills(victim.name, sound.seconds)
    for _ in range(kills):
        shutil.rmtree(folder)
        shutil.copytree(before, folder)
        result.orphans += _kill(victim, folder, rng.random() * sound.seconds)
        result.kills += 1
        note = _what_is_left(victim, folder)
        result.whole += not note
        after = finished(victim.arguments(folder), folder)
        result.orphans += after.orphans
        goes_on = after.code == 0 and digest(victim.results(folder)) == expected
        result.went_on += goes_on
        litter = sorted(names_in(folder) - names)
        result.litter += len(litter)
        result.notes += _notes(note, after, goes_on, litter)
    shutil.rmtree(folder)
    shutil.rmtree(before)
    return result


def _kill(victim: Victim, folder: Path, seconds: float) -> int:
    """Kill a run; the number of children that went on without it."""
    for _ in range(TRIES):
        running = Running(victim.arguments(folder), folder)
        killed = running.killed_after(seconds)
        orphans = running.ended().orphans
        if killed:
            return orphans
        seconds /= 2
    raise RuntimeError(f"{victim.name}: ended before it was killed, {TRIES} times; run the torture on an idle machine")


def _what_is_left(victim: Victim, folder: Path) -> str:
    """What is not whole under its final name; empty where all is."""
    try:
        victim.check(folder)
    except (PortraitureError, OSError, ValueError) as error:
        return f"not whole: {error}"
    return ""


def _notes(note: str, after: Ended, goes_on: bool, litter: list[str]) -> tuple[str, ...]:
    said = f"the next run ended with {after.code}: {after.log.strip()[-200:]}" if after.code else ""
    other = "the next run wrote other files" if not goes_on and not said else ""
    return tuple(n for n in (note, said, other, f"litter: {', '.join(litter)}" if litter else "") if n)
