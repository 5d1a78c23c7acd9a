"""Golden inputs and outputs: plain little-endian files with a JSON index, so that a phone can check itself.

The picture is scikit-image's astronaut (public domain, NASA). Outputs are float64 results of the PyTorch networks.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import Precision, Size, model_contract
from portraiture.export.manifest import write_json
from portraiture.export.networks import Checkpoints, build
from portraiture.export.resize import to_model_size
from portraiture.export.runtimes.base import Feeds
from portraiture.export.runtimes.torch_runner import TorchRunner
from portraiture.export.tolerances import file_tolerance
from portraiture.reference.lens import APERTURE_PAPER

INDEX = "goldens/index.json"
DEVICE_RESULTS = (
    "run each model of this size on rgb (/ 255; mask and depth of this folder for the filter) and write each output as"
    " TARGET/NAME/OUTPUT.bin, such as coreml/perception_512x384_fp16/mask.bin: float32 or float16, little endian, row"
    " major, values 0..1, the shape given here; then run: portraiture parity BUNDLE --device-results FOLDER"
)
"""What an app developer is told in the index."""
FOCUS_PERSON = -1.0


def sample_photo() -> np.ndarray:
    """The astronaut, HxWx3 uint8."""
    import skimage.data

    return np.asarray(skimage.data.astronaut())


def golden_outputs(checkpoints: Checkpoints, size: Size, photo: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs and float64 outputs of perception and filter at a size."""
    rgb = to_model_size(photo, size)
    perception = TorchRunner(build("perception", checkpoints), size, torch.float64)
    maps = perception.run({"rgb": rgb / 255})
    rnn_filter = TorchRunner(build("filter", checkpoints), size, torch.float64)
    feeds: Feeds = {"rgb": rgb / 255, **maps, "aperture": APERTURE_PAPER, "focus": FOCUS_PERSON}
    return {"rgb": rgb, **maps, **rnn_filter.run(feeds)}


def write_goldens(root: Path, checkpoints: Checkpoints, size: Size) -> None:
    """Write ``goldens/*.bin`` and the index."""
    folder = root / "goldens"
    folder.mkdir(exist_ok=True)
    arrays = golden_outputs(checkpoints, size, sample_photo())
    entries: dict[str, Any] = {}
    for name, array in arrays.items():
        little = array.astype(array.dtype.newbyteorder("<"))
        (folder / f"{name}.bin").write_bytes(np.ascontiguousarray(little).tobytes())
        entries[name] = {"file": f"{name}.bin", "dtype": str(array.dtype), "shape": list(array.shape)}
    index = {
        "size": str(size),
        "aperture": APERTURE_PAPER,
        "focus": FOCUS_PERSON,
        "order": "row major, little endian",
        "device_results": DEVICE_RESULTS,
        "tolerances": {
            precision.value: {o: asdict(file_tolerance(precision, o)) for o in ("mask", "depth", "portrait")}
            for precision in Precision
        },
        "models": {n: [s.name for s in model_contract(n).outputs] for n in ("perception", "filter")},
        "arrays": entries,
    }
    write_json(root / INDEX, index)


def read_golden(root: Path, index: dict[str, Any], name: str) -> np.ndarray:
    """One golden array of a bundle."""
    entry = index["arrays"][name]
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    return np.frombuffer((root / "goldens" / entry["file"]).read_bytes(), dtype).reshape(entry["shape"])


def read_index(root: Path) -> dict[str, Any]:
    """The index of a bundle's goldens."""
    index: dict[str, Any] = json.loads((root / INDEX).read_text())
    return index
