"""Writes golden inputs and outputs: plain little-endian files with a JSON index, so that a phone can check itself.

The picture is scikit-image's astronaut (public domain, NASA). Outputs are float64 results of the PyTorch networks.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.bundle.goldens import (
    INDEX,
    OUTPUT_PREFIX,
    STRIDE,
    U8,
    U16,
    golden_feeds,
    inputs_of,
    output_shape,
    outputs_of,
    results_folder,
    sampled,
)
from portraiture.export.contract import Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.wrappers import SPN_TASKS
from portraiture.export.pipeline.resize import to_model_size
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tolerances import file_tolerance
from portraiture.reference.files import write_json
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

DEVICE_RESULTS = (
    "Run each file on the arrays named under its inputs: rgb is uint8 over 255, maps are uint16 over 65535,"
    " aperture and focus are as given."
    " Write each output whole as OUTPUT.bin into the folder named under results: float32 or float16, little endian, row"
    " major, values 0..1, of the shape given."
    " Then run portraiture parity BUNDLE --device-results FOLDER."
    f" The float64 arrays here are every {STRIDE}nd row and column of the outputs."
)
"""What the index says to an app's developer."""


def _u16(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * U16), np.uint16)


def golden_arrays(truth: Truth, size: Size, photo: np.ndarray, models: Sequence[str]) -> dict[str, np.ndarray]:
    """Inputs of models as integers, and sampled float64 outputs.

    Args:
        truth: of the networks that are exported.
        size: of the models, height and width in pixels.
        photo: HxWx3 uint8.
        models: their names; perception and filter are always among them.

    Returns:
        Arrays by name: rgb hxwx3 uint8, maps hxw uint16, outputs float64 in 0..1, every second row and column.
    """

    def run(name: str, feeds: Feeds) -> dict[str, np.ndarray]:
        out = truth.outputs(name, size, feeds)
        return {outputs_of(name)[n]: value for n, value in out.items()}

    rgb = to_model_size(photo, size)
    photo_feed: Feeds = {"rgb": rgb / U8}
    maps = run("perception", photo_feed)
    found = {"rgb": rgb, "filter_mask": _u16(maps["mask"]), "filter_depth": _u16(maps["depth"])}
    outputs = {**maps, **run("filter", golden_feeds(found))}
    if set(models) & set(OUTPUT_PREFIX):
        coarse = run("coarse", photo_feed)
        outputs |= coarse if "coarse" in models else {}
        for name in set(models) & set(SPN_TASKS):
            (given,) = (s.name for s in model_contract(name).inputs[1:])
            found[f"{given}_in"] = _u16(coarse[given])
            outputs |= run(name, {**photo_feed, given: found[f"{given}_in"] / U16})
    return found | {name: sampled(value) for name, value in outputs.items()}


def write_goldens(root: Path, truth: Truth, files: Sequence[ModelFile]) -> None:
    """Write ``goldens/*.bin`` and the index; each further size has a folder of its own.

    Args:
        root: the bundle.
        truth: of its networks.
        files: what it holds.
    """
    sizes = list(dict.fromkeys(f.size for f in files))
    entries: dict[str, Any] = {}
    for size in sizes:
        prefix = "" if size == sizes[0] else f"{size}/"
        folder = root / "goldens" / prefix
        folder.mkdir(parents=True, exist_ok=True)
        models = sorted({f.name for f in files if f.size == size})
        for name, array in golden_arrays(truth, size, sample_photo(), models).items():
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
        "focus": FOCUS_ON_PERSON,
        "order": "row major, little endian",
        "stride": STRIDE,
        "device_results": DEVICE_RESULTS,
        "files": [_file_entry(f, "" if f.size == sizes[0] else f"{f.size}/") for f in files],
        "arrays": entries,
    }
    write_json(root / INDEX, index)


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
                "tolerance": asdict(file_tolerance(file.name, file.target, file.precision, name)),
            }
            for name, array in outputs_of(file.name).items()
        },
    }
