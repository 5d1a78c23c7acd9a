"""The paper recipe's SPN (3.1, 3.2): a VGG guidance network and full-scale propagation refine one coarse map."""

from torch import Tensor, nn

from portraiture.training.models.propagation import GATES_PER_CHANNEL, Propagation
from portraiture.training.models.vgg import VggGuidance


class PaperSpn(nn.Module):
    """(rgb, coarse logits) -> refined logits, for segmentation or for depth.

    Args:
        hidden: number of propagated channels.
    """

    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
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
        correction: Tensor = self.merge(self.propagation(self.source(coarse), gates))
        return coarse + correction
