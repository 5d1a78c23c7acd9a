"""Golden inputs and outputs: plain little-endian files with a JSON index, so that a phone can check itself.

The picture is scikit-image's astronaut (public domain, NASA). Outputs are float64 results of the PyTorch networks.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import PORTRAIT, Precision, Size, model_contract
from portraiture.export.manifest import write_json
from portraiture.export.networks import Checkpoints, build
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
_U8, _U16 = 255, 65535
DEVICE_RESULTS = (
    "run each model of this size on rgb / 255 (the filter also on filter_mask and filter_depth / 65535, uint16) and"
    " write each output whole as TARGET/NAME/OUTPUT.bin, such as coreml/perception_512x384_fp16/mask.bin: float32 or"
    " float16, little endian, row major, values 0..1, the shape given under outputs; then run portraiture parity BUNDLE"
    " --device-results FOLDER; the float64 arrays here are every STRIDE-th row and column of the outputs"
).replace("STRIDE", str(STRIDE))
"""What an app developer is told in the index."""
FOCUS_PERSON = -1.0


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


def golden_arrays(checkpoints: Checkpoints, size: Size, photo: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs of perception and filter at a size as integers, and their sampled float64 outputs."""
    rgb = to_model_size(photo, size)
    maps = TorchRunner(build("perception", checkpoints), size, torch.float64).run({"rgb": rgb / _U8})
    inputs = {"rgb": rgb} | {f"filter_{n}": np.rint(m * _U16).astype(np.uint16) for n, m in maps.items()}
    portrait = TorchRunner(build("filter", checkpoints), size, torch.float64).run(golden_feeds(inputs))
    return inputs | {name: sampled(value) for name, value in {**maps, **portrait}.items()}


def write_goldens(root: Path, checkpoints: Checkpoints, size: Size) -> None:
    """Write ``goldens/*.bin`` and the index."""
    folder = root / "goldens"
    folder.mkdir(exist_ok=True)
    arrays = golden_arrays(checkpoints, size, sample_photo())
    entries: dict[str, Any] = {}
    for name, array in arrays.items():
        little = array.astype(array.dtype.newbyteorder("<"))
        (folder / f"{name}.bin").write_bytes(np.ascontiguousarray(little).tobytes())
        entries[name] = {"file": f"{name}.bin", "dtype": str(array.dtype), "shape": list(array.shape)}
    models = {n: [s.name for s in model_contract(n).outputs] for n in ("perception", "filter")}
    index = {
        "size": str(size),
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_PERSON,
        "order": "row major, little endian",
        "stride": STRIDE,
        "device_results": DEVICE_RESULTS,
        "tolerances": {
            precision.value: {o: asdict(file_tolerance(precision, o)) for o in ("mask", "depth", "portrait")}
            for precision in Precision
        },
        "models": models,
        "outputs": {o: list(output_shape(o, size)) for names in models.values() for o in names},
        "arrays": entries,
    }
    write_json(root / INDEX, index)


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
