"""Steadies the maps of a film: each frame's mask and depth, averaged with the last frame's where that fits.

A recursive average along motion. The last frame is brought onto this one from coarse to fine: by the shift of 4, then
of 2 pixels that fits best around each pixel, then by the gradient step of Lucas and Kanade (1981) for what is below
one. The person counts more than the background in each window, as the outline moves with the person. Its maps, brought
along, are h; with the mask or depth m of this frame alone and the photo's difference r that remains,

    m' = m + k exp(-r / s^2) (clip(h) - m),

where clip holds h within what m has around the pixel. Where the last frame does not fit, at a cut or behind somebody
who walks on, m stays as it is: nothing lags. All weights are fixed; nothing is learnt.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALE = 8.0
"""Of colours in here: squares of small differences stay in the range of fp16."""

OUTSIDE = 1.0
"""Added to colours, so that the zeros beyond the frame's border fit nothing."""

BACKGROUND_WEIGHT = 0.1
"""Of a pixel of the background in a window, a pixel of the person has 1 more."""

RIDGE = 0.0004
"""Of the gradient step: contrast below 0.02 moves nothing."""

SIGMA = 0.1
"""s: a difference of colour at which the last frame counts 1 / e."""

KEEP = 0.9
"""k: the last frame's share where it fits."""

SLACK, AROUND_PX = 0.3, 5
"""The last frame's maps may leave the range of this frame's in a window of ``AROUND_PX`` by ``SLACK``."""


class Stage(NamedTuple):
    """A search, of pixels of ``step`` to each side.

    Attributes:
        step: pixels of one shift, and of the photo that it is judged by.
        reach, aslant: most steps along one axis, and along both together.
        window: side of what must fit around a pixel, in steps.
        temperature: squared difference of colour by which a shift's share falls to 1 / e.
        per_contrast: this share of the contrast in the window is added to it.
    """

    step: int
    reach: int
    aslant: int
    window: int
    temperature: float
    per_contrast: float


STAGES = (Stage(4, 2, 4, 9, 2e-5, 0.0), Stage(1, 2, 4, 5, 9e-4, 0.1))
"""The first one decides, the second mixes: a mean of shifts far apart would show the outline twice, one of neighbours
is a shift between them."""

WINDOW_PX = 5
"""Of the gradient step."""


def _around(x: Tensor, weight: Tensor, window: int, channels: int = 1) -> Tensor:
    """The weighted mean of (N, ``channels``, H, W) in a window around each pixel; weight (N, 1, H, W)."""
    ones = torch.ones(channels, 1, window, window, dtype=x.dtype)  # a sum as a convolution: pooling is slow
    whole = F.conv2d(weight, ones[:1], padding=window // 2)
    return F.conv2d(x * weight, ones, padding=window // 2, groups=channels) / whole


def _shifted(x: Tensor, reach: int, aslant: int, step: int) -> list[Tensor]:
    """(N, C, H, W) shifted by up to ``reach`` steps along an axis, ``aslant`` along both; zeros beyond its border."""
    height, width = x.shape[2:]
    padded, shifts = F.pad(x, (reach * step,) * 4), range(-reach, reach + 1)
    places = [((reach + y) * step, (reach + x) * step) for y in shifts for x in shifts if abs(x) + abs(y) <= aslant]
    return [padded[:, :, top : top + height, left : left + width] for top, left in places]


def _contrast(rgb: Tensor) -> Tensor:
    """Squared differences from the neighbours to the right and below, (N, 1, H, W)."""
    right = torch.cat([rgb[..., 1:], rgb[..., -1:]], 3) - rgb
    below = torch.cat([rgb[:, :, 1:], rgb[:, :, -1:]], 2) - rgb
    return (right * right + below * below).mean(1, keepdim=True)


def _gradient(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of (N, C, H, W) per pixel, along the rows and along the columns."""
    along = torch.cat([x[..., 1:], x[..., -1:]], 3) - torch.cat([x[..., :1], x[..., :-1]], 3)
    down = torch.cat([x[:, :, 1:], x[:, :, -1:]], 2) - torch.cat([x[:, :, :1], x[:, :, :-1]], 2)
    return along / 2, down / 2


class Steady(nn.Module):
    """(rgb, previous rgb, mask, depth, previous mask, previous depth) -> mask, depth; all (N, C, H, W) in 0..1.

    The first frame of a film has no previous one and is not given. H and W are multiples of 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keep = nn.Parameter(torch.tensor(KEEP), requires_grad=False)

    def forward(
        self,
        rgb: Tensor,
        previous_rgb: Tensor,
        mask: Tensor,
        depth: Tensor,
        previous_mask: Tensor,
        previous_depth: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Mask and depth, steadied.

        Args:
            rgb, previous_rgb: (N, 3, H, W) in 0..1, this frame and the last one.
            mask, depth: (N, 1, H, W) in 0..1, of this frame alone.
            previous_mask, previous_depth: what this network gave for the last frame.
        """
        seen, weight = SCALE * (rgb + OUTSIDE), mask + BACKGROUND_WEIGHT
        last = torch.cat([SCALE * (previous_rgb + OUTSIDE), previous_mask, previous_depth], 1)  # (N, 5, H, W)
        for stage in STAGES:
            last = self._nearer(seen, last, weight, stage)
        last, left = self._gradient_step(seen, last, weight)
        share = self.keep * torch.exp(-left / (SCALE * SIGMA) ** 2)
        maps = torch.cat([mask, depth], 1)
        low, high = (sign * F.max_pool2d(sign * maps, AROUND_PX, 1, AROUND_PX // 2) for sign in (-1, 1))
        held = torch.minimum(torch.maximum(last, low - SLACK), high + SLACK)
        steadied = torch.clamp(maps + share * (held - maps), 0, 1)
        steady_mask, steady_depth = torch.split(steadied, 1, 1)
        return steady_mask, steady_depth

    def _nearer(self, seen: Tensor, last: Tensor, weight: Tensor, stage: Stage) -> Tensor:
        """The last frame's five planes, each pixel from the shift that fits best around it."""
        step = stage.step
        small, before, share = (F.avg_pool2d(x, step) if step > 1 else x for x in (seen, last[:, :3], weight))
        there = _shifted(before, stage.reach, stage.aslant, 1)
        cost = torch.cat([((small - x) * (small - x)).mean(1, keepdim=True) for x in there], 1)
        spread = torch.full_like(share, SCALE**2 * stage.temperature)
        if stage.per_contrast:
            spread = spread + stage.per_contrast * _around(_contrast(small), share, stage.window)
        fits = torch.softmax(-_around(cost, share, stage.window, len(there)) / spread, 1)  # (N, shifts, H/step, W/step)
        moved = torch.zeros_like(last)
        for part, planes in zip(torch.split(fits, 1, 1), _shifted(last, stage.reach, stage.aslant, step), strict=True):
            # one plane at a time: of several, formats order the pixels in ways of their own
            whole = F.pixel_shuffle(torch.cat([part] * step**2, 1), step) if step > 1 else part
            moved = moved + whole * planes
        return moved

    def _gradient_step(self, seen: Tensor, last: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The last frame's maps moved by less than a pixel, and what remains of the difference, (N, 1, H, W)."""
        before, maps = last[:, :3], last[:, 3:]
        error = seen - before
        gx, gy = _gradient(before)
        products = [(a * b).mean(1, keepdim=True) for a, b in ((gx, gx), (gx, gy), (gy, gy), (gx, error), (gy, error))]
        xx, xy, yy, ex, ey = torch.split(_around(torch.cat(products, 1), weight, WINDOW_PX, 5), 1, 1)
        xx, yy = xx + SCALE**2 * RIDGE, yy + SCALE**2 * RIDGE
        whole = xx * yy - xy * xy
        dx, dy = (torch.clamp(d / whole, -1, 1) for d in (yy * ex - xy * ey, xx * ey - xy * ex))
        rest = error - gx * dx - gy * dy
        along, down = _gradient(maps)
        left = _around((rest * rest).mean(1, keepdim=True), weight, WINDOW_PX)
        return maps + along * dx + down * dy, left
