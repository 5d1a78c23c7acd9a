"""One exported model in a bundle: its path, its operations, its values."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.export.contract import Size, model_contract
from portraiture.export.formats import LAYOUT, SUFFIX, Precision, Target
from portraiture.export.runner import Feeds, to_layout


@dataclass(frozen=True)
class ModelFile:
    """One exported model in a bundle.

    Attributes:
        path: relative to the bundle.
        entry: signature (TFLite) or function (Core ML) in a file that several models share; empty in a file of its own.
    """

    name: str
    target: Target
    precision: Precision
    size: Size
    path: str
    entry: str = ""


def file_path(name: str, target: Target, precision: Precision, size: Size) -> str:
    """Path inside a bundle, such as ``tflite/perception_512x384_fp16.tflite``."""
    return f"{target.value}/{name}_{size}_{precision.value}{SUFFIX[target]}"


def shared_path(target: Target, precision: Precision) -> str:
    """Path of a file that several models share, such as ``tflite/portraiture_fp16.tflite``."""
    return f"{target.value}/portraiture_{precision.value}{SUFFIX[target]}"


def entry_name(name: str, size: Size) -> str:
    """Signature or function of a model in a shared file, such as ``perception_512x384``."""
    return f"{name}_{size}"


def bytes_of(path: Path) -> int:
    """Size of a file or of all files in a folder."""
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


@dataclass(frozen=True)
class Operation:
    """One operation of a file: its type and the name of its first output, which tells the layer."""

    kind: str
    output: str


Values = list[tuple[str, np.ndarray]]
"""Name in the file, and the array as the file lays it out."""


def laid_out(file: ModelFile, feeds: Feeds) -> dict[str, np.ndarray]:
    contract, layout = model_contract(file.name), LAYOUT[file.target]
    return {s.name: to_layout(s, feeds[s.name], file.size, layout) for s in contract.inputs}
