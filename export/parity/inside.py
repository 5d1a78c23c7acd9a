"""What a model file says of itself: the contract that is written into it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portraiture.export.bundle.check import refuse_difference
from portraiture.export.bundle.manifest import MANIFEST
from portraiture.export.describe import contract_json
from portraiture.export.model_file import ModelFile
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import InputError


def check_inside(root: Path, files: Sequence[ModelFile], entries: Sequence[Mapping[str, Any]]) -> None:
    """Hold the contract inside each file against ours, and what the manifest says that it needs against the file.

    Args:
        root: the bundle.
        files: its models; a damaged file is left to its own row.
        entries: of the same models in the manifest; those of older bundles do not say what a file needs.

    Raises:
        InputError: a file carries another contract, or none, or needs other systems than the manifest says.
    """
    needed = {entry["path"]: entry.get("needs") for entry in entries}
    for path in dict.fromkeys(f.path for f in files):
        own = [f for f in files if f.path == path]
        models = [(f.name, f.size) for f in own]
        try:
            form = FORMATS[own[0].target]
            text, needs = form.described(root / path, models), form.needs(root / path)
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
        if needed[path] is not None:
            refuse_difference(f"{root / MANIFEST}: needs of {path}", needs, needed[path])
