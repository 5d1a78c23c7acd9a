"""Puts a finished folder in the place of an older one; a kill leaves the old bundle, the new one or none.

A bundle is written into ``.NAME.export-*/new`` beside its place. Where the system can exchange two names (Linux,
renameat2), the swap is one step; elsewhere the old folder is moved away first, and a kill between the two steps leaves
none. A writer holds a lock on its hidden folder, which the system releases when it dies, however it dies: hidden
folders that nobody holds are what killed exports left, and the next export removes them.
"""

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portraiture.export.bundle.checksums import is_litter
from portraiture.export.bundle.manifest import MANIFEST
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json, remove_abandoned

_AT_FDCWD = -100

_RENAME_EXCHANGE = 2

_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def _prefix(folder: Path) -> str:
    return f".{folder.name}.export-"


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of a folder, waited for; None where the folder is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if not path.is_dir():  # removed while we waited for the lock
        os.close(descriptor)
        return None
    return descriptor


def exchange(a: Path, b: Path) -> bool:
    """Exchange two names in one step; False where this system or file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(a), None, str(b))


def _swap(new: Path, folder: Path, away: Path) -> None:
    """Put ``new`` where ``folder`` is, and an old folder where it is to be removed."""
    with contextlib.suppress(OSError):  # another export may have put its bundle there just now
        if not folder.exists():
            os.replace(new, folder)
            return
    if not exchange(new, folder):
        os.replace(folder, away)
        os.replace(new, folder)


def _refuse_others(folder: Path) -> None:
    """Refuse to replace a folder with a file that no bundle put there.

    Raises:
        InputError: naming the first such file.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: expected an empty folder or an earlier bundle, found other files; choose another")
    named = _named_in_manifest(folder)
    for path in sorted(p for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST and name not in named and not is_litter(path):
            raise InputError(f"{folder}: expected an earlier bundle alone, found {name}, which its {MANIFEST} does not"
                             " name; move it, or choose another folder")  # fmt: skip


def _named_in_manifest(folder: Path) -> frozenset[str]:
    """The files that a bundle's manifest names, of this version or another.

    Raises:
        InputError: it is no manifest of a bundle.
    """
    try:
        return frozenset(parse_json((folder / MANIFEST).read_bytes())["files"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder}: expected an earlier bundle, found a {MANIFEST} of something else;"
                         " choose another folder") from None  # fmt: skip


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` when the block ends without an error.

    Raises:
        InputError: ``folder`` holds files that are no bundle's, or did so at the end.
    """
    _refuse_others(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for path in folder.parent.glob(f"{glob.escape(_prefix(folder))}*"):
        remove_abandoned(path)
    descriptor = None
    while descriptor is None:  # another export may remove it before it is locked
        hidden = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
        descriptor = _locked(hidden)
    try:
        new = hidden / "new"
        new.mkdir()
        yield new
        _refuse_others(folder)
        _swap(new, folder, hidden / "old")
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        os.close(descriptor)
