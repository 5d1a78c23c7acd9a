"""Makes a written package the same, byte for byte, each time."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path

from portraiture.export.contract import Size
from portraiture.export.describe import CONTRACT_KEY, contract_json
from portraiture.export.formats import Target
from portraiture.export.mil.package import proto

_INDEX = "Manifest.json"

_MODEL = "Data/com.apple.CoreML/model.mlmodel"

_DATE = "com.github.apple.coremltools.conversion_date"


def settle(path: Path, models: Sequence[tuple[str, Size]]) -> None:
    """Put the contract of models into a package, and make two exports of it equal byte by byte; in place.

    coremltools writes maps in the order that they have in memory, the date, and random identifiers in the index.

    Args:
        path: the package folder.
        models: name and size of each model in it.
    """
    model = proto().Model_pb2.Model()
    model.ParseFromString((path / _MODEL).read_bytes())
    model.description.metadata.userDefined.pop(_DATE, None)
    model.description.metadata.userDefined[CONTRACT_KEY] = contract_json(models, Target.COREML)
    (path / _MODEL).write_bytes(model.SerializeToString(deterministic=True))
    index = json.loads((path / _INDEX).read_text())
    entries = index["itemInfoEntries"]
    names = {old: str(uuid.uuid5(uuid.NAMESPACE_URL, f"portraiture/{e['path']}")) for old, e in entries.items()}
    index["itemInfoEntries"] = {names[old]: entry for old, entry in entries.items()}
    index["rootModelIdentifier"] = names[index["rootModelIdentifier"]]
    (path / _INDEX).write_text(json.dumps(index, indent=4, sort_keys=True) + "\n")


def read_contract(path: Path, _: Sequence[tuple[str, Size]]) -> str:
    """The contract's JSON in a package folder; empty where it has none."""
    model = proto().Model_pb2.Model()
    model.ParseFromString((path / _MODEL).read_bytes())
    return str(model.description.metadata.userDefined.get(CONTRACT_KEY, ""))
