"""The RNN filter (paper 3.4): a recursion steered by a guidance CNN says how large each pixel's blur is, disks blur.

It learns equations (4) and (10). What they already say is built in, so that little is left to learn:

* the depth layers are the reference's, see ``layers.py``: their edges are where the blur changes;
* the guided kernel (6) sees background only: (1 - m) I and (1 - m) are blurred, the quotient is the background;
* the blur is a disk, see ``disks.py``;
* m is the mask's matte by a curve that an app applies too;
* the output is I + (1 - m) * min(radius, 1) * (blurred - I): the residual added to the input. In-focus pixels and
  aperture 0 give the input itself.

What (7) to (10) do to the layers' edges, smooth labels and feather them, the recursion learns: it filters the radius
in four directions, twice, with a decay of its own at each pixel. At the start it is the feather.

h[k] = b[k] + a[k] h[k-1] runs as a doubling scan (Liu et al. [21]): after step s each h[k] holds the terms of its 2s
nearest predecessors. The form has no loop over lines and no ``flip``, so that it exports small. Where the decays are
bounded, later terms are too small to see: ``reach`` is the number of terms after which the doubling stops.

The recursion once blurred the picture itself. A cascade of exponentials is no disk: after 4,000 steps it was 37.6 dB
from the reference, on 12 held-out whole bodies at the model's size, where disks of the layers' own radii have 51.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, require_multiple, unit, upsample
from portraiture.training.models.filters.base import RADIUS_UNIT_PX, STRIDE, FilterInput, LensFilter
from portraiture.training.models.filters.disks import Disks

DIRECTIONS = 4
"""Right, left, down and up."""

GROUPS = 2
"""Cascaded recursions of four directions: their product is near a Gaussian. As published (Liu et al. [21])."""

REACH = 8
"""Terms of a scan, at half the size. At 512x384 the feather's decays are about 0.3; 4 terms make it 12 % narrower."""

WIDTH = 8
"""Channels of the guidance; chosen, not measured."""

FEATHER_SHARE = 0.005
"""Sigma of (10)'s g as a share of the diagonal, as ``reference/paper/full_body.py`` has it; a test holds them equal."""

TRIMAP_PX = 10
"""Half width of the band in which a matte is solved, as ``reference/settings.py`` has it; a test holds them equal."""

MATTE_GAIN = 1.3
"""As ``MATTE_GAIN`` of ``export/rules.py``; a test holds the curves to be equal."""

_LARGEST_DECAY = 0.9

_EDGE_STEP = 0.1
"""Where the mask changes by more than this within the trimap's reach, a matte is solved; chosen, not measured."""

_LEAST_WEIGHT = 4e-3
"""Weight of the pixel itself in its blur, one step of 8 bits: what to show where no background is in reach."""


VERTICAL, HORIZONTAL = 2, 3
"""Axes of (N, C, H, W) to scan along."""


def _shift(x: Tensor, dim: int, by: int, backward: bool) -> Tensor:
    """x moved along dim by ``by`` lines towards later lines (earlier ones if backward), zeros moving in."""
    kept = x.narrow(dim, by, x.shape[dim] - by) if backward else x.narrow(dim, 0, x.shape[dim] - by)
    before, after = (0, by) if backward else (by, 0)
    return F.pad(kept, (0, 0, before, after) if dim == VERTICAL else (before, after))


def scan(a: Tensor, b: Tensor, dim: int, backward: bool = False, reach: int | None = None) -> Tensor:
    """All h[k] of the recursion along ``dim``.

    Args:
        a: decay, broadcast to b's shape, 0 <= a < 1. Its first line has no effect.
        b: input term (N, C, H, W), any range.
        dim: VERTICAL or HORIZONTAL.
        backward: scan from the last line to the first.
        reach: number of terms that are summed, a power of two; None sums all.
    """
    length, step = min(b.shape[dim], reach or b.shape[dim]), 1
    while step < length:
        b = b + a * _shift(b, dim, step, backward)
        if 2 * step < length:
            a = a * _shift(a, dim, step, backward)
        step *= 2
    return b


def smooth_four_directions(x: Tensor, gates: Sequence[Tensor], reach: int | None = None) -> Tensor:
    """One group: right, left, down and up in turn, each h[k] = (1 - a[k]) x[k] + a[k] h[k-1].

    Before the first line h is 0, so that a constant fades towards the border. The filter scans a weight along with the
    picture, and the quotient of both does not fade.

    Args:
        x: (N, C, H, W), any range.
        gates: four tensors in 0..1 that broadcast to x's shape, in the order right, left, down, up.
        reach: number of terms of each scan, a power of two; None sums all.
    """
    directions = ((HORIZONTAL, False), (HORIZONTAL, True), (VERTICAL, False), (VERTICAL, True))
    for a, (dim, backward) in zip(gates, directions, strict=True):
        x = scan(a, (1 - a) * x, dim, backward, reach)
    return x


def matte_of(mask: Tensor) -> Tensor:
    """A mask in 0..1 as a matte, of its shape: y^2 (3 - 2 y), y = min(gain * mask, 1)."""
    share = unit(MATTE_GAIN * mask)
    return share * share * (3 - 2 * share)


def feather_decay(diagonal_px: Tensor) -> Tensor:
    """The decay at half the size by which the recursion is as wide as the feather: a / (1 - a)^2 = sigma^2 / 4.

    Args:
        diagonal_px: of the photo, (N, 1, 1, 1), in pixels.

    Returns:
        (N, 1, 1, 1) in 0..1.
    """
    sigma = FEATHER_SHARE / 2 * diagonal_px
    variance = sigma * sigma / (2 * GROUPS)
    return (2 * variance + 1 - torch.sqrt(4 * variance + 1)) / (2 * variance)


def decays(diagonal_px: Tensor, gates: Tensor) -> Tensor:
    """How much of its predecessor each pixel keeps, in 0..1, below 1: (N, 8, h, w), two groups of four directions.

    Args:
        diagonal_px: of the photo, (N, 1, 1, 1), in pixels.
        gates: (N, 8, h, w), any range; 0 is the feather.
    """
    start = feather_decay(diagonal_px) / _LARGEST_DECAY
    return _LARGEST_DECAY * torch.sigmoid(torch.log(start / (1 - start)) + gates)


class Feather(nn.Module):
    """The recursion, without weights: a map smoothed by decays of each pixel's own.

    Its weight is smoothed along, and the quotient of both does not fade at the border. The two planes lie on the batch
    axis, the photos on the channel axis: one gate serves both.
    """

    def forward(self, x: Tensor, diagonal_px: Tensor, gates: Tensor) -> Tensor:
        """Smooth.

        Args:
            x: (N, 1, h, w) at half the photo's size.
            diagonal_px, gates: as :func:`decays` takes them.

        Returns:
            (N, 1, h, w), within the range of ``x``.
        """
        planes = torch.cat([x.transpose(0, 1), torch.ones_like(x.transpose(0, 1))], 0)  # (2, N, h, w)
        steps = torch.split(decays(diagonal_px, gates).transpose(0, 1), 1, 0)  # 8 of (1, N, h, w)
        for group in range(GROUPS):
            planes = smooth_four_directions(planes, steps[group * DIRECTIONS : (group + 1) * DIRECTIONS], REACH)
        smooth, weight = torch.split(planes, 1, 0)
        return (smooth / weight).transpose(0, 1)


class Guidance(nn.Module):
    """(N, 3, H, W): mask, depth and radius -> gates (N, 8, H/2, W/2). Equation (9) weighs depth alone: no colours."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn_relu6(3, WIDTH, 3, stride=2), conv_bn_relu6(WIDTH, WIDTH))
        self.gates = nn.Conv2d(WIDTH, GROUPS * DIRECTIONS, 3, padding=1)
        nn.init.normal_(self.gates.weight, std=0.01)
        nn.init.zeros_(self.gates.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        gates: Tensor = self.gates(self.body(x))
        return gates


class RnnFilter(LensFilter):
    """(rgb, mask, depth, aperture, focus) -> rgb, at the input's size; H and W multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.guidance, self.feather, self.disks = Guidance(), Feather(), Disks()

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        rgb, mask, depth, radius_px, _, diagonal_px = inputs[:6]
        require_multiple(rgb, STRIDE)
        gates = self.guidance(torch.cat([mask, depth, radius_px / RADIUS_UNIT_PX], 1))
        smooth_px = upsample(self.feather(F.avg_pool2d(radius_px, (2, 2)), diagonal_px, gates), 2)
        background = 1 - matte_of(mask)
        sums = self.disks(torch.cat([rgb * background, background], 1), smooth_px)
        # where hardly any background is in reach the pixel itself counts: a division by almost 0 would make float32
        # noise visible, and a constant picture must stay constant
        blurred = (sums[:, :3] + _LEAST_WEIGHT * rgb) / (F.relu(sums[:, 3:]) + _LEAST_WEIGHT)
        return unit(rgb + background * unit(smooth_px) * (blurred - rgb))

    def counted(self, inputs: FilterInput) -> Tensor:
        """Not where the target's matte is solved: it is not the filter's to learn."""
        side = 2 * TRIMAP_PX + 1
        around = F.max_pool2d(torch.cat([inputs.mask, -inputs.mask], 1), side, 1, TRIMAP_PX)
        return (around.sum(1, keepdim=True) < _EDGE_STEP).to(inputs.mask.dtype)  # largest less least mask around
