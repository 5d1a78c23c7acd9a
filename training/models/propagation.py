"""Three-way spatial propagation in four directions (paper 3.1; Liu et al. [22]).

One direction, scanned from the first line k = 0 to the last (here top to bottom)::

    h[k, i] = (1 - sum_n g_n[k, i]) x[k, i] + sum_{n in {i-1, i, i+1}} g_n[k, i] h[k-1, n]

Two rules keep the result bounded, and leave a constant image as it is:

* the gates of a pixel are bounded in absolute value, ``sum_n |g_n| <= 1``;
* a gate that points outside the image is zero (a wall), the first line included.

The four results are merged by their maximum. ``propagate`` runs the four directions as one scan of max(H, W)
steps: the lines of all directions are laid side by side on the channel axis, shorter ones padded with zero gates.
No ``flip`` is used, since TFLite's REVERSE leaves the delegates' op set; reversed lines are picked by index.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import concatenated_lines

DIRECTIONS = ("down", "up", "right", "left")

NEIGHBOURS = 3
"""Pixels of the line before that a pixel takes from: i - 1, i and i + 1."""

GATES_PER_CHANNEL = len(DIRECTIONS) * NEIGHBOURS


def _walls(gate: Tensor, direction: int, neighbour: int) -> Tensor:
    """Zero the gates of one direction and neighbour (N, C, H, W) that point outside the image."""
    cut = [0, 0, 0, 0]  # left, right, top, bottom lines to zero
    # the first line of the scan has no predecessor
    cut[{0: 2, 1: 3, 2: 0, 3: 1}[direction]] = 1
    # neighbour 0 reads position i - 1, neighbour 2 reads i + 1, across the scan
    if neighbour != 1:
        across = (0, 1) if direction < 2 else (2, 3)
        cut[across[0] if neighbour == 0 else across[1]] = 1
    left, right, top, bottom = cut
    h, w = gate.shape[2], gate.shape[3]
    return F.pad(gate[:, :, top : h - bottom, left : w - right], (left, right, top, bottom))


def straight_only(raw: Tensor) -> Tensor:
    """Raw gates (N, 12 C, H, W) with those of the two diagonal neighbours zero: one-way propagation."""
    channels = raw.shape[1] // GATES_PER_CHANNEL
    keep = torch.tensor([0.0, 1.0, 0.0], device=raw.device).repeat(len(DIRECTIONS)).repeat_interleave(channels)
    return raw * keep.reshape(1, -1, 1, 1)


def bound_gates(raw: Tensor) -> list[list[Tensor]]:
    """Wall and bound raw gates.

    Args:
        raw: (N, 12 C, H, W), ordered direction, neighbour, channel; any range.

    Returns:
        ``gates[direction][neighbour]``, each (N, C, H, W), with sum over neighbours of |g| <= 1.
    """
    channels = raw.shape[1] // GATES_PER_CHANNEL
    parts = torch.split(raw, channels, 1)
    gates = []
    for d in range(len(DIRECTIONS)):
        walled = [_walls(parts[d * NEIGHBOURS + n], d, n) for n in range(NEIGHBOURS)]
        total = walled[0].abs() + walled[1].abs() + walled[2].abs()
        scale = torch.clamp(total, min=1.0)
        gates.append([g / scale for g in walled])
    return gates


def _lines(x: Tensor, direction: int, steps: int) -> Tensor:
    """(N, C, H, W) -> (steps, N, steps, C): rows or columns, padded with zeros."""
    x = x.permute(2, 0, 3, 1) if direction < 2 else x.permute(3, 0, 2, 1)  # (L, N, X, C)
    length, across = x.shape[0], x.shape[2]
    if across < steps or length < steps:
        x = F.pad(x, (0, 0, 0, steps - across, 0, 0, 0, steps - length))
    return x


def propagate_directions(x: Tensor, gates: list[list[Tensor]]) -> list[Tensor]:
    """The results of the four directions, before the merge.

    Args:
        x: hidden map (N, C, H, W).
        gates: from :func:`bound_gates`, each of x's shape.

    Returns:
        Four tensors (N, C, H, W), in the order of ``DIRECTIONS``.
    """
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    steps = max(height, width)
    lines = []
    for d, (left, middle, right) in enumerate(gates):
        source = (1 - left - middle - right) * x
        lines.append(_lines(torch.cat([left, middle, right, source], 1), d, steps))
    # The directions that come back are turned together, line by line: a flip is slow on phones. The one with fewer
    # lines then begins with its padding, through which zero stays zero.
    back = torch.split(torch.cat([lines[1], lines[3]], 3), 1, 0)
    turned = torch.split(concatenated_lines(back[::-1]), channels, 3)
    # per direction: left, middle, right gate and input term
    parts = [torch.split(lines[0], channels, 3), turned[:4], torch.split(lines[2], channels, 3), turned[4:]]
    # all directions together: four tensors (steps, N, steps, 4 C), each split into its lines
    grouped = (torch.cat(group, 3) for group in zip(*parts, strict=True))
    g_left, g_middle, g_right, source_lines = (torch.split(group, 1, 0) for group in grouped)
    h = source_lines[0]
    result = [h]
    for k in range(1, steps):
        shifted = F.pad(h, (0, 0, 1, 1))  # (1, N, steps + 2, 4 C)
        h = source_lines[k] + g_left[k] * shifted[:, :, :steps] + g_middle[k] * h + g_right[k] * shifted[:, :, 2:]
        result.append(h)
    # the directions that go, and those that come back
    scanned = [concatenated_lines(result), concatenated_lines(result[::-1])]
    out = []
    for d in range(len(DIRECTIONS)):
        length, across = (height, width) if d < 2 else (width, height)
        y = scanned[d % 2][:length, :, :across, d * channels : (d + 1) * channels]  # (L, N, X, C)
        out.append(y.permute(1, 3, 0, 2) if d < 2 else y.permute(1, 3, 2, 0))
    return out


def propagate(x: Tensor, raw_gates: Tensor) -> Tensor:
    """Propagate a hidden map in four directions and merge by maximum.

    Args:
        x: hidden map (N, C, H, W).
        raw_gates: (N, 12 C, H, W), unbounded, from the guidance network.

    Returns:
        (N, C, H, W).
    """
    down, up, right, left = propagate_directions(x, bound_gates(raw_gates))
    return torch.maximum(torch.maximum(down, up), torch.maximum(right, left))


class Propagation(nn.Module):
    """:func:`propagate` as a layer without weights: hooks see its gates, exported files and reports carry its name."""

    def forward(self, x: Tensor, raw_gates: Tensor) -> Tensor:
        return propagate(x, raw_gates)
