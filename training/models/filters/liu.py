"""Baseline Liu et al. [21], "Learning recursive filters for low-level vision via a hybrid neural network" (ECCV 2016).

A CNN predicts the gates of two cascaded recursive filters from the photo alone; each filters in four directions side
by side and keeps the largest response at each pixel. It has neither mask nor depth; it is given the aperture, without
which it could render one setting only. The scans are the project's own, at full size.
"""

import torch
from torch import Tensor, nn

from portraiture.training.models.blocks import require_multiple
from portraiture.training.models.filters.base import RADIUS_UNIT_PX, STRIDE, EncoderDecoder, FilterInput, LensFilter
from portraiture.training.models.filters.rnn import HORIZONTAL, VERTICAL, scan

WIDTHS = (24, 32, 48, 64)
"""Channels at 1/2 to 1/16, as of the CNN baseline."""

GROUPS = 2
"""Cascaded filters, as published."""

REACH = 64
"""Terms of a scan, in pixels: beyond twice the largest disk."""

_DIRECTIONS = ((HORIZONTAL, False), (HORIZONTAL, True), (VERTICAL, False), (VERTICAL, True))


class LiuFilter(LensFilter):
    """(rgb, -, -, aperture, -) -> rgb by recursions whose gates come from the photo."""

    def __init__(self) -> None:
        super().__init__()
        self.body = EncoderDecoder(4, WIDTHS)
        self.gates = nn.ConvTranspose2d(WIDTHS[0], GROUPS * len(_DIRECTIONS), 4, stride=2, padding=1)
        self.mix = nn.Conv2d(3 * (1 + GROUPS), 3, 1)
        # at the start: the mean of the photo and both filters' results
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            for colour in range(3):
                self.mix.weight[colour, colour::3] = 1 / (1 + GROUPS)

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        rgb = inputs.rgb
        require_multiple(rgb, STRIDE)
        plane = (inputs.aperture_px / RADIUS_UNIT_PX).expand(-1, -1, *rgb.shape[2:])
        _, y2 = self.body(torch.cat([rgb, plane], 1))
        decays = torch.split(torch.sigmoid(self.gates(y2)).transpose(0, 1), 1, 0)  # 8 of (1, N, H, W)
        planes = rgb.transpose(0, 1)  # (3, N, H, W)
        results = [planes]
        for group in range(GROUPS):
            sides = [
                scan(a, (1 - a) * planes, dim, backward, REACH)
                for a, (dim, backward) in zip(decays[group * 4 : group * 4 + 4], _DIRECTIONS, strict=True)
            ]
            planes = torch.stack(sides).amax(0)
            results.append(planes)
        stacked = torch.cat([r.transpose(0, 1) for r in results], 1)  # (N, 9, H, W)
        return torch.clamp(self.mix(stacked), 0.0, 1.0)
