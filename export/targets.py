"""The table of formats, one line each."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from portraiture.export.coreai.format import FORMAT as COREAI
from portraiture.export.coreml.format import FORMAT as COREML
from portraiture.export.formats import OWN_EXTRAS, Target
from portraiture.export.model_file import Format, ModelFile, Values
from portraiture.export.onnx.format import FORMAT as ONNX
from portraiture.export.runner import Feeds, Runner
from portraiture.export.tflite.format import FORMAT as TFLITE
from portraiture.reference.errors import InputError

FORMATS: dict[Target, Format] = {
    Target.TFLITE: TFLITE,
    Target.COREML: COREML,
    Target.ONNX: ONNX,
    Target.COREAI: COREAI,
}
"""What each format can do. Its layout, ending, precisions and routes, which the ground needs, are in ``formats.py``."""


def check_installed(targets: Iterable[Target]) -> None:
    """Raise InputError where the packages of a format are not installed."""
    for target in targets:
        if why := FORMATS[target].absent():
            install = f"pip install 'portraiture[{OWN_EXTRAS[target]}]'"
            raise InputError(f"--target {target.value}: expected its packages, found that {why}; {install}")


def open_file(root: Path, file: ModelFile) -> Runner:
    """The runner of a bundle's file."""
    return FORMATS[file.target].open(root / file.path, file)


def intermediate_values(root: Path, file: ModelFile, feeds: Feeds) -> Values:
    """What each operation of a bundle's file computes: floating-point values of four dimensions only.

    Args:
        root: the bundle.
        file: one of its files.
        feeds: the contract's inputs.
    """
    values = FORMATS[file.target].values(root / file.path, file, feeds)
    return [(name, value) for name, value in values if np.issubdtype(value.dtype, np.floating) and value.ndim == 4]
