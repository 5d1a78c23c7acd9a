"""The paper recipe's SPN (3.1, 3.2): a VGG guidance network and full-scale propagation refine one coarse map."""

import torch
from torch import Tensor, nn

from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.propagation import GATES_PER_CHANNEL, Propagation, straight_only
from portraiture.training.models.vgg import VggGuidance


class PaperSpn(nn.Module):
    """(rgb, coarse logits) -> refined logits, for segmentation or for depth.

    Args:
        hidden: number of propagated channels.
        ways: 3, or 1 to take from the straight neighbour alone (table 1's one-way SPN).
    """

    def __init__(self, hidden: int = 8, ways: int = 3) -> None:
        super().__init__()
        self.ways = ways
        self.guidance = VggGuidance()
        self.gates = nn.Conv2d(VggGuidance.channels, GATES_PER_CHANNEL * hidden, 3, padding=1)
        self.source = nn.Conv2d(1, hidden, 3, padding=1)
        self.propagation = Propagation()
        self.merge = nn.Conv2d(hidden, 1, 3, padding=1)
        nn.init.normal_(self.gates.weight, std=0.01)
        nn.init.constant_(self.gates.bias, 0.25)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor, coarse: Tensor) -> Tensor:
        """Refine.

        Args:
            rgb: (N, 3, H, W) in 0..1, H and W multiples of 32.
            coarse: logits (N, 1, H, W), any range.

        Returns:
            Refined logits (N, 1, H, W): the coarse ones plus the propagated correction.
        """
        gates = self.gates(self.guidance(rgb))
        if self.ways == 1:
            gates = straight_only(gates)
        correction: Tensor = self.merge(self.propagation(self.source(coarse), gates))
        return coarse + correction


class RefinedCoarse(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> logits (N, 1, H, W): a coarse estimator's map, refined by the paper's SPN.

    Args:
        coarse: the estimator.
        spn: trained on its maps.
        channel: of the coarse map: 0 mask, 1 depth.
    """

    def __init__(self, coarse: MobileCoarse, spn: PaperSpn, channel: int = 0) -> None:
        super().__init__()
        self.coarse, self.spn, self.channel = coarse, spn, channel

    def forward(self, rgb: Tensor) -> Tensor:
        refined: Tensor = self.spn(rgb, torch.split(self.coarse(rgb), 1, 1)[self.channel])
        return refined
