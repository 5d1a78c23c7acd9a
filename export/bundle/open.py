"""Opens a bundle and proves it whole."""

from pathlib import Path

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import InputError


def find(root: Path, target: Target, precision: Precision | None = None) -> list[ModelFile]:
    """The files of a target in a bundle, of one precision (default: the finest there is, in the order of the enum)."""
    files = [f for f in model_files(read_manifest(root)) if f.target is target]
    if not files:
        raise InputError(f"{root}: expected {target.value} models, found none; export with --target {target.value}")
    if precision is None:
        precision = min((f.precision for f in files), key=lambda p: list(Precision).index(p))
    chosen = [f for f in files if f.precision is precision]
    if not chosen:
        raise InputError(f"{root}: expected {precision.value} models; export with --precision {precision.value}")
    return chosen
