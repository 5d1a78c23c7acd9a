"""Writes kits beside a bundle's models: sources that an app's developer adds to the app."""

from collections.abc import Callable, Sequence
from pathlib import Path

from portraiture.export.kits.kotlin_kit import kotlin_files
from portraiture.reference.errors import unknown
from portraiture.reference.files import write_whole

FOLDER = "kits"

KITS: dict[str, Callable[[], dict[str, bytes]]] = {
    "kotlin": kotlin_files,
}
"""Each kit's files, content by place, by the kit's name."""


def check_kits(names: Sequence[str]) -> tuple[str, ...]:
    """The names of kits, each once.

    Raises:
        InputError: one is unknown.
    """
    for name in names:
        if name not in KITS:
            raise unknown("kit", name, KITS)
    return tuple(dict.fromkeys(names))


def write_kit(name: str, folder: Path) -> None:
    """Write a kit's files into a folder; those of the same places are replaced.

    Args:
        name: of the kit.
        folder: is made where it is not there.
    """
    for place, content in KITS[name]().items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file, content=content: file.write(content))


def write_kits(names: Sequence[str], root: Path) -> None:
    """Write kits into a bundle, each in its folder below ``kits``.

    Args:
        names: of the kits; none writes nothing.
        root: the bundle.
    """
    for name in names:
        write_kit(name, root / FOLDER / name)
