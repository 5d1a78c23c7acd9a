"""Writes golden inputs and outputs, so that a phone can check itself.

The picture is scikit-image's astronaut (public domain, NASA). Outputs are float64 results of the PyTorch networks.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portraiture.export.bundle.goldens import folders_of, index_of
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.goldens import golden_inputs, golden_outputs
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo


def write_goldens(root: Path, truth: Truth, files: Sequence[ModelFile]) -> None:
    """Write ``goldens/*.bin``; each further size has a folder of its own.

    Args:
        root: the bundle.
        truth: of its networks.
        files: what it holds.
    """
    index = index_of(files)
    for size, prefix in folders_of(files).items():
        (root / "goldens" / prefix).mkdir(parents=True, exist_ok=True)
        models = sorted({f.name for f in files if f.size == size})
        inputs = golden_inputs(truth, size, sample_photo(), models)
        for name, array in (inputs | golden_outputs(truth, size, inputs, models)).items():
            entry = index["arrays"][prefix + name]
            little = np.ascontiguousarray(array, np.dtype(entry["dtype"]).newbyteorder("<")).reshape(entry["shape"])
            (root / "goldens" / entry["file"]).write_bytes(little.tobytes())
