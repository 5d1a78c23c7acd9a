"""The mobile recipe: one network from a photo to mask and depth (paper 3.1, 3.2, made small enough for a phone).

A MobileNetV2 encoder, which looks at the photo at half its size and then as it is, is shared by the coarse heads (at
1/8) and by the guidance of both SPNs. The SPNs run at 1/8
as one fused scan: the first half of the hidden channels belongs to the mask, the second to the depth. The propagated
map then guides a learned upsampling to full size, with a shallow look at the photo itself at 1/2.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import float32_from_bfloat16, separable, upsample
from portraiture.training.models.coarse import COARSE_SCALE, STRIDE, MobileCoarse
from portraiture.training.models.mobilenet import FEATURE_CHANNELS
from portraiture.training.models.propagation import GATES_PER_CHANNEL, Propagation, straight_only

SHALLOW_CHANNELS = 16
"""Channels of the shallow look at the photo; chosen, not measured."""


_FINE = 2
"""Size of the output against the finest features: the last layer gives 2 x 2 pixels at each of their places."""


class PerceptionLogits(NamedTuple):
    """Values before the sigmoid, each (N, 1, H, W); of the first look, at half the photo's size, (N, 2, H/16, W/16)."""

    mask: Tensor
    depth: Tensor
    coarse_mask: Tensor
    coarse_depth: Tensor
    first: Tensor


class PerceptionMaps(NamedTuple):
    """Mask (person probability) and depth (larger is farther), 0..1, each (N, 1, H, W)."""

    mask: Tensor
    depth: Tensor
    coarse_mask: Tensor
    coarse_depth: Tensor


class MobilePerception(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> mask and depth, coarse and refined, at the input's size.

    Args:
        hidden: propagated channels per task.
        ways: 3, or 1 to leave out the diagonal neighbours (a baseline).
        widths: decoder channels at 1/2, 1/4, 1/8 and 1/16.
    """

    stride = STRIDE

    def __init__(
        self,
        hidden: int = 6,
        ways: int = 3,
        widths: tuple[int, int, int, int] = (24, 32, 48, 96),
    ) -> None:
        super().__init__()
        self.ways = ways
        w2, w4, w8, w16 = widths
        f2, f4 = FEATURE_CHANNELS[:2]
        self.coarse = MobileCoarse(w8, w16)
        self.source = nn.Conv2d(w8 + 2, 2 * hidden, 1)
        self.gates = nn.Conv2d(w8, GATES_PER_CHANNEL * 2 * hidden, 1)
        self.propagation = Propagation()
        self.merge = nn.Conv2d(2 * hidden, _FINE**2 + 1, 1)
        self.up4 = separable(w8 + 2 * hidden + f4, w4)
        self.shallow = nn.Conv2d(3, SHALLOW_CHANNELS, 3, stride=2, padding=1)
        self.up2 = separable(w4 + f2 + SHALLOW_CHANNELS, w2)
        self.detail = nn.Conv2d(w2, _FINE**2 + 1, 3, padding=1)
        # begin as a mild smoother: each gate near 1/4
        nn.init.normal_(self.gates.weight, std=0.02)
        nn.init.constant_(self.gates.bias, 0.25)  # type: ignore[arg-type]

    def logits(self, rgb: Tensor) -> PerceptionLogits:
        """The maps before the sigmoid; what the losses take."""
        coarse, decoded8, f2, f4, first = self.coarse.features(rgb)
        mask, depth = self.refine(rgb, coarse, decoded8, f2, f4)
        coarse_full = upsample(coarse, COARSE_SCALE)
        coarse_mask, coarse_depth = torch.split(coarse_full, 1, 1)
        return PerceptionLogits(mask, depth, coarse_mask, coarse_depth, first)

    def refine(self, rgb: Tensor, coarse: Tensor, decoded8: Tensor, f2: Tensor, f4: Tensor) -> tuple[Tensor, Tensor]:
        """Propagate coarse maps and bring them to full size.

        Args:
            rgb: (N, 3, H, W) in 0..1.
            coarse: (N, 2, H/8, W/8), mask and depth before the sigmoid.
            decoded8: shared features of ``rgb``, (N, C, H/8, W/8).
            f2, f4: shared features of ``rgb``, (N, C, H/2, W/2) and (N, C, H/4, W/4).

        Returns:
            Mask and depth before the sigmoid, each (N, 1, H, W).
        """
        source = self.source(torch.cat([decoded8, coarse], 1))
        # in bfloat16 the scan's 64 roundings in a row would add up
        gates = float32_from_bfloat16(self.gates(decoded8))
        if self.ways == 1:
            gates = straight_only(gates)
        refined = self.propagation(float32_from_bfloat16(source), gates)  # (N, 2 hidden, H/8, W/8)
        x = self.up4(torch.cat([upsample(torch.cat([decoded8, refined], 1), 2), f4], 1))  # (N, w4, H/4, W/4)
        shallow = F.relu6(self.shallow(rgb))  # (N, 16, H/2, W/2)
        x = self.up2(torch.cat([upsample(x, 2), f2, shallow], 1))  # (N, w2, H/2, W/2)
        parts = upsample(self.merge(refined), COARSE_SCALE // _FINE) + self.detail(x)  # (N, 5, H/2, W/2)
        mask, depth = torch.split(parts, [_FINE**2, 1], 1)
        # the mask's edge is as fine as the photo; depth is smooth, and would show the shuffle's four phases
        return F.pixel_shuffle(mask, _FINE), upsample(depth, _FINE)

    def forward(self, rgb: Tensor) -> PerceptionMaps:
        return PerceptionMaps(*(torch.sigmoid(x) for x in self.logits(rgb)[:4]))
