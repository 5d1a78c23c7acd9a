"""The first layer of the PyTorch network that a file does not reproduce.

Converters fuse, rename and lay out anew, so that a layer is not found by name but by value: the output of each module
is looked for among all values of the file, in either layout, as it is or after the activation that a converter fuses
into it. A value that differs makes all that follows differ, so that the first module, in the order of execution, whose
output the file nowhere holds while it holds what came before is where the file went wrong.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile, Values
from portraiture.export.networks.build import Networks
from portraiture.export.networks.layer_outputs import layer_outputs
from portraiture.export.networks.torch_runner import torch_inputs
from portraiture.export.runner import Feeds
from portraiture.export.targets import intermediate_values

_INT8_CLOSE = 0.2

CLOSE = {
    Precision.FP32: 1e-3,
    Precision.FP16: 3e-2,
    Precision.INT8: _INT8_CLOSE,
    Precision.INT8_STATIC: _INT8_CLOSE,
    Precision.PALETTIZED: _INT8_CLOSE,
}
"""A value is found where its error is below this share of its root mean square."""

CLOSE_ROUGH = 0.3
"""The same for precisions that store fewer bits."""


_FUSED = (lambda x: x, F.relu6, F.relu, torch.sigmoid)


@dataclass(frozen=True)
class Layer:
    """A module and how near the file comes to its output.

    Attributes:
        name: in the module tree of the exported network.
        kind: class of the module.
        found: name of the file's nearest value.
        error: its distance as a share of the output's root mean square; infinite where no value has the shape.
    """

    name: str
    kind: str
    found: str
    error: float


def _distance(expected: np.ndarray, candidates: Values) -> tuple[float, str]:
    """Root mean squared error of the nearest value of this shape in either layout, and its name."""
    best, best_name = float("inf"), "-"
    channels_last = expected.transpose(0, 2, 3, 1)
    for name, value in candidates:
        for form in (expected, channels_last):
            if value.shape == form.shape:
                error = float(np.sqrt(np.mean((value - form) ** 2)))
                if not np.isfinite(value).all():
                    error = float("inf")
                if error < best or best_name == "-":
                    best, best_name = error, name
    return best, best_name


def layers(values: Values, outputs: list[tuple[str, str, Tensor]]) -> list[Layer]:
    """Each module with the nearest of the file's values."""
    by_count: dict[int, Values] = {}
    for name, value in values:
        by_count.setdefault(value.size, []).append((name, value))
    found = []
    for name, kind, output in outputs:
        candidates = by_count.get(output.numel(), [])
        best, best_name = float("inf"), "-"
        for activation in _FUSED:
            expected = activation(output)
            rms = max(float(expected.square().mean().sqrt()), 1e-6)
            distance, value_name = _distance(expected.float().numpy(), candidates)
            if distance / rms < best or best_name == "-":
                best, best_name = distance / rms, value_name
        found.append(Layer(name, kind, best_name, best))
    return found


def first_diverging(found: list[Layer], close: float) -> Layer | None:
    """The first layer of the longest tail that is lost more than it is found; None where the file holds every layer.

    A layer here and there that a converter computes in another form is no divergence: after it, the file agrees again.
    """
    lost = [layer.error > close for layer in found]
    best, best_score, score = None, 0, 0
    for k in range(len(found) - 1, -1, -1):
        score += 1 if lost[k] else -1
        if lost[k] and score >= best_score and score > 0:
            best, best_score = found[k], score
    return best


def locate(root: Path, file: ModelFile, networks: Networks, feeds: Feeds) -> Layer | None:
    """The first layer that a file does not reproduce, or None.

    Args:
        root: the bundle.
        file: one of its files.
        networks: of the weights it was exported from.
        feeds: the contract's inputs.
    """
    network = networks.get(file.name, dtype=torch.float64)
    outputs = layer_outputs(network, torch_inputs(network, file.size, feeds))
    return first_diverging(
        layers(intermediate_values(root, file, feeds), outputs), CLOSE.get(file.precision, CLOSE_ROUGH)
    )
