"""Files read whole and written whole: a file or a folder appears complete under its name, or not at all.

What is written goes to a temporary name first: hidden, beside its place, and ending in ``.tmp``. Its writer holds a
lock on it, which the system releases when the writer dies, however it dies: what nobody holds a killed process has
left, and whoever writes the same file or folder next removes it. ``LEFTOVERS`` finds those of all names.
"""

import contextlib
import errno
import glob
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from portraiture.reference.errors import InputError

LEFTOVERS = ".*.tmp"
"""Glob pattern of temporary files and folders, of this process, of another one at work, or of one that was killed."""

NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""Errors of writing that name no file: a full disk, a limit of a file's size, a quota."""

_NAME_CHARACTERS = 50
"""Of a name that enter the temporary one: in UTF-8 they and what is added stay below 255 bytes, a name's most."""


def cache_folder() -> Path:
    """The user's folder for what can be made again; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portraiture"


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


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; whoever reads JSON of others reads it by this.

    Raises:
        ValueError: no JSON, nested too deeply, or a number that JSON does not have, such as NaN.
    """
    try:
        return json.loads(text, parse_constant=_refuse_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file by a function that takes an open binary file; it appears whole or not at all.

    Raises:
        InputError: the folder does not exist or cannot be written, or the disk is full.
    """
    with new_file(path) as temporary, temporary.open("wb") as file:
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
    writer exchanged it for one with others; but such a one is not locked.

    Raises:
        InputError: the folder does not exist or cannot be written, or the disk is full.
    """
    with _told(path):
        temporary, lock = _locked_temporary(path, lambda new: new.touch(exist_ok=False))
    try:
        with _told(path):
            rights = temporary.stat().st_mode
        with _told(path, temporary):
            yield temporary
        with _told(path):
            temporary.chmod(rights)
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
        os.close(lock)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder beside ``path``, which becomes ``path`` when the block ends without an error.

    A block that raises leaves nothing. Folders above ``path`` are made. Where ``path`` came into being meanwhile, by
    another process, that one stays and the new one is dropped.

    Raises:
        InputError: the folder cannot be made, or the disk is full.
    """
    with _told(path):
        temporary, lock = _locked_temporary(path, lambda new: new.mkdir(parents=True))
    try:
        with _told(path, temporary):
            yield temporary
        with _told(path):
            try:
                os.rename(temporary, path)
            except OSError:
                if not path.is_dir():
                    raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def _locked_temporary(path: Path, make: Callable[[Path], object]) -> tuple[Path, int]:
    """A new hidden file or folder beside ``path``, and the descriptor that holds its lock.

    No process of this or another machine has the same name. What killed processes left of ``path`` is removed first.
    """
    for left in path.parent.glob(f".{glob.escape(path.name[:_NAME_CHARACTERS])}.{'[0-9a-f]' * 12}.tmp"):
        remove_abandoned(left)
    while True:
        temporary = path.with_name(f".{path.name[:_NAME_CHARACTERS]}.{uuid.uuid4().hex[:12]}.tmp")
        make(temporary)
        with contextlib.suppress(FileNotFoundError):  # another writer took it for abandoned before it was locked
            lock = os.open(temporary, os.O_RDONLY)
            _lock(lock)
            if temporary.exists():
                return temporary, lock
            os.close(lock)


def remove_abandoned(left: Path) -> None:
    """Remove a temporary file or folder unless its writer is at work."""
    with contextlib.suppress(OSError):
        descriptor = os.open(left, os.O_RDONLY)
        try:
            if _lock(descriptor):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Whether the lock of a file or folder could be taken; False also where the system or the disk has no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


@contextlib.contextmanager
def _told(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Turns an error of the file system into a message about ``path``.

    With ``temporary``, errors that name another file than it or one in it pass: they are not about what is written.
    """
    try:
        yield
    except OSError as error:
        if temporary is not None and error.filename and not Path(error.filename).is_relative_to(temporary):
            raise
        cure = "shorten the name" if error.errno == errno.ENAMETOOLONG else "check the folder"
        raise InputError(f"{path}: expected to write here, found: {error.strerror}; {cure}") from None
