"""The web kit: TypeScript sources that run a bundle in a browser, and the page of ``portraiture demo``.

The sources travel in the package; ``contract.ts`` is written beside them from the contract, and what npm installs or
Vite builds is never among them.
"""

import hashlib
from pathlib import Path

from portraiture.export.kits.sources import write_files
from portraiture.export.kits.typescript import FILE, typescript
from portraiture.reference.files import write_text

SOURCES = Path(__file__).with_name("web")

CONTRACT_PLACE = f"src/{FILE}"

_FOLDERS = ("public", "src", "test", "e2e")
"""Beside the files at the top. Whatever else lies there, npm or a build left."""


def kit_files() -> dict[str, bytes]:
    """The content of each file of the kit by its place in the kit, ``contract.ts`` of this version among them."""
    paths = [*SOURCES.iterdir(), *(path for folder in _FOLDERS for path in (SOURCES / folder).rglob("*"))]
    found = {
        path.relative_to(SOURCES).as_posix(): path.read_bytes()
        for path in sorted(paths)
        if path.is_file() and not path.name.startswith(".")
    }
    return found | {CONTRACT_PLACE: typescript().encode()}


def kit_hash() -> str:
    """Twelve hexadecimal digits that change when a file of the kit does, its tests aside."""
    digest = hashlib.sha256()
    for name, content in sorted(kit_files().items()):
        if not name.startswith(("test/", "e2e/")):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def write_kit(folder: Path) -> None:
    """Write the kit's files into a new folder, which its caller puts in place."""
    write_files(folder, kit_files())


def write_contract() -> Path:
    """Write ``contract.ts`` into the sources of a checkout, for an editor and the kit's own tests."""
    path = SOURCES / CONTRACT_PLACE
    write_text(path, typescript())
    return path
