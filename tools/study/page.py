"""Writes the page of a study: pairs of pictures under names that do not tell which folder they come from."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.files import new_folder, write_json, write_text
from portraiture.reference.photo.folder import photos_in
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.templates import page_of

KEY_KIND, RESULTS_KIND = "portraiture study key", "portraiture study results"
"""What a file of a study says of itself."""

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Pairs:
    """Pictures of one name in both folders.

    Attributes:
        names: without endings, in order.
        a, b: the files, in the order of the names.
        alone: names that one folder has and the other lacks, in order.
    """

    names: list[str]
    a: list[Path]
    b: list[Path]
    alone: list[str]


def find_pairs(a: Path, b: Path) -> Pairs:
    """Pair the pictures of two folders by their names without endings.

    Raises:
        InputError: no folder or no pictures, one name twice in a folder, or no name that both have.
    """
    first, second = _by_name(a, "--a"), _by_name(b, "--b")
    both = sorted(first.keys() & second.keys())
    if not both:
        raise InputError(f"--b: expected pictures named as those in {a}, found none in {b}; give both the same names")
    return Pairs(both, [first[n] for n in both], [second[n] for n in both], sorted(first.keys() ^ second.keys()))


def _by_name(folder: Path, option: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in photos_in(folder, option):
        if path.stem in found:
            raise InputError(f"{option}: expected one picture of a name, found {found[path.stem]} and {path}; drop one")
        found[path.stem] = path
    return found


def write_study(pairs: Pairs, out: Path, question: str, long_side_px: int, seed: int) -> tuple[Path, int]:
    """Write ``index.html`` and its pictures into a new folder, and the key, which tells the sides, beside it.

    Args:
        pairs: what is compared.
        out: the new folder.
        question: what people are asked of each pair.
        long_side_px: larger pictures are shrunk to it.
        seed: of the pictures' names and of the order that each participant sees.

    Returns:
        The key's file, and how many pairs were left out since both pictures are the same.

    Raises:
        InputError: the folder is there already, a picture cannot be read, or those of a pair differ in size.
    """
    if out.exists():
        raise InputError(f"-o: expected a new folder, found {out} there; name another")
    key_file = out.with_name(f"{out.name}.key.json")
    with new_folder(out) as folder:
        (folder / "pictures").mkdir()
        shown = [_written(pairs, k, folder / "pictures", long_side_px, seed) for k in range(len(pairs.names))]
        entries = [entry for entry in shown if entry]
        if not entries:
            raise InputError(
                f"--b: expected pictures that differ from --a, found {len(shown)} equal; name another folder"
            )
        study = _digest([seed, question, entries])
        write_text(folder / "index.html", _page(study, question, seed, entries))
        write_json(key_file, {"kind": KEY_KIND, "study": study, "question": question, "seed": seed,
                              "a": _folder_of(pairs.a), "b": _folder_of(pairs.b), "pairs": entries})  # fmt: skip
    return key_file, len(shown) - len(entries)


def _written(pairs: Pairs, k: int, folder: Path, long_side_px: int, seed: int) -> dict[str, str]:
    """Write both pictures of a pair; what the key says of them, nothing where both are the same."""
    first, second = read_photo(pairs.a[k]), read_photo(pairs.b[k])
    if first.shape != second.shape:
        sizes = [f"{p.shape[1]}x{p.shape[0]}" for p in (first, second)]
        raise InputError(f"{pairs.b[k]}: expected the {sizes[0]} pixels of {pairs.a[k]}, found {sizes[1]}; resize one")
    if np.array_equal(first, second):
        return {}
    entry = {"photo": pairs.names[k]}
    for side, picture in (("a", first), ("b", second)):
        entry[side] = f"{_digest([seed, pairs.names[k], side])}.png"
        write_photo(folder / entry[side], _shrunk(picture, long_side_px))
    return entry


def _shrunk(picture: np.ndarray, long_side_px: int) -> np.ndarray:
    scale = long_side_px / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def _folder_of(files: list[Path]) -> str:
    return files[0].parent.resolve().name


def _page(study: str, question: str, seed: int, entries: Iterable[dict[str, str]]) -> str:
    """The page; of each pair it has both names, the smaller one first."""
    names = [sorted((entry["a"], entry["b"])) for entry in entries]
    data: dict[str, Any] = {"kind": RESULTS_KIND, "study": study, "seed": seed, "pairs": names}
    return page_of(_TEMPLATES, "study.html", question=question, data=data, count=len(names))
