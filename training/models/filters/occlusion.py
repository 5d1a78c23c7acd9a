"""The lens look: a filter that draws what the occlusion renderer draws, in linear light (``reference/occlusion``).

The reference blurs each depth layer by itself and lays it over the farther ones. Six layers with disks of any radius
cost six times what the paper's filter costs; here the rungs of a ladder of disks take the layers' place, and the light
of a rung's pixels is blurred by its one disk: light spreads from where it comes from, as a lens spreads it. With the
disk D_k of rung k

    behind the focus, far to near:  B <- D_k(u_k C) / D_k(b_k) + (1 - D_k(u_k) / D_k(b_k)) B
    in focus:                       out <- w I + (1 - w) B
    before the focus:               out <- sum_k D_k(n_k C) + (1 - sum_k D_k(n_k)) out

C is the light with clipped lights recovered, I the photo's own, u_k and n_k what is of rung k, b_k what is of it or
farther: what is nearer hides a part of a sheet, and the quotient extends the sheet under it. A pixel between two rungs
is of the farther one wholly and of the nearer one in part, so that nothing shows through both. What is hidden by the
foreground, and shows at its blurred rim, is filled from around it, by a pyramid of averages.

All of this is computed, at half the photo's size and less, and begins as the renderer. Learnt are the kernels: each is
divided by what it gives of weights, so that its sum has no effect. The matte is a curve of the mask, as an app takes
it, where the reference solves one.

A focus that is given is where the lens focuses, so that a focus that is moved slowly changes the picture slowly; the
reference turns the lens to the depth layer that is nearest to it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import mean, require_multiple, unit, upsample
from portraiture.training.models.filters.base import (
    FilterInput,
    LensFilter,
    blended_radius,
    by_the_person,
    person_depth,
    radius_of,
    selfie_share,
)
from portraiture.training.models.filters.layers import Layers
from portraiture.training.models.filters.light import excess_of, to_code, to_light
from portraiture.training.models.filters.rnn import matte_of
from portraiture.training.models.filters.rungs import (
    NEAR_RUNGS,
    RUNGS,
    TINY,
    filled_from,
    kernels_of,
    laid,
    levels_of,
    of_rung,
    pooled,
)

SHARP, BLURRED = 1.0, 1.5
"""With the focus on the person: up to this radius, in pixels, all is sharp, as in (5); from the other on nothing is."""

SOFT_PX = 4.0
"""With a focus that is chosen, all is blurred from this radius on, and the less the smaller it is: it moves smoothly.
On 4 photos it costs 0.05 dB, and the largest jump of two photos falls from 4.6 and 234 to 1.8 and 2.3 times its
neighbours' mean."""

SURE = 0.3
"""Above this matte a pixel's colour says nothing of what is behind the person, as ``occlusion/compose.py`` has it; a
test holds them equal."""

GAIN = 3.0
"""Of clipped lights, as ``GAIN`` of ``reference/occlusion/highlights.py``; a test holds them equal."""

_QUICK = 4.0
"""A sheet appears within this part of the way from a rung to the next: before the nearer rung's fades. Chosen."""

_LEAST = 4e-3
"""Added to what divides, one step of 8 bits: where nothing is known the coarser picture shows."""

_CHANGED = 64.0
"""A picture is taken back from light where more than this part of a pixel is blurred; elsewhere it is the photo."""


def blurred_share(radius_px: Tensor, chosen: Tensor) -> Tensor:
    """How far radii are those of blurred pixels, 0..1, by whether a focus is chosen, (N, 1, 1, 1) 1 or 0."""
    low, width = SHARP - SHARP * chosen, (BLURRED - SHARP) + (SOFT_PX - BLURRED + SHARP) * chosen
    return unit((radius_px - low) / width)


class OcclusionFilter(LensFilter):
    """(rgb, mask, depth, aperture, focus) -> rgb, as :class:`LensFilter`."""

    stride = 32

    def __init__(self, gain: float = GAIN) -> None:
        super().__init__()
        self.gain = gain
        self.far, self.near = kernels_of(RUNGS), kernels_of(NEAR_RUNGS)

    def set_iris(self, blades: int, rotation_deg: float) -> None:
        """Put the kernels of a polygon in the place of those of disks; before the focus it is inverted.

        Args:
            blades: 5..9.
            rotation_deg: how far it is turned, counter-clockwise as seen in the photo.
        """
        from portraiture.training.models.filters.iris import shrunk_iris

        for rungs, kernels, turn in ((RUNGS, self.far, 0.0), (NEAR_RUNGS, self.near, 180.0)):
            for k, (radius_px, level) in enumerate(rungs):
                iris = shrunk_iris(radius_px, 2**level, blades, rotation_deg + turn)
                kernels[k] = nn.Parameter(torch.from_numpy(iris).float()[None, None])

    def radii(self, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`LensFilter`; negative before the focus. The person's has a second plane, 1 for a chosen focus.

        Args:
            mask, depth, aperture, focus: as there.
        """
        by_person, layers = by_the_person(focus), Layers(depth)
        aperture_px, person, depths = aperture * math.hypot(*depth.shape[2:]), person_depth(mask, depth), layers.depths
        near, far = depths[:, :1], depths[:, -1:]
        # with the focus on the person nothing nearer is blurred, and a selfie has one disk
        behind = blended_radius(selfie_share(mask), radius_of(depths, aperture_px, person, far), aperture_px)
        turned = aperture_px / torch.clamp(torch.maximum(far - focus, focus - near), min=1e-3)
        both = (depths - focus) * turned
        person_px = (layers.nearest(person) - focus) * turned
        chosen = 1 - by_person
        return layers.of(depth, both + by_person * (behind - both)), torch.cat([chosen * person_px, chosen], 1)

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        require_multiple(inputs.rgb, self.stride)
        rgb, matte, radius_px = inputs.rgb, matte_of(inputs.mask), inputs.radius_px
        given = torch.zeros_like(inputs.aperture_px) if inputs.person_px is None else inputs.person_px
        person_px, chosen = given[:, :1], given[:, -1:]
        person_behind = blurred_share(person_px, chosen)
        own, rest, person = to_light(rgb), 1 - matte, person_behind * matte
        # a person's own light is not recovered: the reference takes skin and shirts for what they are
        lights = own + own * (rest * excess_of(own, self.gain))
        far = blurred_share(radius_px, chosen)
        behind = rest * far + person
        known = far * F.relu((1 - person_behind) - ((1 - person_behind) / SURE) * matte) + person_behind * behind
        place = known * F.relu(radius_px + person * (person_px - radius_px))
        planes = pooled(torch.cat([known * lights, known, place], 1))
        half = pooled(torch.cat([lights, matte, radius_px], 1))
        behind_light, front = self._half(planes, half, person_px, chosen)
        light = own + known * (upsample(behind_light, 2) - own)
        front = upsample(front, 2)
        light, through = light * front[:, 3:] + front[:, :3], front[:, 3:]
        changed = torch.clamp(_CHANGED * (1 - through + through * known), max=1.0)
        return rgb + changed * (to_code(light) - rgb)

    def _half(self, planes: Tensor, half: Tensor, person_px: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """What is behind the focus, blurred, and what is laid over it, at half the photo's size.

        Args:
            planes: of what is behind the focus, as :meth:`_behind` takes them.
            half: light with clipped lights recovered, matte and radius, (N, 5, h, w).
            person_px: of the person, (N, 1, 1, 1).
            chosen: 1 if a focus is chosen, else 0, (N, 1, 1, 1).

        Returns:
            Light (N, 3, h, w); light that is added and what is let through of the picture below, (N, 4, h, w).
        """
        colours, matte, radius_px = torch.split(half, [3, 1, 1], 1)
        person = blurred_share(-person_px, chosen) * matte
        before = (1 - matte) * blurred_share(-radius_px, chosen) + person
        before_px = F.relu(-radius_px - person * (person_px - radius_px))
        behind = self._behind(planes)
        ones = torch.ones_like(before)
        light, cover = self._before(torch.cat([before * colours, before, before * before_px, ones], 1))
        seen = 1 - before
        around = torch.cat([torch.clamp(colours, max=1.0) * seen, seen, planes[:, 3:4] * seen], 1)
        filled = upsample(filled_from(pooled(around)), 2)
        hidden = before * (filled[:, :3] + filled[:, 3:] * (behind - filled[:, :3]))
        left = 1 - cover
        return behind, torch.cat([light + left * hidden, left * (1 - before)], 1)

    def _behind(self, planes: Tensor) -> Tensor:
        """What is behind the focus, blurred: (N, 3, h, w), extended to where nothing of it is.

        Args:
            planes: light and radius times weight, and the weight: 3, 1 and 1 of (N, 5, h, w).
        """
        levels = levels_of(planes)
        deep = F.avg_pool2d(levels[-1][:, :4], 4)
        whole = mean(deep)
        out = (deep[:, :3] + _LEAST * whole[:, :3] / (whole[:, 3:] + TINY)) / (deep[:, 3:] + _LEAST)
        out, level = upsample(out, 4), len(levels) - 1
        radii = [SHARP, *(radius for radius, _ in RUNGS)]
        places = [level[:, 4:] / (level[:, 3:4] + TINY) for level in levels[1:]]
        for k in range(len(RUNGS) - 1, -1, -1):
            own = RUNGS[k][1]
            if own != level:
                out, level = upsample(out, 2), own
            planes, px = levels[own], places[own - 1]
            # six times as large as what they stand for, all alike: ReLU6 cuts on both sides
            there = F.relu6((px - radii[k]) * (6 * _QUICK / (radii[k + 1] - radii[k])))
            weight = there
            if k < len(RUNGS) - 1:
                weight = torch.minimum(there, F.relu6((radii[k + 2] - px) * (6 / (radii[k + 2] - radii[k + 1]))))
            sums = F.relu(laid(torch.cat([planes[:, :4] * weight, planes[:, 3:4] * there], 1), self.far[k]))
            share = sums[:, :4] / (sums[:, 4:] + 6 * _LEAST)
            out = share[:, :3] + (1 - torch.clamp(share[:, 3:], max=1.0)) * out
        return out

    def _before(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """What is before the focus, blurred: its light (N, 3, h, w), and how much of what is behind it covers.

        Args:
            planes: light and radius times weight, the weight, and 1: 3, 1, 1 and 1 of (N, 6, h, w).
        """
        levels = levels_of(planes)
        last, level = len(NEAR_RUNGS) - 1, len(levels) - 1
        places = [level[:, 4:5] / (level[:, 3:4] + TINY) for level in levels[1:]]
        total = torch.zeros(())
        for k in range(last, -1, -1):
            own = NEAR_RUNGS[k][1]
            if own != level:
                total, level = upsample(total, 2), own
            planes, weight = levels[own], of_rung(places[own - 1], k)
            sums = laid(torch.cat([planes[:, :4] * weight, planes[:, 5:]], 1), self.near[k])
            found = sums[:, :4] / (6 * sums[:, 4:])  # a disk counts what is inside the photo
            total = found if k == last else total + found
        total = F.relu(total)
        over = torch.clamp(total[:, 3:], min=1.0)
        return total[:, :3] / over, total[:, 3:] / over
