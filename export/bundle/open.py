"""Opens a bundle and proves it whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraiture.export.bundle.check import check_manifest
from portraiture.export.bundle.checksums import verify
from portraiture.export.bundle.contents import check_contents
from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import InputError


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are those of its manifest, and whose manifest is the contract's.

    Attributes:
        root: its folder.
        manifest: as JSON holds it.
        files: its models, in the manifest's order.
    """

    root: Path
    manifest: dict[str, Any]
    files: tuple[ModelFile, ...]

    def precisions(self, target: Target) -> set[Precision]:
        """In which precisions the bundle has a format; empty where it lacks it."""
        return {f.precision for f in self.files if f.target is target}

    def find(self, target: Target, precision: Precision | None = None) -> list[ModelFile]:
        """The models of a format in one precision; default the finest that the bundle has.

        Raises:
            InputError: there are none.
        """
        files = [f for f in self.files if f.target is target]
        if not files:
            raise InputError(f"{self.root}: expected {target.value} models, found none;"
                             f" export with --target {target.value}")  # fmt: skip
        if precision is None:
            precision = min((f.precision for f in files), key=list(Precision).index)
        chosen = [f for f in files if f.precision is precision]
        if not chosen:
            there = ", ".join(dict.fromkeys(f.precision.value for f in files))
            raise InputError(f"{self.root}: expected {target.value} models in {precision.value}, found {there};"
                             f" export with --precision {precision.value}")  # fmt: skip
        return chosen


def open_bundle(root: Path) -> Bundle:
    """Read a bundle's manifest, then prove each file by its checksum, and by the contract what it and its goldens say.

    Raises:
        InputError: no bundle, a file that is missing, changed or added, or a manifest of another version.
    """
    manifest = read_manifest(root)
    verify(root, manifest)
    check_manifest(root, manifest)
    files = tuple(model_files(manifest))
    check_contents(root, files)
    return Bundle(root, manifest, files)
