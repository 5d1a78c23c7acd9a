"""The first layer of the PyTorch network that a file does not reproduce.

Converters fuse, rename and lay out anew. So this looks for a layer by value, not by name: for the output of each module
among all values of the file, in either layout, as it is or after an activation that a converter fuses into it. A value
that differs makes all later ones differ. The file went wrong at the first module, in the order of execution, whose
output it does not hold while it holds the outputs before.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile, Values
from portraiture.export.networks.build import Networks
from portraiture.export.networks.exported import torch_inputs
from portraiture.export.networks.layer_outputs import layer_outputs
from portraiture.export.runner import Feeds
from portraiture.export.targets import intermediate_values

_INT8_CLOSE = 0.2
"""For the precisions that keep 8 bits of a weight."""

CLOSE = {
    Precision.FP32: 1e-3,
    Precision.FP16: 3e-2,
    Precision.INT8: _INT8_CLOSE,
    Precision.INT8_STATIC: _INT8_CLOSE,
    Precision.PALETTIZED: _INT8_CLOSE,
    Precision.PLAN: _INT8_CLOSE,
}
"""A file holds an output where the error is below this share of the output's root mean square. fp32 rounds to 1e-7 and
fp16 to 5e-4 per operation, which some 1,000 operations add up; the values themselves were chosen, not measured."""

_LEAST_RMS = 1e-6
"""Root mean square of an output that is 0 everywhere; keeps the share finite. Chosen, not measured."""

_FUSED = (lambda x: x, F.relu6, F.relu, torch.sigmoid)
"""What a converter may have applied to a module's output before the file shows it."""


@dataclass(frozen=True)
class LayerMatch:
    """A module, and the value of the file that is nearest to its output.

    Attributes:
        name: in the module tree of the exported network.
        kind: class of the module.
        found: name of the nearest value in the file; "-" where no value has the output's shape.
        error: distance of that value as a share of the output's root mean square; infinite where no value has the
            shape, or the value holds NaN or infinity.
    """

    name: str
    kind: str
    found: str
    error: float


def nearest_values(values: Values, outputs: list[tuple[str, str, Tensor]]) -> list[LayerMatch]:
    """The nearest of a file's values for each module.

    Args:
        values: name and array of each value in the file, 4 axes in either layout.
        outputs: name, kind and output (1, C, H, W) of each module.
    """
    by_count: dict[int, Values] = {}
    for name, value in values:
        by_count.setdefault(value.size, []).append((name, value))
    return [
        LayerMatch(name, kind, *_nearest(output, by_count.get(output.numel(), []))) for name, kind, output in outputs
    ]


def _nearest(output: Tensor, candidates: Values) -> tuple[str, float]:
    """Name and error of the value that is nearest to an output in any of its forms."""
    found, least = "-", float("inf")
    for activation in _FUSED:
        active = activation(output)
        rms = max(float(active.square().mean().sqrt()), _LEAST_RMS)
        expected = active.float().numpy()
        forms = (expected, expected.transpose(0, 2, 3, 1))  # (1, C, H, W), (1, H, W, C)
        for (name, value), form in product(candidates, forms):
            if value.shape == form.shape:
                finite = bool(np.isfinite(value).all())
                error = float(np.sqrt(np.mean((value - form) ** 2))) / rms if finite else float("inf")
                if error < least or found == "-":
                    found, least = name, error
    return found, least


def first_diverging(found: list[LayerMatch], close: float) -> LayerMatch | None:
    """Where the file went wrong: from this layer to the last, more are lost than found. None where there is no such.

    Of several the one with the most lost above found. A single lost layer before layers that are found is no
    divergence: a converter computed it in another form.
    """
    lost = [match.error > close for match in found]
    best, best_score, score = None, 0, 0
    for k in range(len(found) - 1, -1, -1):
        score += 1 if lost[k] else -1
        if lost[k] and score >= best_score and score > 0:
            best, best_score = found[k], score
    return best


def locate(root: Path, file: ModelFile, networks: Networks, feeds: Feeds) -> LayerMatch | None:
    """The first layer that a file does not reproduce, or None.

    Args:
        root: folder of the bundle.
        file: one of its files.
        networks: the networks it was exported from.
        feeds: the contract's inputs: images HxWx3 and maps HxW in 0..1, scalars.
    """
    network = networks.get(file.name, dtype=torch.float64)
    outputs = layer_outputs(network, torch_inputs(network, file.size, feeds))
    return first_diverging(nearest_values(intermediate_values(root, file, feeds), outputs), CLOSE[file.precision])
