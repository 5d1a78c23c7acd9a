"""What an Apple device needs to run a Core ML package."""

from pathlib import Path

from portraiture.export.mil.package import specification_of

SYSTEMS = {7: ("16", "13"), 8: ("17", "14"), 9: ("18", "15"), 10: ("26", "26")}
"""Lowest iOS and macOS by the model's specification version; coremltools' ``target`` has the same table."""


def needs(path: Path) -> dict[str, str]:
    """The lowest versions that run a package: ``specification``, and ``ios`` and ``macos`` where they are known."""
    version = specification_of(path)
    systems = dict(zip(("ios", "macos"), SYSTEMS.get(version, ()), strict=False))
    return {"specification": str(version), **systems}
