"""What an app reads beside the models and follows from them: the goldens' index and the constants."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from portraiture.export.bundle.check import refuse_difference
from portraiture.export.bundle.goldens import INDEX, index_of, read_index
from portraiture.export.formats import Packaging
from portraiture.export.kits.constants import FOLDER, constants
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json, write_text


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


def write_contents(root: Path, files: Sequence[ModelFile]) -> None:
    """Write the goldens' index and the constants into a bundle.

    Args:
        root: the bundle; what it had of them is replaced.
        files: its models, in the manifest's order.
    """
    write_json(root / INDEX, index_of(files))
    (root / FOLDER).mkdir(exist_ok=True)
    for name, text in constants_of(files).items():
        write_text(root / FOLDER / name, text)


def check_contents(root: Path, files: Sequence[ModelFile]) -> None:
    """Hold the goldens' index and the constants against the bundle's models.

    Args:
        root: the bundle.
        files: its models, in the manifest's order.

    Raises:
        InputError: naming the first value that is another one.
    """
    refuse_difference(str(root / INDEX), index_of(files), read_index(root))
    for name, text in constants_of(files).items():
        path = root / FOLDER / name
        lines = path.read_text(encoding="utf-8").splitlines()
        pairs = zip_longest(text.splitlines(), lines, fillvalue="nothing")
        for expected, found in (pair for pair in pairs if pair[0] != pair[1]):
            raise InputError(f"{path}: expected {expected.strip()!r}, found {found.strip()!r}: altered;"
                             " export the bundle again")  # fmt: skip
