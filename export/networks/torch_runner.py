"""The networks themselves, in float32 or, as the truth of the parity gate, float64."""

import numpy as np
import torch

from portraiture.export.contract import Size
from portraiture.export.networks.exported import Exported
from portraiture.export.runner import Feeds, check_feeds, from_layout, to_layout


class TorchRunner:
    """Runs an :class:`Exported` network built for layout NCHW."""

    def __init__(self, network: Exported, size: Size, dtype: torch.dtype = torch.float32) -> None:
        self.network = network.to(dtype)
        self.contract = network.contract
        self.size = size
        self.dtype = dtype

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, in the runner's dtype."""
        check_feeds(self.contract, feeds)
        inputs = [
            torch.from_numpy(to_layout(s, feeds[s.name], self.size, "NCHW")).to(self.dtype)
            for s in self.contract.inputs
        ]
        if self.dtype == torch.float64:
            # the float32 of v / 255 is not v / 255: give the truth the exact value
            inputs = [torch.round(x * 255) / 255 if s.name == "rgb" else x
                      for s, x in zip(self.contract.inputs, inputs, strict=True)]  # fmt: skip
        with torch.no_grad():
            outputs = self.network(*inputs)
        return {s.name: from_layout(s, outputs[s.name].numpy(), "NCHW") for s in self.contract.outputs}
