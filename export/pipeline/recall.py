"""The float64 networks, run once on each input: the gate asks for the same maps by several ways."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import Size, model_contract
from portraiture.export.networks.build import Networks
from portraiture.export.networks.exported import contract_inputs
from portraiture.export.pipeline.memory import Memory
from portraiture.export.runner import Feeds, from_layout

LAYOUT = "NCHW"


class RecallingRunner:
    """Runs a network in float64, or recalls what it gave for the same input.

    ``portrait`` is run as its two parts, perception and then the filter: of a photo at several settings perception is
    run once.

    Args:
        networks: of the weights.
        name: of the model.
        size: of its inputs, height and width in pixels.
        memory: of what networks gave, by name, size and input.
    """

    def __init__(self, networks: Networks, name: str, size: Size, memory: Memory) -> None:
        self.contract, self.size = model_contract(name), size
        self._networks, self._name, self._memory = networks, name, memory
        self._get(self._parts[0])  # another network may stand in its place: told when the runner is made

    @property
    def _parts(self) -> tuple[str, ...]:
        return ("perception", "filter") if self._name == "portrait" else (self._name,)

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, float64. They are shared: whoever gets them must not change them.

        Raises:
            InputError: the feeds are not the contract's inputs, or one has another shape or is not finite.
        """
        given = contract_inputs(self.contract, self.size, feeds, LAYOUT, torch.float64)
        values = {s.name: x for s, x in zip(self.contract.inputs, given, strict=True)}
        for part in self._parts:
            inputs = [values[s.name] for s in model_contract(part).inputs]
            values |= self._outputs(part, inputs)
        return {s.name: from_layout(s, values[s.name].numpy(), LAYOUT) for s in self.contract.outputs}

    def _get(self, part: str) -> Any:
        return self._networks.get(part, LAYOUT, torch.float64)

    def _outputs(self, part: str, inputs: Sequence[Tensor]) -> Mapping[str, Any]:
        """What a part gives, (1, C, H, W) float64 by name."""
        digest = hashlib.sha256()
        for x in inputs:
            digest.update(np.ascontiguousarray(x.numpy()).data)

        def run() -> dict[str, Tensor]:
            with torch.no_grad():
                return dict(self._get(part)(*inputs))

        return self._memory.remember(("run", part, self.size, digest.digest()), run)
