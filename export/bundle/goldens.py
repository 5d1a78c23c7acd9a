"""Reads golden inputs and outputs, and says what each array is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import PORTRAIT, Kind, Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.runner import Feeds
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

INDEX = "goldens/index.json"

STRIDE = 2
"""Outputs keep every second row and column. No fault of a model is confined to the rows left out, and an app carries a
quarter of the bytes."""

INPUTS = ("rgb", "filter_mask", "filter_depth")
"""Inputs of perception and filter. A further size keeps its own in a folder."""

U8, U16 = 255, 65535


_MAPS = {
    "filter": ("filter_mask", "filter_depth"),
    "segmentation_spn": ("coarse_mask_in",),
    "depth_spn": ("coarse_depth_in",),
}
"""Arrays of a model's input maps, in the contract's order."""

OUTPUT_PREFIX = {"coarse": "coarse_", "segmentation_spn": "segmentation_spn_", "depth_spn": "depth_spn_"}
"""Prefix of a model's output arrays; perception, filter and portrait have none: they give the same outputs."""


def golden_feeds(inputs: Mapping[str, np.ndarray]) -> Feeds:
    """The filter's feeds from the golden inputs as they are kept (``INPUTS``); perception takes ``rgb`` of them."""
    return {
        "rgb": inputs["rgb"] / U8,
        "mask": inputs["filter_mask"] / U16,
        "depth": inputs["filter_depth"] / U16,
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_ON_PERSON,
    }


def sampled(output: np.ndarray) -> np.ndarray:
    """The part of an output (h, w) or (h, w, 3) that a bundle keeps."""
    return output[::STRIDE, ::STRIDE]


def inputs_of(name: str) -> dict[str, str]:
    """Name of the array of each input of a model; the index itself holds the scalars."""
    maps = iter(_MAPS.get(name, ()))
    return {s.name: "rgb" if s.kind is Kind.IMAGE else next(maps)
            for s in model_contract(name).inputs if s.kind is not Kind.SCALAR}  # fmt: skip


def outputs_of(name: str) -> dict[str, str]:
    """Name of the array of each output of a model."""
    return {s.name: OUTPUT_PREFIX.get(name, "") + s.name for s in model_contract(name).outputs}


def results_folder(file: ModelFile) -> Path:
    """Where an app puts a model's outputs, relative to the folder of results."""
    return Path(file.path).with_suffix("") / file.entry


def output_shape(name: str, size: Size) -> tuple[int, ...]:
    """Shape of an output that an app writes: (h, w), or (h, w, 3) of the portrait."""
    plane = (size.height, size.width)
    return (*plane, 3) if name == PORTRAIT.name else plane


def read_golden(root: Path, index: dict[str, Any], name: str) -> np.ndarray:
    """One golden array of a bundle.

    Args:
        root: the bundle.
        index: of its goldens, as :func:`read_index` gives it.
        name: of the array in the index.
    """
    entry = index["arrays"][name]
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    return np.frombuffer((root / "goldens" / entry["file"]).read_bytes(), dtype).reshape(entry["shape"])


def read_index(root: Path) -> dict[str, Any]:
    """The index of a bundle's goldens."""
    index: dict[str, Any] = json.loads((root / INDEX).read_text())
    return index
