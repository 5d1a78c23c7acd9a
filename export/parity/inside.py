"""What a model file says of itself: the contract that is written into it."""

import json
from collections.abc import Sequence
from pathlib import Path

from portraiture.export.bundle.check import refuse_difference
from portraiture.export.describe import contract_json
from portraiture.export.model_file import ModelFile
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import InputError


def check_inside(root: Path, files: Sequence[ModelFile]) -> None:
    """Hold the contract inside each file against ours.

    Args:
        root: the bundle.
        files: its models; a damaged file is left to its own row.

    Raises:
        InputError: a file carries another contract, or none.
    """
    for path in dict.fromkeys(f.path for f in files):
        own = [f for f in files if f.path == path]
        models = [(f.name, f.size) for f in own]
        try:
            text = FORMATS[own[0].target].described(root / path, models)
        except InputError:
            raise
        except Exception:  # parsers raise what they like on a damaged file, of which its own row says what it is
            continue
        try:
            found = json.loads(text or "{}")
        except ValueError:
            found = {}
        expected = json.loads(contract_json(models, own[0].target))
        refuse_difference(f"{root / path}: the contract inside", expected, found)
