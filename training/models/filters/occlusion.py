"""The lens look: a filter that draws what the occlusion renderer draws, in linear light (``reference/occlusion``).

The reference blurs each depth layer by itself and lays it over the farther ones. Six layers with disks of any radius
cost six times what the paper's filter costs; here the rungs of the ladder of ``disks.py`` take the layers' place, and
each picture plane is weighted before it is blurred by the one disk of its rung: light spreads from where it comes from,
as a lens spreads it. With the disk D_k of rung k, and weights that sum to 1 over the sheets of a pixel,

    behind the focus, far to near:  out <- D_k(u_k C) / D_k(b_k) + (1 - D_k(u_k) / D_k(b_k)) out
    in focus:                       out <- w I + (1 - w) out
    before the focus:               out <- sum_k D_k(n_k C) + (1 - sum_k D_k(n_k)) out

C is the light with clipped lights recovered, I the photo's own, u_k what is of rung k, b_k what is of it or farther:
what is nearer hides its part of a sheet, and the quotient extends the sheet under it. A pixel between two rungs is of
the farther one wholly and of the nearer one in part, so that no third sheet shows through both.

All of this is computed; nothing needs to be learnt to begin with. ``Guidance`` learns what is left: how far from the
mask's curve the matte is that the reference solves.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import mean, require_multiple, unit, upsample
from portraiture.training.models.filters.base import (
    STRIDE,
    FilterInput,
    LensFilter,
    blended_radius,
    by_the_person,
    person_depth,
    radius_of,
    selfie_share,
)
from portraiture.training.models.filters.disks import LADDER, shrunk_disk
from portraiture.training.models.filters.layers import Layers
from portraiture.training.models.filters.light import recovered, to_code, to_light
from portraiture.training.models.filters.rnn import matte_of

RUNGS = tuple((radius, level) for level, radii in enumerate(LADDER) for radius in radii)
"""Radius in pixels of the photo, and at which level of shrinking: what is behind the focus is laid at all of them."""

NEAR_RUNGS = ((2.0, 1), *(rung for rung in RUNGS if rung[1] > 0))
"""What is before the focus is laid at half the photo's size and less: its rim is soft, and shows no finer detail."""

SHARP, BLURRED = 1.0, 1.5
"""Up to this radius, in pixels, all is sharp, as in (5); from the other one on nothing is."""

SURE = 0.3
"""Above this matte a pixel's colour says nothing of what is behind the person, as ``occlusion/compose.py`` has it; a
test holds them equal."""

GAIN = 3.0
"""Of clipped lights, as ``GAIN`` of ``reference/occlusion/highlights.py``; a test holds them equal."""

_QUICK = 4.0
"""A sheet appears within this part of the way from a rung to the next: before the nearer rung's fades. Chosen."""

_LEAST = 4e-3
"""Added to what divides, one step of 8 bits: where nothing is known the coarser picture shows."""

_KNOWN = 0.05
"""Weight of a coarser level of a fill beside what is known at a level; chosen, not measured."""


def _ramp(radius_px: Tensor) -> Tensor:
    """How far radii are those of blurred pixels, 0..1."""
    return unit((radius_px - SHARP) / (BLURRED - SHARP))


class Sheets(NamedTuple):
    """What each pixel is of, all (N, 1, H, W); ``behind``, ``before`` and what is in focus sum to 1.

    Attributes:
        behind, before: how much of a pixel is blurred behind or before the focus, 0..1.
        known: the same as ``behind``, of pixels whose colour is not the person's.
        behind_px, before_px: disk radius of those parts, 0 or more.
        hidden: how much of a pixel's colour does not show what is behind the person, and person there is in focus.
    """

    behind: Tensor
    before: Tensor
    known: Tensor
    behind_px: Tensor
    before_px: Tensor
    hidden: Tensor


def sheets(matte: Tensor, radius_px: Tensor, person_px: Tensor) -> Sheets:
    """Which part of each pixel is sharp, behind the focus, and before it.

    Args:
        matte: (N, 1, H, W) in 0..1.
        radius_px: of what is not the person, (N, 1, H, W) in pixels, negative before the focus.
        person_px: of the person, (N, 1, 1, 1) in pixels, negative before the focus.
    """
    rest, trust = 1 - matte, unit(1 - matte / SURE)
    far, near = _ramp(radius_px), _ramp(-radius_px)
    far_person, near_person = _ramp(person_px), _ramp(-person_px)
    behind, before = rest * far + matte * far_person, rest * near + matte * near_person
    sharp_person = 1 - far_person - near_person
    # the person's own share of a blurred person's colours is the person's
    known = trust * far * (1 - far_person) + behind * far_person
    behind_px = F.relu(radius_px) + far_person * matte * (person_px - F.relu(radius_px))
    before_px = F.relu(-radius_px) + near_person * matte * (-person_px - F.relu(-radius_px))
    return Sheets(behind, before, known, behind_px, before_px, sharp_person * (1 - trust))


class OcclusionFilter(LensFilter):
    """(rgb, mask, depth, aperture, focus) -> rgb, as :class:`LensFilter`; H and W multiples of 32."""

    def __init__(self, gain: float = GAIN, blades: int = 0, rotation_deg: float = 0.0) -> None:
        super().__init__()
        self.gain = gain
        self.far, self.near = (
            nn.ParameterList(
                nn.Parameter(torch.from_numpy(shrunk_disk(radius, 2**level)).float()[None, None], requires_grad=False)
                for radius, level in rungs
            )
            for rungs in (RUNGS, NEAR_RUNGS)
        )

    def radii(self, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`LensFilter`; negative before the focus."""
        by_person = by_the_person(focus)
        layers = Layers(depth)
        depths = layers.of(depth)
        aperture_px, person = aperture * math.hypot(*depth.shape[2:]), person_depth(mask, depth)
        far, near = torch.amax(depths, (2, 3), keepdim=True), torch.amin(depths, (2, 3), keepdim=True)
        share = by_person * selfie_share(mask)
        behind = blended_radius(share, radius_of(depths, aperture_px, person, far), aperture_px)
        reach = torch.maximum(far - focus, focus - near).clamp(min=1e-3)
        both = aperture_px * (depths - focus) / reach
        person_px = aperture_px * (layers.nearest(person) - focus) / reach
        return both + by_person * (behind - both), (1 - by_person) * person_px

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        require_multiple(inputs.rgb, STRIDE)
        rgb, matte = inputs.rgb, matte_of(inputs.mask)
        person_px = torch.zeros_like(inputs.aperture_px) if inputs.person_px is None else inputs.person_px
        sheet = sheets(matte, inputs.radius_px, person_px)
        own = to_light(rgb)
        lights = recovered(own, self.gain)
        behind, filled, before, cover = self._blurred(lights, sheet)
        in_focus = 1 - sheet.behind - sheet.before
        # where nothing in focus shows, what is behind the foreground is what is around it
        light = in_focus * own + sheet.behind * behind + sheet.before * filled
        light = light + (1 - matte) * sheet.hidden * sheet.behind*0 * (own - filled)
        light = before + (1 - cover) * light
        return unit(rgb + to_code(light) - to_code(own))

    def _blurred(self, lights, sheet):
        known = sheet.known
        far = [torch.cat([known * lights, known, known * sheet.behind_px], 1)]
        half = F.avg_pool2d(torch.cat([lights, sheet.before, sheet.before * sheet.before_px, sheet.hidden], 1), 2)
        colours, cover, reach, hidden = torch.split(half, (3, 1, 1, 1), 1)
        near = [None, torch.cat([cover * colours, cover, reach], 1)]
        for _ in range(3):
            far.append(F.avg_pool2d(far[-1], 2))
        for _ in range(2):
            near.append(F.avg_pool2d(near[-1], 2))
        seen = (1 - hidden) * (1 - cover)
        fill = torch.cat([torch.clamp(colours, max=1.0) * seen, seen, far[1][:, 3:4] * (1 - cover)], 1)
        filled = _filled(fill)
        behind = self._far(far)
        before = self._near(near)
        light, cover = before[:, :3], before[:, 3:4]
        over = torch.clamp(cover, min=1.0)
        light, cover = upsample(light / over, 2), upsample(cover / over, 2)
        # of what is around
        f = upsample(filled, 2)
        share = f[:, 3:4]
        return behind, share * behind + (1 - share) * f[:, :3], light, cover

    def _far(self, levels):
        planes = levels[3]
        # the mean of all that is known, where nothing else is
        deep = F.avg_pool2d(planes[:, :4], 4)
        m = mean(planes[:, :4])
        deep = (deep[:, :3] + _LEAST * m[:, :3] / (m[:, 3:] + 1e-4)) / (deep[:, 3:] + _LEAST)
        out = upsample(deep, 4)
        level = 3
        edges = [SHARP] + [r for r, _ in RUNGS]
        for k in range(len(RUNGS) - 1, -1, -1):
            radius, own = RUNGS[k]
            if own != level:
                out, level = upsample(out, 2), own
            planes = levels[level]
            px = planes[:, 4:] / (planes[:, 3:4] + 1e-3)
            there = unit(_QUICK * (px - edges[k]) / (edges[k + 1] - edges[k]))
            weight = there if k == len(RUNGS) - 1 else there * unit((RUNGS[k + 1][0] - px) / (RUNGS[k + 1][0] - radius))
            stack = torch.cat([planes[:, :4] * weight, planes[:, 3:4] * there], 1)
            sums = laid(stack, self.far[k])
            share = sums[:, :4] / (F.relu(sums[:, 4:]) + _LEAST)
            out = share[:, :3] + (1 - share[:, 3:]) * out
        return out

    def _near(self, levels):
        total = None
        level = 3
        count = len(NEAR_RUNGS)
        for k in range(count - 1, -1, -1):
            radius, own = NEAR_RUNGS[k]
            if own != level:
                total, level = upsample(total, 2), own
            planes = levels[level]
            px = planes[:, 4:] / (planes[:, 3:4] + 1e-3)
            weight = 1
            if k > 0:
                weight = unit((px - NEAR_RUNGS[k - 1][0]) / (radius - NEAR_RUNGS[k - 1][0]))
            if k < count - 1:
                w2 = unit((NEAR_RUNGS[k + 1][0] - px) / (NEAR_RUNGS[k + 1][0] - radius))
                weight = w2 if k == 0 else torch.minimum(weight, w2)
            s = laid(planes[:, :4] * weight, self.near[k])
            total = s if total is None else total + s
        return total


def laid(planes, kernel):
    count = planes.shape[1]
    return F.conv2d(planes, torch.cat([kernel] * count), padding=kernel.shape[2] // 2, groups=count)


def _filled(planes):
    """(N, 5, h, w): (colours, known, of which behind) -> (N,4,h,w)"""
    levels = [planes]
    for _ in range(4):
        levels.append(F.avg_pool2d(levels[-1], 2))
    top = levels[-1]
    out = torch.cat([top[:, :3], top[:, 4:]], 1) / (top[:, 3:4] + 1e-3)
    for level in levels[-2::-1]:
        out = upsample(out, 2)
        out = (torch.cat([level[:, :3], level[:, 4:]], 1) + _KNOWN * out) / (level[:, 3:4] + _KNOWN)
    return out
