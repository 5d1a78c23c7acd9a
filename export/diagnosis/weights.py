"""Whether a file holds the checkpoint's weights: each convolution's values are looked for among the file's constants.

Formats lay weights out differently, and converters fold a normalisation into the convolution before it. The set of a
layer's values stays the same: sorted, it is compared with every constant of as many values. No model runs, so that a
wrong weight is not taken for a wrong computation.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.targets import FORMATS

_ROUNDING = {Precision.FP32: 1e-5, Precision.FP16: 1e-3}
"""Largest difference as a share of a layer's largest weight: folding in float32, rounding to fp16."""


_PLANES = 4
"""The three colours and their weight, which the filter blurs by the same kernel."""

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class OtherWeights:
    """A layer that the file holds with other weights.

    Attributes:
        name: in the module tree of the exported network.
        kind: class of the module.
        differ: number of values in the file's nearest constant that the layer does not have; None where no constant
            has as many values.
        of: number of values of the layer.
        finite: the nearest constant holds neither NaN nor infinity.
    """

    name: str
    kind: str
    differ: int | None
    of: int
    finite: bool


def layer_weights(network: nn.Module) -> list[tuple[str, str, list[np.ndarray]]]:
    """Name, kind and sorted weights of each convolution, with and without the normalisation that follows it.

    A kernel that is no layer's own counts as one.
    """
    leaves = [(n, m) for n, m in network.named_modules() if next(m.children(), None) is None]
    found = []
    for (name, conv), (_, after) in zip(leaves, [*leaves[1:], ("", nn.Identity())], strict=True):
        if not isinstance(conv, _CONVOLUTIONS):
            continue
        weight = conv.weight.detach().double()
        forms = [weight]
        if isinstance(after, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            assert after.running_var is not None
            scale = after.weight.detach().double() / torch.sqrt(after.running_var.double() + after.eps)
            forms.append(weight * scale.reshape(-1, 1, 1, 1))
        found.append((name, type(conv).__name__, [np.sort(f.numpy().ravel()) for f in forms]))
    own = {id(conv.weight) for _, conv in leaves if isinstance(conv, _CONVOLUTIONS)}
    for name, kernel in network.named_parameters():
        if id(kernel) not in own and kernel.dim() == 4:  # as it is, and once for each plane
            values = kernel.detach().double().numpy().ravel()
            found.append((name, "kernel", [np.sort(np.tile(values, planes)) for planes in (1, _PLANES)]))
    return found


def _differ(expected: np.ndarray, found: np.ndarray, close: float) -> int:
    """Number of found values that lie farther than ``close`` from every expected one; both sorted, NaN last."""
    place = np.searchsorted(expected, found)
    below, above = expected[np.maximum(place - 1, 0)], expected[np.minimum(place, len(expected) - 1)]
    nearest = np.minimum(np.abs(found - below), np.abs(found - above))
    return int(np.count_nonzero(~(nearest <= close)))


def other_weights(root: Path, file: ModelFile, network: nn.Module) -> tuple[list[OtherWeights], int]:
    """The convolutions that a file holds with other weights than the network's, and the number of all convolutions.

    Args:
        root: folder of the bundle.
        file: one of its files; only fp32 and fp16 are judged, since the other precisions change the weights.
        network: the network it was exported from.
    """
    layers = layer_weights(network)
    if file.precision not in _ROUNDING:
        return [], len(layers)
    by_count: dict[int, list[np.ndarray]] = {}
    for value in FORMATS[file.target].constants(root / file.path):
        by_count.setdefault(value.size, []).append(np.sort(value.astype(np.float64)))
    wrong = []
    for name, kind, forms in layers:
        of = forms[0].size
        best: tuple[int, bool] | None = None
        for expected in forms:
            close = _ROUNDING[file.precision] * float(np.abs(expected).max())
            for found in by_count.get(expected.size, []):
                # equal sets: in order, one by one
                differ = 0 if np.abs(found - expected).max() <= close else max(1, _differ(expected, found, close))
                if best is None or differ < best[0]:
                    best = differ, bool(np.isfinite(found).all())
        if best is None:
            wrong.append(OtherWeights(name, kind, None, of, True))
        elif best[0]:
            wrong.append(OtherWeights(name, kind, best[0], of, best[1]))
    return wrong, len(layers)


def weights_sentence(wrong: list[OtherWeights], layers: int) -> str:
    """The cause in words; empty where all weights are the checkpoint's."""
    if not wrong:
        return ""
    if 2 * len(wrong) > layers:
        return (f"stale: {len(wrong)} of {layers} layers hold other weights than the checkpoint;"
                " export the file again or give the checkpoint it is from")  # fmt: skip
    first = wrong[0]
    more = f", and those of {len(wrong) - 1} more layers" if len(wrong) > 1 else ""
    what = "all" if first.differ is None else f"{first.differ} of {first.of}"
    holds = "" if first.finite else ", it holds NaN or infinity"
    return f"weights of {first.name} ({first.kind}) are not the checkpoint's: {what} differ{holds}{more}"
