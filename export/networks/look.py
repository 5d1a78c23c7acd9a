"""The look of a bundle's filter, as the manifest says it."""

from collections.abc import Mapping
from typing import Any

from portraiture.export.contract import FilterLook
from portraiture.export.networks.build import Checkpoints
from portraiture.export.networks.exported import Exported
from portraiture.training.models.filters.occlusion import OcclusionFilter


def look_of(network: Exported) -> FilterLook:
    """What the filter in a network draws; of one without a filter, PAPER."""
    lens = any(isinstance(module, OcclusionFilter) for module in network.modules())
    return FilterLook.LENS if lens else FilterLook.PAPER


def look_entries(checkpoints: Checkpoints) -> dict[str, Any]:
    """What the manifest says of the look of a filter: ``look``, and ``iris`` of the lens look."""
    look: dict[str, Any] = {"look": checkpoints.look.value}
    if checkpoints.look is FilterLook.LENS:
        look["iris"] = {"blades": float(checkpoints.blades), "rotation_deg": float(checkpoints.rotation_deg)}
    return look


def named_look(manifest: Mapping[str, Any]) -> FilterLook:
    """The look that a manifest names; PAPER where it names none."""
    return FilterLook(manifest.get("look") or FilterLook.PAPER.value)


def of_manifest(checkpoints: Checkpoints, manifest: Mapping[str, Any]) -> Checkpoints:
    """The checkpoints with the look that a manifest names; one that names none is of paper."""
    iris = manifest.get("iris") or {}
    return checkpoints.of_look(named_look(manifest), int(iris.get("blades", 0)), float(iris.get("rotation_deg", 0)))
