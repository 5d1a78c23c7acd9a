"""A kit's sources: read from the package, written beside the models."""

from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path

SOURCE_VERSION = "0-source"
"""What stands for the version in the sources."""


def sources_of(root: Path, versioned: Collection[str], skip: Collection[str]) -> dict[str, bytes]:
    """The content of each file below a folder by its place there; hidden files and folders are passed over.

    Args:
        root: the kit's sources.
        versioned: names of files in which this package's version is written.
        skip: names of files and folders that a build leaves.
    """
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(p in skip or p.startswith(".") for p in path.relative_to(root).parts)
    }
    for name in found:
        if Path(name).name in versioned:
            found[name] = found[name].replace(SOURCE_VERSION.encode(), version("portraiture").encode())
    return found


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their places in a folder; those of the same places are replaced.

    Args:
        folder: of the kit.
        files: content by place.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
