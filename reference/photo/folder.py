"""Lists the photos of a folder, and takes some of a list, evenly spread."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from portraiture.reference.errors import InputError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif")
"""The ends of a photo's name, in lower case: the formats of ``read_photo``."""

Item = TypeVar("Item")


def photos_in(folder: Path, option: str) -> list[Path]:
    """The photos of a folder in the order of their names, by ``PHOTO_SUFFIXES`` in upper or lower case.

    Hidden files and the folders inside are left out.

    Args:
        folder: where to look.
        option: what named the folder, the first word of a message, such as "--photos".

    Raises:
        InputError: no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise InputError(f"{option}: expected a folder of photos, found none at {folder}; check the path")
    found = [p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES and not p.name.startswith(".")]
    photos = sorted(p for p in found if not p.is_dir())
    if not photos:
        endings = " ".join(PHOTO_SUFFIXES)
        raise InputError(f"{option}: expected photos ({endings}) in {folder}, found none; name a folder that has some")
    return photos


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most ``limit`` items in their order, evenly spread over the whole list; all of them where it is None.

    >>> spread("abcdefg", 3)
    ['a', 'c', 'e']
    >>> spread("abc", 5), spread("abc", None)
    (['a', 'b', 'c'], ['a', 'b', 'c'])
    """
    if limit is None or limit >= len(items):
        return list(items)
    return [items[k * len(items) // limit] for k in range(limit)]
