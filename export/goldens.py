"""Golden inputs and outputs: plain little-endian files with a JSON index, so that a phone can check itself.

The picture is scikit-image's astronaut (public domain, NASA). Outputs are float64 results of the PyTorch networks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import PORTRAIT, Kind, Size, model_contract
from portraiture.export.manifest import ModelFile, write_json
from portraiture.export.networks import SPN_TASKS, Checkpoints, build
from portraiture.export.resize import to_model_size
from portraiture.export.runtimes.base import Feeds
from portraiture.export.runtimes.torch_runner import TorchRunner
from portraiture.export.tolerances import file_tolerance
from portraiture.reference.lens import APERTURE_PAPER

INDEX = "goldens/index.json"
STRIDE = 2
"""Outputs are kept at every second row and column: a fault of a model is not confined to the others, and a quarter of
the bytes travels with an app."""
INPUTS = ("rgb", "filter_mask", "filter_depth")
"""Of perception and the filter, as arrays are named at the bundle's first size; other sizes are folders."""
_U8, _U16 = 255, 65535
DEVICE_RESULTS = (
    "for each file: run it on the arrays named under inputs (rgb is uint8 over 255, maps are uint16 over 65535;"
    " aperture and focus as given) and write each output whole as OUTPUT.bin into the folder named under results:"
    " float32 or float16, little endian, row major, values 0..1, of the shape given; then run portraiture parity BUNDLE"
    " --device-results FOLDER; the float64 arrays here are every STRIDE-th row and column of the outputs"
).replace("STRIDE", str(STRIDE))
"""What an app developer is told in the index."""
FOCUS_PERSON = -1.0

_MAPS = {
    "filter": ("filter_mask", "filter_depth"),
    "segmentation_spn": ("coarse_mask_in",),
    "depth_spn": ("coarse_depth_in",),
}
"""The arrays of a model's maps in, in the contract's order."""
_OUTPUT_PREFIX = {"coarse": "coarse_", "segmentation_spn": "segmentation_spn_", "depth_spn": "depth_spn_"}
"""The other models give what perception and the filter give."""


def sample_photo() -> np.ndarray:
    """The astronaut, HxWx3 uint8."""
    import skimage.data

    return np.asarray(skimage.data.astronaut())


def golden_feeds(inputs: Mapping[str, np.ndarray]) -> Feeds:
    """The filter's feeds from the golden inputs as they are kept (``INPUTS``); perception takes ``rgb`` of them."""
    return {
        "rgb": inputs["rgb"] / _U8,
        "mask": inputs["filter_mask"] / _U16,
        "depth": inputs["filter_depth"] / _U16,
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_PERSON,
    }


def sampled(output: np.ndarray) -> np.ndarray:
    """What is kept of an output (h, w) or (h, w, 3)."""
    return output[::STRIDE, ::STRIDE]


def inputs_of(name: str) -> dict[str, str]:
    """Array by input of a model; scalars are given in the index itself."""
    maps = iter(_MAPS.get(name, ()))
    return {s.name: "rgb" if s.kind is Kind.IMAGE else next(maps)
            for s in model_contract(name).inputs if s.kind is not Kind.SCALAR}  # fmt: skip


def outputs_of(name: str) -> dict[str, str]:
    """Array by output of a model."""
    return {s.name: _OUTPUT_PREFIX.get(name, "") + s.name for s in model_contract(name).outputs}


def _u16(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * _U16), np.uint16)


def golden_arrays(
    checkpoints: Checkpoints, size: Size, photo: np.ndarray, models: Sequence[str]
) -> dict[str, np.ndarray]:
    """Inputs of models at a size as integers, and sampled float64 outputs; always of perception and filter."""

    def run(name: str, feeds: Feeds) -> dict[str, np.ndarray]:
        out = TorchRunner(build(name, checkpoints), size, torch.float64).run(feeds)
        return {outputs_of(name)[n]: value for n, value in out.items()}

    rgb = to_model_size(photo, size)
    photo_feed: Feeds = {"rgb": rgb / _U8}
    maps = run("perception", photo_feed)
    found = {"rgb": rgb, "filter_mask": _u16(maps["mask"]), "filter_depth": _u16(maps["depth"])}
    outputs = {**maps, **run("filter", golden_feeds(found))}
    if set(models) & set(_OUTPUT_PREFIX):
        coarse = run("coarse", photo_feed)
        outputs |= coarse if "coarse" in models else {}
        for name in set(models) & set(SPN_TASKS):
            (given,) = (s.name for s in model_contract(name).inputs[1:])
            found[f"{given}_in"] = _u16(coarse[given])
            outputs |= run(name, {**photo_feed, given: found[f"{given}_in"] / _U16})
    return found | {name: sampled(value) for name, value in outputs.items()}


def write_goldens(root: Path, checkpoints: Checkpoints, files: Sequence[ModelFile]) -> None:
    """Write ``goldens/*.bin``, those of further sizes in a folder each, and the index.

    Args:
        root: the bundle.
        checkpoints: its weights.
        files: what it holds.
    """
    sizes = list(dict.fromkeys(f.size for f in files))
    entries: dict[str, Any] = {}
    for size in sizes:
        prefix = "" if size == sizes[0] else f"{size}/"
        folder = root / "goldens" / prefix
        folder.mkdir(parents=True, exist_ok=True)
        models = sorted({f.name for f in files if f.size == size})
        for name, array in golden_arrays(checkpoints, size, sample_photo(), models).items():
            little = array.astype(array.dtype.newbyteorder("<"))
            (folder / f"{name}.bin").write_bytes(np.ascontiguousarray(little).tobytes())
            entries[prefix + name] = {
                "file": f"{prefix}{name}.bin",
                "dtype": str(array.dtype),
                "shape": list(array.shape),
            }
    index = {
        "size": str(sizes[0]),
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_PERSON,
        "order": "row major, little endian",
        "stride": STRIDE,
        "device_results": DEVICE_RESULTS,
        "files": [_file_entry(f, "" if f.size == sizes[0] else f"{f.size}/") for f in files],
        "arrays": entries,
    }
    write_json(root / INDEX, index)


def results_folder(file: ModelFile) -> Path:
    """Where an app puts a model's outputs, relative to the folder of results."""
    return Path(file.path).with_suffix("") / file.entry


def _file_entry(file: ModelFile, prefix: str) -> dict[str, Any]:
    """What an app must know to check one file: what goes in, what comes out, where that is put, and the gate."""
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
                "tolerance": asdict(file_tolerance(file.name, file.target, file.precision, name)),
            }
            for name, array in outputs_of(file.name).items()
        },
    }


def output_shape(name: str, size: Size) -> tuple[int, ...]:
    """Shape of an output that an app writes: (h, w), or (h, w, 3) of the portrait."""
    plane = (size.height, size.width)
    return (*plane, 3) if name == PORTRAIT.name else plane


def read_golden(root: Path, index: dict[str, Any], name: str) -> np.ndarray:
    """One golden array of a bundle."""
    entry = index["arrays"][name]
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    return np.frombuffer((root / "goldens" / entry["file"]).read_bytes(), dtype).reshape(entry["shape"])


def read_index(root: Path) -> dict[str, Any]:
    """The index of a bundle's goldens."""
    index: dict[str, Any] = json.loads((root / INDEX).read_text())
    return index
