"""The RNN filter (paper 3.4): a guidance CNN steers cascaded groups of four-direction recursions.

It learns equation (10). What the equation already says is built in, so that little is left to learn:

* the guided kernel (6) sees background only: the recursions run on (1 - m) I and on (1 - m), and the quotient of
  the two is the blurred background;
* the reach of a recursion grows with the largest disk radius near its pixel, and is zero where that is zero;
* the output is I + (1 - m) * amount * (blurred - I): the residual added to the input. In-focus pixels and
  aperture 0 give the input itself.

Two cascaded groups E1, E2 run at 1/2 and again at 1/4 of the size: a disk has no detail smaller than itself, and each
level costs a quarter of the one before. Both groups' results are used,

    T = E2 E1 x + s (E2 E1 x - E1 x),

because a cascade of exponentials is peaked and long-tailed and a disk is neither: with s about 0.8 the error of a
disk's blur is 3 to 4 dB less on pictures of a 1/f spectrum, at no cost in recursions.

Learned are the gates (decay by pixel, direction, group and level), s, the share of the two levels, the amount, and a
correction of the mask towards the renderer's matte near the mask's edge.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import require_multiple, unit, upsample
from portraiture.training.models.filters.base import RADIUS_UNIT_PX, STRIDE, EncoderDecoder, FilterInput, LensFilter
from portraiture.training.models.filters.recursion import smooth_four_directions

DIRECTIONS = 4
"""Right, left, down and up."""

GATES = 2 * DIRECTIONS
"""Gates of a pixel: two groups of four directions."""

REACH_2, REACH_4 = 8, 16
"""Terms of a scan at 1/2 and at 1/4: it reaches 16 and 64 px of the photo. Chosen, not measured."""


_LEAST_WEIGHT = 4e-3
"""Weight of the pixel itself in its blur, one step of 8 bits: what to show where no background is in reach."""

_SHARPEN_LOW, _SHARPEN_SPAN = -1.0, 4.0
"""Range of s, -1..3: around the 0.8 that fits a disk best; chosen, not measured."""

_KEPT_WEIGHT = 0.25
"""Share of the weight that sharpening always leaves; chosen, not measured."""


class Guidance(nn.Module):
    """(N, 6, H, W) -> what steers the levels, and the matte.

    Returns at 1/4: 8 gates, s. At 1/2: 8 gates, s, share of the 1/4 level, amount. At full size: matte.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 24, 32, 48)) -> None:
        super().__init__()
        self.body = EncoderDecoder(6, widths)
        self.steer4 = nn.Conv2d(widths[1], GATES + 1, 3, padding=1)
        self.steer2 = nn.Conv2d(widths[0], GATES + 3, 3, padding=1)
        self.matte = nn.ConvTranspose2d(widths[0], 1, 4, stride=2, padding=1)
        for layer in (self.steer4, self.steer2, self.matte):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y4, y2 = self.body(x)
        return self.steer4(y4), self.steer2(y2), self.matte(y2)


class RnnFilter(LensFilter):
    """(rgb, mask, depth, aperture, focus) -> rgb, at the input's size; H and W multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.guidance = Guidance()
        self.level4, self.level2 = Level(REACH_4), Level(REACH_2)
        # softplus(reach) is the radius at which half of a gate's range is used, at 1/2 and at 1/4
        self.reach = nn.Parameter(torch.tensor([1.0, 1.0]).reshape(2, 1, 1, 1))

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        rgb, mask, depth, radius_px, _ = inputs
        require_multiple(rgb, STRIDE)
        steer4, steer2, matte = self.guidance(torch.cat([rgb, mask, depth, radius_px / RADIUS_UNIT_PX], 1))
        background = 1 - mask
        # weighted background and its weight: (N, 4, H/2, W/2) and (N, 4, H/4, W/4)
        weighted2 = F.avg_pool2d(torch.cat([rgb * background, background], 1), (2, 2))
        weighted4 = F.avg_pool2d(weighted2, (2, 2))
        # radii in pixels of their own level; the gates' is the largest within 10 px, since a kernel reaches beyond
        # the edge of what is sharp: (10) lets all of the background into a blur
        radius2 = F.avg_pool2d(radius_px, (2, 2)) / 2
        near4 = F.max_pool2d(F.avg_pool2d(radius2, (2, 2)) / 2, 5, 1, 2)
        gates4, sharpen4 = torch.split(steer4, [GATES, 1], 1)
        gates2, sharpen2, coarse, strength = torch.split(steer2, [GATES, 1, 1, 1], 1)
        reach2, reach4 = torch.split(F.softplus(self.reach), 1, 0)
        level4 = self.level4(weighted4, near4 / (near4 + reach4), gates4, sharpen4)
        near2 = 2 * upsample(near4, 2)
        level2 = self.level2(weighted2, near2 / (near2 + reach2), gates2, sharpen2)
        # divided at full size: a half-size cell inside the person has weight 0 and must not count as black
        total = upsample(level2 + torch.sigmoid(coarse) * (upsample(level4, 2) - level2), 2)
        # where hardly any background is in reach the pixel itself counts: a division by almost 0 would make float32
        # noise visible, and a constant picture must stay constant
        blurred = (total[:, :3] + _LEAST_WEIGHT * rgb) / (torch.clamp(total[:, 3:], min=0.0) + _LEAST_WEIGHT)
        amount = unit(radius2 * (1 + strength))
        # the matte differs from the mask only near the mask's edge: within 10 px
        near_mask = F.avg_pool2d(F.avg_pool2d(mask, (2, 2)), 5, 1, 2, count_include_pad=False)
        edge = upsample(unit(16 * near_mask * (1 - near_mask)), 2)
        alpha = unit(mask + edge * torch.tanh(matte))
        residual = (1 - alpha) * upsample(amount, 2) * (blurred - rgb)
        return unit(rgb + residual)


def decays(share: Tensor, gates: Tensor) -> Tensor:
    """How much of its predecessor each pixel keeps, in 0..1, below 1: (N, 8, h, w), two groups of four directions.

    Args:
        share: (N, 1, h, w) in 0..1, the largest decay.
        gates: (N, 8, h, w) before the sigmoid.
    """
    return share * torch.sigmoid(gates)


class Level(nn.Module):
    """Both groups at one level, without weights.

    The four planes lie on the batch axis, the photos on the channel axis: one gate serves all planes, and no
    converter makes it a multiplication of four numbers at a time.

    Args:
        reach: number of terms of a scan, a power of two.
    """

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach

    def forward(self, x: Tensor, share: Tensor, gates: Tensor, sharpen: Tensor) -> Tensor:
        """Blur.

        Args:
            x: (N, 4, h, w), the last plane the weight.
            share, gates: as :func:`decays` takes them.
            sharpen: (N, 1, h, w), s before its range is applied.

        Returns:
            (N, 4, h, w); the weight's plane is not negative.
        """
        planes = x.transpose(0, 1)  # (4, N, h, w)
        steps = torch.split(decays(share, gates).transpose(0, 1), 1, 0)  # 8 of (1, N, h, w)
        once = smooth_four_directions(planes, steps[:DIRECTIONS], self.reach)
        twice = smooth_four_directions(once, steps[DIRECTIONS:], self.reach)
        once_weight, twice_weight = once[3:], twice[3:]
        s = _SHARPEN_LOW + _SHARPEN_SPAN * torch.sigmoid(sharpen.transpose(0, 1))
        # sharpening must leave a quarter of the weight
        most = (1 - _KEPT_WEIGHT) * twice_weight / torch.clamp(once_weight - twice_weight, min=1e-3)
        return (twice + torch.minimum(s, most) * (twice - once)).transpose(0, 1)
