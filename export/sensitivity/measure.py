"""How far the outputs move when one layer alone is stored smaller: in PyTorch, by the formats' own arithmetic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import Size
from portraiture.export.formats import Target
from portraiture.export.networks.exported import Exported, torch_inputs
from portraiture.export.networks.layers import convolutions_of, folded, is_depthwise, weights_of
from portraiture.export.pipeline.planned import outputs_of, planned, quantize_inputs
from portraiture.export.pipeline.truth import Truth
from portraiture.export.plan import CARRIED, Kind, carried
from portraiture.export.targets import FORMATS

MODEL = "portrait"
"""Perception and filter in one: its outputs are mask, depth and portrait, and a run gives all three."""

Report = Callable[[str, int, int], None]
"""Called before each step: what runs now, how many steps are done, and of how many."""


def decibels(mse: float) -> float:
    """PSNR of a mean squared error, peak 1."""
    return float(-10 * np.log10(mse)) if mse > 0 else float("inf")


@dataclass(frozen=True)
class Effect:
    """What one layer does, stored as one kind, all else in float32.

    Attributes:
        layer: plain name.
        kind: how its weights are stored.
        mse: mean squared error of each output against the float32 network: (photos, outputs).
    """

    layer: str
    kind: Kind
    mse: np.ndarray = field(compare=False)

    def worst_db(self, output: int) -> float:
        """PSNR of an output, by its place in the contract, on the worst photo."""
        return decibels(float(self.mse[:, output].max()))


class Sensitivity:
    """The network, some photos, and what is measured on them.

    Args:
        truth: of the networks; the float32 ones count.
        size: of the inputs, height and width in pixels.
        photos: HxWx3 uint8, one or more.
        targets: formats that a plan is for, one or more.

    Attributes:
        outputs: names of the outputs, in the order of every table.
        weights: of each layer by plain name, (out, in, height, width) float32.
        kinds: how a layer can be stored in one of the formats at least, finest first.
    """

    def __init__(self, truth: Truth, size: Size, photos: Sequence[np.ndarray], targets: Sequence[Target]) -> None:
        self.network: Exported = truth.networks.get(MODEL)
        self.targets = tuple(targets)
        self.outputs = tuple(spec.name for spec in self.network.contract.outputs)
        self.weights = weights_of(self.network)
        self.kinds = tuple(kind for kind in Kind if any(kind in CARRIED[target] for target in targets))
        inputs = [torch_inputs(self.network, size, truth.feeds(MODEL, size, photo)) for photo in photos]
        rgb, *scalars = zip(*inputs, strict=True)
        # all photos in one run: half of a small one's time goes into starting its operations
        self._inputs = [torch.cat(rgb), *(values[0] for values in scalars)]
        self._changed = folded(self.network)
        self.layers = convolutions_of(self._changed)
        with torch.no_grad():
            self._expected: dict[str, Tensor] = self._changed(*self._inputs)

    def _mse(self, found: Mapping[str, Tensor]) -> np.ndarray:
        """Mean squared errors, (photos, outputs)."""
        errors = [(found[n] - self._expected[n]).double().square().mean((1, 2, 3)) for n in self.outputs]
        return np.asarray(torch.stack(errors, 1).numpy())

    def saves(self, layer: str, kind: Kind) -> bool:
        """Whether a kind takes less than fp16, over all formats."""
        least, half = (sum(self.bytes_of(layer, k, t) for t in self.targets) for k in (kind, Kind.FP16))
        return least < half

    def alone(self, layer: str, kind: Kind) -> Effect:
        """The effect of one layer, in the arithmetic of the first format that has the kind."""
        module = self.layers[layer]
        target = next(target for target in self.targets if kind in CARRIED[target])
        before = module.weight.detach().clone()
        stored = FORMATS[target].stored(self.weights[layer], kind)
        handle = quantize_inputs(module) if kind is Kind.INT8_DYNAMIC else None
        try:
            with torch.no_grad():
                module.weight.copy_(torch.from_numpy(np.ascontiguousarray(stored)))
                mse = self._mse(self._changed(*self._inputs))
        finally:
            with torch.no_grad():
                module.weight.copy_(before)
            if handle is not None:
                handle.remove()
        return Effect(layer, kind, mse)

    def effects(self, report: Report) -> dict[tuple[str, Kind], Effect]:
        """The effect of each layer in fp16, in int8, which stands in for others, and in each kind that saves bytes.

        Args:
            report: called before each layer.
        """
        found = {}
        for k, layer in enumerate(self.layers):
            report(f"{layer} alone", k, len(self.layers))
            for kind in self.kinds:
                if kind in (Kind.FP16, Kind.INT8) or self.saves(layer, kind):
                    found[layer, kind] = self.alone(layer, kind)
        return found

    def carried(self, layer: str, kind: Kind, target: Target) -> Kind:
        """What becomes of a layer's kind in a format.

        Args:
            layer: plain name.
            kind: what a plan says.
            target: the format.
        """
        return carried(kind, target, is_depthwise(self.layers[layer]))

    def bytes_of(self, layer: str, kind: Kind, target: Target) -> int:
        """What a layer's weights take in a file.

        Args:
            layer: plain name.
            kind: what a plan says.
            target: the format.
        """
        return FORMATS[target].stored_bytes(self.weights[layer], self.carried(layer, kind, target))

    def whole(self, kinds: dict[str, Kind], target: Target) -> np.ndarray:
        """Mean squared errors of a whole plan in a format, its arithmetic too: (photos, outputs).

        Args:
            kinds: of every layer, as the plan says.
            target: the format.
        """
        changed = planned(self.network, {n: self.carried(n, kind, target) for n, kind in kinds.items()}, target)
        return self._mse(outputs_of(changed, self._inputs, target))
