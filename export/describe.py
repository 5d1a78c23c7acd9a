"""The contract of one file as plain values, for the manifest and for metadata inside the file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from portraiture.export.contract import RGB, VERSION, Kind, Size, TensorSpec, model_contract
from portraiture.export.formats import IMAGE_INPUT, LAYOUT, Target
from portraiture.export.rules import COMPOSE_RULE, RESIZE_RULE


def describe(name: str, target: Target, size: Size) -> dict[str, Any]:
    """What a manifest says of a model's inputs and outputs.

    Args:
        name: of the model.
        target: the file's format; it decides layouts and the type of the photo.
        size: height and width in pixels.
    """
    contract = model_contract(name)
    layout = LAYOUT[target]

    def tensor(spec: TensorSpec, is_input: bool) -> dict[str, Any]:
        entry = asdict(spec) | {"kind": spec.kind.name.lower(), "layout": layout, "dtype": "float32"}
        entry["range"] = [entry.pop("low"), entry.pop("high")]
        entry["shape"] = list(spec.shape(size, layout))
        if is_input and spec is RGB:
            entry |= IMAGE_INPUT.get(target, {})
        if spec.kind is Kind.IMAGE:
            entry["colour_order"] = "RGB"
        return entry

    return {
        "meaning": contract.meaning,
        "inputs": [tensor(s, True) for s in contract.inputs],
        "outputs": [tensor(s, False) for s in contract.outputs],
    }


CONTRACT_KEY = "portraiture.contract"


def contract_json(models: Sequence[tuple[str, Size]], target: Target) -> str:
    """The contract as every format carries it: names, shapes, ranges, layouts, and the rules of resizing and composing.

    Args:
        models: name and size of each model in the file.
        target: the file's format.
    """
    entries = {f"{name}_{size}": describe(name, target, size) for name, size in models}
    rules = {"resize": RESIZE_RULE, "compose": COMPOSE_RULE}
    return json.dumps({"contract_version": VERSION, **rules, "models": entries}, sort_keys=True)
