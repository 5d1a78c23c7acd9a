"""Files read whole and written whole: a file or a folder appears complete under its name, or not at all.

What is written goes to a temporary name first: hidden, beside its place, and ending in ``.tmp``. A process that is
killed leaves it there; ``LEFTOVERS`` finds it.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from portraiture.reference.errors import InputError

LEFTOVERS = ".*.tmp"
"""Glob pattern of temporary files and folders, of this process, of another one at work, or of one that was killed."""


def read_bytes(path: Path, what: str) -> bytes:
    """The content of a file.

    Args:
        path: the file.
        what: the word for it in a message, with its article, such as "a photo".

    Raises:
        InputError: no such file, a folder, or one that cannot be read.
    """
    if path.is_dir():
        raise InputError(f"{path}: expected {what}, found a folder; name a file inside it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected {what}, found no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: expected {what}, found: {error.strerror}; check its rights") from None


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file by a function that takes an open binary file; it appears whole or not at all.

    Raises:
        InputError: the folder does not exist or cannot be written, or the disk is full.
    """
    with new_file(path) as temporary, _told(path), temporary.open("wb") as file:
        write(file)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8; the file appears whole or not at all. Raises as ``write_whole`` does."""
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys; the file appears whole or not at all. Raises as ``write_whole`` does."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """An empty temporary file beside ``path``, for writers that take a name: it becomes ``path`` when the block ends.

    A block that raises leaves ``path`` as it was. The file has the rights that a new file has here, even where its
    writer exchanged it for one with others.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    temporary = _temporary(path)
    try:
        with _told(path):
            temporary.touch(exist_ok=False)
            rights = temporary.stat().st_mode
        yield temporary
        with _told(path):
            temporary.chmod(rights)
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder beside ``path``, which becomes ``path`` when the block ends without an error.

    A block that raises leaves nothing. Folders above ``path`` are made. Where ``path`` came into being meanwhile, by
    another process, that one stays and the new one is dropped.

    Raises:
        InputError: the folder cannot be made.
    """
    temporary = _temporary(path)
    try:
        with _told(path):
            temporary.mkdir(parents=True)
        yield temporary
        with _told(path):
            try:
                os.rename(temporary, path)
            except OSError:
                if not path.is_dir():
                    raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """A new hidden name beside ``path``; no process of this or another machine has the same."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns an error of the file system into a message about ``path``."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: expected to write here, found: {error.strerror}; check the folder") from None
