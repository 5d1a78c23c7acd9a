"""Checks that what an app reads beside the models says what follows from them: the goldens' index and the constants."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from portraiture.export.bundle.check import first_difference
from portraiture.export.bundle.goldens import INDEX, index_of, read_index
from portraiture.export.formats import Packaging
from portraiture.export.kits.constants import FOLDER, constants
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import InputError


def constants_of(files: Sequence[ModelFile]) -> dict[str, str]:
    """The text of each file of constants of a bundle, by the file's name.

    Args:
        files: the bundle's models, one or more, in the manifest's order.
    """
    shared = {f.target for f in files if f.entry}
    packaging = Packaging.SHARED if shared else Packaging.SINGLE
    if any(f.target in shared and not f.entry for f in files):
        packaging = Packaging.BOTH
    models, sizes = dict.fromkeys(f.name for f in files), dict.fromkeys(f.size for f in files)
    return constants(list(models), list(sizes), packaging)


def check_contents(root: Path, files: Sequence[ModelFile]) -> None:
    """Hold the goldens' index and the constants against the bundle's models.

    Args:
        root: the bundle.
        files: its models, in the manifest's order.

    Raises:
        InputError: naming the first value that is another one.
    """
    difference = first_difference(index_of(files), read_index(root))
    if difference:
        place, expected, found = difference
        raise InputError(f"{root / INDEX}: {place}: expected {expected!r}, found {found!r}: altered, or of another"
                         " version; export the bundle again")  # fmt: skip
    for name, text in constants_of(files).items():
        path = root / FOLDER / name
        lines = path.read_text(encoding="utf-8").splitlines()
        pairs = zip_longest(text.splitlines(), lines, fillvalue="nothing")
        for expected, found in (pair for pair in pairs if pair[0] != pair[1]):
            raise InputError(f"{path}: expected {expected.strip()!r}, found {found.strip()!r}: altered;"
                             " export the bundle again")  # fmt: skip
