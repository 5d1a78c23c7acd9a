"""An ``.aimodel`` as it lies on disk: a folder of three files. Reading what it says of itself needs no package."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraiture.export.contract import VERSION, Size, model_contract
from portraiture.export.describe import CONTRACT_KEY, contract_json
from portraiture.export.formats import Target
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json, read_bytes, write_text

PROGRAM, CHECKSUM, METADATA = "main.mlirb", "main.hash", "metadata.json"

_OWN = "creatorDefinedMetadata"

SYSTEMS = {"2.0": ("27", "27")}
"""Lowest iOS and macOS by the asset's version; Apple's runtime says ``27.0`` of such a file."""


def metadata(path: Path) -> dict[str, Any]:
    """What an ``.aimodel`` says of itself.

    Raises:
        InputError: there is no such folder, or it says nothing that can be read.
    """
    own = path / METADATA
    try:
        found = parse_json(read_bytes(own, "the metadata of an .aimodel"))
    except ValueError as error:
        raise InputError(f"{own}: expected JSON ({error}); export the bundle again") from error
    if not isinstance(found, dict):
        raise InputError(f"{own}: expected an object, found {type(found).__name__}; export the bundle again")
    return found


def check_program(path: Path) -> None:
    """Refuse an ``.aimodel`` whose program is not the one that was written: Apple's reader may crash on it.

    Raises:
        InputError: a file is missing, or the program has another checksum than the asset says.
    """
    metadata(path)
    program, checksum = (read_bytes(path / name, "a part of an .aimodel") for name in (PROGRAM, CHECKSUM))
    if hashlib.sha256(program).digest() != checksum:
        raise InputError(f"{path}: expected the program of {CHECKSUM}, found another; export the bundle again")


def describe(path: Path, models: Sequence[tuple[str, Size]]) -> None:
    """Put the contract of models into an ``.aimodel``, in place, and take the date out: equal inputs, equal bytes.

    Args:
        path: the folder.
        models: name and size of each model in it.
    """
    found = metadata(path)
    found.pop("creationDate", None)
    found |= {"description": "; ".join(model_contract(name).meaning for name, _ in models), "license": "Apache-2.0"}
    found[_OWN] = {CONTRACT_KEY: contract_json(models, Target.COREAI), "version": VERSION}
    write_text(path / METADATA, json.dumps(found, indent=2, sort_keys=True) + "\n")


def read_contract(path: Path, _: Sequence[tuple[str, Size]]) -> str:
    """The contract's JSON in an ``.aimodel``; empty where it has none."""
    own = metadata(path).get(_OWN)
    return str(own.get(CONTRACT_KEY, "")) if isinstance(own, dict) else ""


def needs(path: Path) -> dict[str, str]:
    """The lowest versions that run an ``.aimodel``: ``asset``, and ``ios`` and ``macos`` where they are known."""
    version = str(metadata(path).get("assetVersion", "unknown"))
    return {"asset": version, **dict(zip(("ios", "macos"), SYSTEMS.get(version, ()), strict=False))}
