"""Checks that a manifest is true: what it says of a model is the contract's, and it names every file.

``verify`` proves that the files are those of the manifest, this that the manifest was not altered beside them.
"""

import json
from pathlib import Path
from typing import Any

from portraiture.export.bundle.manifest import MANIFEST, model_files
from portraiture.export.contract import VERSION
from portraiture.export.describe import describe
from portraiture.export.formats import Target
from portraiture.export.model_file import ModelFile, bytes_of, entry_name, file_path, shared_path
from portraiture.export.rules import COMPOSE_RULE, RESIZE_RULE
from portraiture.reference.errors import InputError

_FOLDERS_OF_MODELS = tuple(f"{target.value}/" for target in Target)


def first_difference(expected: Any, found: Any, place: str = "") -> tuple[str, Any, Any] | None:
    """The first difference of two JSON values.

    Args:
        expected, found: the two; of dictionaries only the keys that are expected count.
        place: of the values in the whole, its parts joined by dots.

    Returns:
        Place, expected and found value of the difference; None where there is none.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            inner = first_difference(expected[key], found.get(key), f"{place}.{key}".lstrip("."))
            if inner:
                return inner
        return None
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        inners = (first_difference(a, b, f"{place}.{k}") for k, (a, b) in enumerate(zip(expected, found, strict=True)))
        return next((i for i in inners if i), None)
    return None if expected == found else (place, expected, found)


def refuse_difference(where: str, expected: Any, found: Any) -> None:
    """Refuse a JSON value that is not the expected one.

    Args:
        where: the file, as the message names it.
        expected, found: the two, as for :func:`first_difference`.

    Raises:
        InputError: naming the first difference.
    """
    difference = first_difference(expected, found)
    if difference:
        place, wanted, value = difference
        raise InputError(f"{where}: {place}: expected {wanted!r}, found {value!r}: altered, or of another version;"
                         " export the bundle again")  # fmt: skip


def _place(file: ModelFile) -> dict[str, str]:
    """Path, and entry in a shared file, that the bundle's naming gives a model."""
    if not file.entry:
        return {"path": file_path(file.name, file.target, file.precision, file.size)}
    return {"path": shared_path(file.target, file.precision), "entry": entry_name(file.name, file.size)}


def check_manifest(root: Path, manifest: dict[str, Any]) -> None:
    """Hold a manifest against the contract of this version.

    Raises:
        InputError: naming the first field that is not the contract's, or a model's file without an entry.
    """
    models = []
    for entry, file in zip(manifest["models"], model_files(manifest), strict=True):
        models.append(
            {
                **_place(file),
                "bytes": bytes_of(root / file.path),
                "op_count": sum(entry["ops"].values()),
                **describe(file.name, file.target, file.size),
            }
        )
    truth = {"contract_version": VERSION, "resize": RESIZE_RULE, "compose": COMPOSE_RULE, "models": models}
    refuse_difference(str(root / MANIFEST), json.loads(json.dumps(truth)), manifest)
    for name in manifest["files"]:
        known = any(name == f.path or name.startswith(f"{f.path}/") for f in model_files(manifest))
        if name.startswith(_FOLDERS_OF_MODELS) and not known:
            raise InputError(f"{root / MANIFEST}: models: expected an entry for {name}, found none: altered;"
                             " export the bundle again")  # fmt: skip
