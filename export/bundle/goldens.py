"""What the goldens of a bundle are, and how they are read: plain little-endian files with a JSON index."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import PORTRAIT, Kind, Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.tolerances import use_tolerance
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

INDEX = "goldens/index.json"

INPUTS = ("rgb", "filter_mask", "filter_depth")
"""Inputs of perception and filter. A further size keeps its own in a folder."""

U8, U16 = 255, 65535

DEVICE_RESULTS = (
    "Run each file on the arrays named under its inputs: rgb is uint8 over 255, maps are uint16 over 65535,"
    " aperture and focus are as given."
    " Write each output whole as OUTPUT.bin into the folder named under results: float32 or float16, little endian, row"
    " major, values 0..1, of the shape given."
    " Then run portraiture parity BUNDLE --device-results FOLDER. The float64 arrays here are the outputs, whole."
)
"""What the index says to an app's developer."""


_MAPS = {
    "filter": ("filter_mask", "filter_depth"),
    "segmentation_spn": ("coarse_mask_in",),
    "depth_spn": ("coarse_depth_in",),
}
"""Arrays of a model's input maps, in the contract's order."""

OUTPUT_PREFIX = {"coarse": "coarse_", "segmentation_spn": "segmentation_spn_", "depth_spn": "depth_spn_"}
"""Prefix of a model's output arrays; perception, filter and portrait have none: they give the same outputs."""


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


def _array(name: str, size: Size, prefix: str) -> dict[str, Any]:
    """The index's entry of an array by its name: rgb, a model's input map, or an output."""
    shape = output_shape(name, size)
    if name == "rgb":
        dtype, shape = "uint8", (size.height, size.width, 3)
    elif name in INPUTS or any(name in maps for maps in _MAPS.values()):
        dtype = "uint16"
    else:
        dtype = "float64"
    return {"file": f"{prefix}{name}.bin", "dtype": dtype, "shape": list(shape)}


def arrays_of(models: Sequence[str]) -> list[str]:
    """Names of the golden arrays of a size: those of perception and filter always, of other models where they are.

    Args:
        models: names of the models of that size.
    """
    names = list(INPUTS)
    for model in dict.fromkeys(("perception", "filter", *models)):
        names += [*inputs_of(model).values(), *outputs_of(model).values()]
    return list(dict.fromkeys(names))


def folders_of(files: Sequence[ModelFile]) -> dict[Size, str]:
    """Where the arrays of each size lie, relative to ``goldens/``: the first size's in it, the others' in a folder."""
    sizes = list(dict.fromkeys(f.size for f in files))
    return {size: "" if size == sizes[0] else f"{size}/" for size in sizes}


def index_of(files: Sequence[ModelFile]) -> dict[str, Any]:
    """The index of the goldens of a bundle, as JSON holds it; it says nothing that does not follow from its files.

    Args:
        files: the bundle's models, one or more, in the manifest's order.
    """
    folders = folders_of(files)
    arrays = {
        prefix + name: _array(name, size, prefix)
        for size, prefix in folders.items()
        for name in arrays_of([f.name for f in files if f.size == size])
    }
    index = {
        "size": str(next(iter(folders))),
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_ON_PERSON,
        "order": "row major, little endian",
        "stride": 1,
        "device_results": DEVICE_RESULTS,
        "files": [_file_entry(f, folders[f.size]) for f in files],
        "arrays": arrays,
    }
    plain: dict[str, Any] = json.loads(json.dumps(index))
    return plain


def _file_entry(file: ModelFile, prefix: str) -> dict[str, Any]:
    """What an app must know to check one file: its inputs, its outputs, the folder of its results, and the gate."""
    return {
        "path": file.path,
        **({"entry": file.entry} if file.entry else {}),
        "model": file.name,
        "size": str(file.size),
        "results": results_folder(file).as_posix(),
        "inputs": {name: prefix + array for name, array in inputs_of(file.name).items()},
        "outputs": {
            name: {
                "golden": prefix + array,
                "shape": list(output_shape(name, file.size)),
                "tolerance": asdict(use_tolerance(file.name, file.target, file.precision, name, file.budget_db)),
            }
            for name, array in outputs_of(file.name).items()
        },
    }


def read_golden(root: Path, index: dict[str, Any], name: str) -> np.ndarray:
    """One golden array of a bundle.

    Args:
        root: the bundle.
        index: of its goldens, as :func:`read_index` gives it.
        name: of the array in the index.

    Raises:
        InputError: the file has another length.
    """
    entry = index["arrays"][name]
    path, dtype = root / "goldens" / entry["file"], np.dtype(entry["dtype"]).newbyteorder("<")
    data, expected = path.read_bytes(), int(np.prod(entry["shape"])) * dtype.itemsize
    if len(data) != expected:
        raise InputError(f"{path}: expected {expected} bytes, found {len(data)}; export the bundle again")
    return np.frombuffer(data, dtype).reshape(entry["shape"])


def read_index(root: Path) -> dict[str, Any]:
    """The index of a bundle's goldens.

    Raises:
        InputError: it is no JSON.
    """
    try:
        index: dict[str, Any] = parse_json((root / INDEX).read_bytes())
    except ValueError as error:
        raise InputError(f"{root / INDEX}: expected JSON ({error}); export the bundle again") from error
    return index
