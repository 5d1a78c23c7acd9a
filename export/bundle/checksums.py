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


def files_of(root: Path) -> list[Path]:
    """All files below a bundle that carry a checksum, sorted."""
    files = (p for p in root.rglob("*") if p.is_file())
    return sorted(p for p in files if p != root / MANIFEST)


def checksums(root: Path) -> dict[str, str]:
    """sha256 of every file of a bundle by relative path."""
    return {p.relative_to(root).as_posix(): sha256(p) for p in files_of(root)}


def verify(root: Path, manifest: dict[str, Any]) -> None:
    """Check every file's checksum.

    Raises:
        InputError: a file is missing, was changed, or was added.
    """
    expected: dict[str, str] = manifest["files"]
    found = checksums(root)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise InputError(f"{root / name}: expected a file of the bundle, it is missing; export the bundle again")
        if name not in expected:
            raise InputError(f"{root / name}: not in {MANIFEST}; remove it or export the bundle again")
        if expected[name] != found[name]:
            raise InputError(f"{root / name}: its sha256 is not the one in {MANIFEST}: the file was changed;"
                             " export the bundle again")  # fmt: skip
