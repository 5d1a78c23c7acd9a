"""The look of a bundle's filter, as the manifest says it."""

from collections.abc import Mapping
from typing import Any

from portraiture.export.contract import FilterLook
from portraiture.export.networks.build import Checkpoints


def look_entries(checkpoints: Checkpoints) -> dict[str, Any]:
    """What the manifest says of the look of a filter: ``look``, and ``iris`` of the lens look."""
    look: dict[str, Any] = {"look": checkpoints.look.value}
    if checkpoints.look is FilterLook.LENS:
        look["iris"] = {"blades": float(checkpoints.blades), "rotation_deg": float(checkpoints.rotation_deg)}
    return look


def of_manifest(checkpoints: Checkpoints, manifest: Mapping[str, Any]) -> Checkpoints:
    """The checkpoints with the look that a manifest names; one that names none is of paper."""
    iris = manifest.get("iris") or {}
    look = FilterLook(manifest.get("look") or FilterLook.PAPER.value)
    return checkpoints.of_look(look, int(iris.get("blades", 0)), float(iris.get("rotation_deg", 0)))
