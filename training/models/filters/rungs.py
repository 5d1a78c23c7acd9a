"""What the filter of the lens look is made of: a ladder of disks, and planes at the sizes at which they are laid."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import upsample
from portraiture.training.models.filters.disks import shrunk_disk

RUNGS = ((2.0, 1), (3.9, 1), (6.5, 2), (10.25, 2), (14.0, 2), (19.0, 3), (26.0, 3))
"""Behind the focus: radii in pixels of the photo, and how often its size is halved for them."""

NEAR_RUNGS = ((3.0, 1), (5.0, 1), (8.5, 2), (14.0, 2), (20.0, 3), (26.0, 3))
"""Before the focus."""

_KNOWN = 0.05
"""Weight of a coarser level of a fill beside what is known at a level; chosen, not measured."""

_FILL_LEVELS = 3
"""How often a fill halves 1/4 of the size. With 2 portraits with a chosen focus are 0.5 to 1 dB farther from the
reference's (10 photos)."""

TINY = 1e-3
"""Added to weights that divide radii."""


def laid(planes: Tensor, kernel: Tensor) -> Tensor:
    """Every plane of (N, C, h, w) by one kernel (1, 1, k, k); what is outside counts as 0."""
    count = planes.shape[1]
    return F.conv2d(planes, torch.cat([kernel] * count), padding=kernel.shape[2] // 2, groups=count)


def pooled(planes: Tensor) -> Tensor:
    """Half the height and width, by means."""
    return F.avg_pool2d(planes, 2)


def of_rung(px: Tensor, k: int) -> Tensor:
    """How much of a radius in pixels, of any shape, is of a rung before the focus, times six; 6 in all."""
    radii = [radius for radius, _ in NEAR_RUNGS]
    rises = F.relu6((px - radii[k - 1]) * (6 / (radii[k] - radii[k - 1]))) if k > 0 else None
    falls = F.relu6((radii[k + 1] - px) * (6 / (radii[k + 1] - radii[k]))) if k < len(radii) - 1 else None
    if rises is None or falls is None:
        found = falls if rises is None else rises
        assert found is not None
        return found
    return torch.minimum(rises, falls)


def levels_of(planes: Tensor) -> list[Tensor]:
    """Planes at half the photo's size, and from there to 1/8; by how often it is halved."""
    levels = [planes, planes]
    for _ in range(max(level for _, level in RUNGS) - 1):
        levels.append(pooled(levels[-1]))
    return levels


def filled_from(planes: Tensor) -> Tensor:
    """Extends what is known smoothly over what is not: pull and push through means of 2x2, as ``fill`` there.

    Args:
        planes: light times weight, the weight, and a share times the weight: 3, 1 and 1 of (N, 5, h, w).

    Returns:
        Light and the share, (N, 4, h, w).
    """
    levels = [planes]
    for _ in range(_FILL_LEVELS):
        levels.append(pooled(levels[-1]))
    top = levels[-1]
    out = torch.cat([top[:, :3], top[:, 4:]], 1) / (top[:, 3:4] + TINY)
    for level in levels[-2::-1]:
        out = upsample(out, 2)
        out = (torch.cat([level[:, :3], level[:, 4:]], 1) + _KNOWN * out) / (level[:, 3:4] + _KNOWN)
    return out


def kernels_of(rungs: Sequence[tuple[float, int]]) -> nn.ParameterList:
    """The disks of rungs, shrunk."""
    disks = [torch.from_numpy(shrunk_disk(radius, 2**level)).float()[None, None] for radius, level in rungs]
    return nn.ParameterList(nn.Parameter(disk) for disk in disks)
