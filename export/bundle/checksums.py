"""The sha256 of every file of a bundle."""

import hashlib
from pathlib import Path
from typing import Any

from portraiture.export.bundle.manifest import MANIFEST
from portraiture.reference.errors import InputError


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


LITTER = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""Files that systems leave in folders which they show, beside those that begin with ``._``."""

_LFS = b"version https://git-lfs.github.com/spec/"

_TEXT = frozenset((".json", ".md", ".kt", ".swift", ".ts", ".html", ".css", ".svg", ".webmanifest")) | {
    ".xml",
    ".properties",
}
"""Endings of text files, which are compared by content: a checkout may have changed how their lines end."""


def is_litter(path: Path) -> bool:
    """Whether a system left the file behind; it is no part of a bundle."""
    return path.name in LITTER or path.name.startswith("._")


def litter_in(root: Path) -> list[Path]:
    """What systems left below a bundle, sorted; it is passed over, and whoever opens the bundle is told."""
    return sorted(p for p in root.rglob("*") if is_litter(p))


def files_of(root: Path) -> list[Path]:
    """All files below a bundle that carry a checksum, sorted."""
    files = (p for p in root.rglob("*") if p.is_file() and not is_litter(p))
    return sorted(p for p in files if p != root / MANIFEST)


def checksums(root: Path) -> dict[str, str]:
    """sha256 of every file of a bundle by relative path."""
    return {p.relative_to(root).as_posix(): sha256(p) for p in files_of(root)}


def _same_lines(path: Path, expected: str) -> bool:
    """Whether a file is the expected one but for CRLF in place of LF."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest() == expected


def _refuse_changed(path: Path, expected: str) -> None:
    """Say what happened to a file whose checksum is another one."""
    with path.open("rb") as file:
        is_pointer = file.read(len(_LFS)) == _LFS
    if is_pointer:
        raise InputError(f"{path}: expected a file of the bundle, found a Git LFS pointer to it; run git lfs pull")
    if _same_lines(path, expected):
        raise InputError(f"{path}: expected the file as it was exported, found its line ends changed by a checkout;"
                         f" add '*{path.suffix} -text' to .gitattributes and check out again")  # fmt: skip
    raise InputError(f"{path}: its sha256 is not the one in {MANIFEST}: the file was changed; export the bundle again")


def verify(root: Path, manifest: dict[str, Any]) -> None:
    """Check every file's checksum; text files may have other line ends.

    Raises:
        InputError: a file is missing, was changed, or was added; or there is a symbolic link in its place.
    """
    links = sorted(p for p in root.rglob("*") if p.is_symlink())
    if links:
        raise InputError(f"{links[0]}: expected a file of the bundle, found a symbolic link;"
                         " copy what it points to into its place (cp -RL)")  # fmt: skip
    expected: dict[str, str] = manifest["files"]
    found = checksums(root)
    for name in sorted(expected.keys() | found.keys()):
        path = root / name
        if name not in found:
            raise InputError(f"{path}: expected a file of the bundle, it is missing; export the bundle again")
        if name not in expected:
            raise InputError(f"{path}: not in {MANIFEST}; remove it or export the bundle again")
        if expected[name] != found[name] and not (path.suffix in _TEXT and _same_lines(path, expected[name])):
            _refuse_changed(path, expected[name])
