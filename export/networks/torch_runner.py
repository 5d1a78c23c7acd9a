"""The networks themselves, in float32 or, as the truth of the parity gate, float64."""

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import Size
from portraiture.export.networks.exported import Exported
from portraiture.export.runner import Feeds, check_feeds, from_layout, to_layout


def torch_inputs(network: Exported, size: Size, feeds: Feeds) -> list[Tensor]:
    """Feeds as the tensors that a network takes, in its layout and dtype.

    Args:
        network: whose contract and dtype count.
        size: height and width in pixels.
        feeds: the contract's inputs; images HxWx3 and maps HxW in 0..1, scalars as numbers.

    Raises:
        InputError: the feeds are not the contract's inputs, or one has another shape or is not finite.
    """
    check_feeds(network.contract, feeds)
    inputs = []
    for spec in network.contract.inputs:
        x = torch.from_numpy(to_layout(spec, feeds[spec.name], size, network.layout)).to(network.dtype)
        if spec.name == "rgb" and network.dtype == torch.float64:
            # the float32 of v / 255 is not v / 255: give the truth the exact value
            x = torch.round(x * 255) / 255
        inputs.append(x)
    return inputs


class TorchRunner:
    """Runs an exported network in the network's own dtype."""

    def __init__(self, network: Exported, size: Size) -> None:
        self.network = network
        self.contract = network.contract
        self.size = size

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, in the network's dtype."""
        inputs = torch_inputs(self.network, self.size, feeds)
        with torch.no_grad():
            outputs = self.network(*inputs)
        return {s.name: from_layout(s, outputs[s.name].numpy(), self.network.layout) for s in self.contract.outputs}
