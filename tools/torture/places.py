"""Runs commands where they cannot write, where somebody else's files lie, and two at once in one place."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from portraiture.export.bundle.open import open_bundle
from portraiture.export.sample_photo import sample_photo
from portraiture.reference.errors import PortraitureError
from portraiture.tools.torture.command import Ended, Running, finished
from portraiture.tools.torture.killing import EXPORT, VICTIMS, Victim

MOST_BYTES = 16 << 10
"""A file may not grow beyond this in the first kind of full disk: smaller than what each command writes."""

SPARE_BYTES = 64 << 10
"""What is free on the second kind, a disk in memory."""

NOT_WRITABLE = ("file/out", "/sys/portraiture/out", "read-only/out")
"""Places that nobody can write, root neither: under a file, in the kernel's folder, on a disk mounted to be read."""

NAMES = ("<b>bold</b>", "line\nbreak\ttab", "..", "%s{0}[red]", "-o", "n" * 240, "größe 人", "x" * 3000)
"""Stems of photos' names; the last one is longer than any file system takes."""


@dataclass
class Case:
    """One thing that was tried.

    Attributes:
        group: of the table.
        name: what was tried.
        wrong: what went wrong; empty where nothing did.
        not_run: why it was not tried; empty where it was.
    """

    group: str
    name: str
    wrong: str = ""
    not_run: str = ""


@contextmanager
def disk_in_memory(folder: Path, size: int, read_only: bool = False) -> Iterator[bool]:
    """A small disk mounted at a new folder; False where this process may not mount.

    Args:
        folder: where it appears.
        size: in bytes.
        read_only: nothing can be written.
    """
    folder.mkdir()
    options = f"size={size}" + (",ro" if read_only else "")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def _left_behind(folder: Path) -> list[str]:
    """Hidden files and folders, which no command leaves where it ends by itself."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob(".*"))


def _refused(victim: Victim, folder: Path, ended: Ended) -> str:
    """What is wrong with a command that had to refuse."""
    if not ended.is_refusal:
        return f"ended with {ended.code}: {ended.log.strip()[-300:]}"
    try:
        victim.check(folder)
    except (PortraitureError, OSError, ValueError) as error:
        return f"not whole: {error}"
    left = _left_behind(folder)
    return f"left {', '.join(left)}" if left else ""


def to_place(arguments: list[str], place: str) -> list[str]:
    """Arguments with another output; one with an ending keeps its ending."""
    at = arguments.index("-o") + 1
    return [*arguments[:at], place + Path(arguments[at]).suffix, *arguments[at + 1 :]]


def disk_full(victim: Victim, work: Path) -> Iterator[Case]:
    """The command on two kinds of full disks."""
    before, folder = work / "before", work / "folder"
    before.mkdir(parents=True)
    victim.prepare(before)
    shutil.copytree(before, folder)
    ended = finished(victim.arguments(folder), folder, MOST_BYTES)
    yield Case("disk full", f"{victim.name}, files of 16 KiB at most", _refused(victim, folder, ended))
    shutil.rmtree(folder)
    used = sum(-(-p.stat().st_size // 4096) * 4096 + 4096 for p in before.rglob("*"))
    with disk_in_memory(folder, used + SPARE_BYTES) as mounted:
        case = Case("disk full", f"{victim.name}, 64 KiB free", not_run="" if mounted else "no mount")
        if mounted:
            shutil.copytree(before, folder, dirs_exist_ok=True)
            case.wrong = _refused(victim, folder, finished(victim.arguments(folder), folder))
        yield case


def not_writable(victim: Victim, work: Path) -> Iterator[Case]:
    """The command with an output that nobody can write."""
    folder = work / "folder"
    folder.mkdir(parents=True)
    victim.prepare(folder)
    (folder / "file").touch()
    with disk_in_memory(folder / "read-only", 1 << 20, read_only=True) as mounted:
        for place in NOT_WRITABLE:
            case = Case("not writable", f"{victim.name} to {place}")
            if place.startswith("read-only") and not mounted:
                case.not_run = "no mount"
            else:
                ended = finished(to_place(victim.arguments(folder), place), folder)
                case.wrong = _refused(victim, folder, ended)
            yield case


def _put_folder(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("mine")


_FOREIGN: dict[str, Callable[[Path], object]] = {
    "a text": lambda f: (f / "notes.txt").write_text("mine"),
    "a manifest.json of a web app": lambda f: (f / "manifest.json").write_text('{"name": "app"}'),
    "a folder": _put_folder,
}


def foreign_files(victim: Victim, work: Path, into_older: bool) -> Iterator[Case]:
    """The command with an output folder that holds somebody else's files: they must stay, whatever it does.

    Args:
        victim: the command.
        work: folder for the copies.
        into_older: the files lie in an older output of the command, otherwise they are all that is there.
    """
    before, folder = work / "before", work / "folder"
    before.mkdir(parents=True)
    victim.prepare(before)
    older = before / victim.arguments(before)[victim.arguments(before).index("-o") + 1]
    place = before / "theirs" if older.suffix else older
    if not into_older:
        shutil.rmtree(place, ignore_errors=True)
    for name, put in _FOREIGN.items():
        if into_older and "manifest" in name:
            continue  # it would be the older bundle's
        shutil.copytree(before, folder)
        theirs = folder / place.name
        theirs.mkdir(exist_ok=True)
        put(theirs)
        found = {p: p.read_bytes() for p in theirs.rglob("*") if p.is_file()}
        output = to_place(victim.arguments(folder), f"{place.name}/out") if older.suffix else victim.arguments(folder)
        ended = finished(output, folder)
        kept = ("notes.txt", "manifest.json") if not into_older else ("notes.txt",)
        lost = [p.name for p, data in found.items() if p.name in kept and (not p.exists() or p.read_bytes() != data)]
        wrong = f"deleted {', '.join(lost)}" if lost else ""
        if not wrong and ended.code != 0 and not ended.is_refusal:
            wrong = f"ended with {ended.code}: {ended.log.strip()[-300:]}"
        yield Case("somebody else's files", f"{victim.name}, {name}{' in an older one' if into_older else ''}", wrong)
        shutil.rmtree(folder)


def two_at_once(work: Path, older: bool) -> Case:
    """Two exports into one folder: both end well, and one whole bundle stands there."""
    folder = work / "folder"
    folder.mkdir(parents=True)
    if older:
        VICTIMS[0].prepare(folder)
    ended = [running.ended() for running in [Running(EXPORT, folder) for _ in range(2)]]
    wrong = "; ".join(f"ended with {e.code}: {e.log.strip()[-200:]}" for e in ended if e.code != 0)
    try:
        open_bundle(folder / "b")
    except PortraitureError as error:
        wrong = f"{wrong} not whole: {error}"
    if left := _left_behind(folder):
        wrong = f"{wrong} left {', '.join(left)}"
    return Case("two exports at once", "over an older one" if older else "into a new folder", wrong)


def odd_names(work: Path) -> Iterator[Case]:
    """``predict`` of photos with odd names, sound ones and damaged ones."""
    folder = work / "folder"
    folder.mkdir(parents=True)
    data = cv2.imencode(".png", sample_photo()[::4, ::4])[1].tobytes()
    for name in NAMES:
        for sound in (True, False):
            photo = folder / "photos" / f"{name}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            with_file = len(os.fsencode(photo.name)) < 256
            if with_file:
                photo.write_bytes(data if sound else data[:100])
            ended = finished(["predict", "-o", "maps", str(photo)], folder)
            fits = len(os.fsencode(f"{name}_coarse_mask.png")) < 256
            right = ended.code == 0 if sound and fits else ended.is_refusal
            outside = [p.name for p in folder.iterdir() if p.name not in ("photos", "maps")]
            wrong = "" if right and not outside else f"{ended.code}, {outside}: {ended.log.strip()[-300:]}"
            label = name if len(name) < 30 else f"{len(name)} characters"
            yield Case("odd names", f"{label!r}, {'sound' if sound else 'damaged'}", wrong)
            shutil.rmtree(folder / "photos")
            shutil.rmtree(folder / "maps", ignore_errors=True)
