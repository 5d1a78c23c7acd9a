"""Three-way spatial propagation in four directions (paper 3.1; Liu et al. [22]).

One direction, scanned from the first line k = 0 to the last (here top to bottom)::

    h[k, i] = (1 - sum_n g_n[k, i]) x[k, i] + sum_{n in {i-1, i, i+1}} g_n[k, i] h[k-1, n]

Two rules keep the result bounded, and leave a constant image as it is:

* the gates of a pixel are bounded in absolute value, ``sum_n |g_n| <= 1``;
* a gate that points outside the image is zero (a wall), the first line included.

The four results are merged by their maximum. ``propagate`` runs the four directions as one scan of max(H, W)
steps: the lines of all directions are laid side by side on the channel axis, shorter ones padded with zero gates.

A step is three operations that every phone's GPU has: each pixel's value times what it gives to its three neighbours
and to the input (a product with the gates), and one convolution that shifts and adds. Lines are reversed by a 1x1
convolution over the line axis, since flips leave the delegates' op set. These convolutions hold only 0 and 1, so that
nothing is rounded.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DIRECTIONS = ("down", "up", "right", "left")

NEIGHBOURS = 3
"""Pixels of the line before that a pixel takes from: i - 1, i and i + 1."""

TAPS = (0, 1, 2, 1)
"""Where a pixel finds what it takes: left, middle and right neighbour of the line before, and the input."""

GATES_PER_CHANNEL = len(DIRECTIONS) * NEIGHBOURS


def _wall(direction: int, neighbour: int, height: int, width: int) -> tuple[list[float], list[float]]:
    """0 where the gate of a direction and neighbour points outside the image, else 1: down a column and along a row."""
    along, across = (height, width) if direction < 2 else (width, height)
    # the first line of the scan has no predecessor; neighbour 0 reads position i - 1, neighbour 2 reads i + 1
    first = 0 if direction % 2 == 0 else along - 1
    beyond = {0: 0, 1: None, 2: across - 1}[neighbour]
    scan, side = [float(i != first) for i in range(along)], [float(i != beyond) for i in range(across)]
    return (scan, side) if direction < 2 else (side, scan)


def _walled(raw: Tensor) -> Tensor:
    """Raw gates (N, 12 C, H, W) with those that point outside the image zero."""
    channels, height, width = raw.shape[1] // GATES_PER_CHANNEL, raw.shape[2], raw.shape[3]
    order = [(d, n) for n in range(NEIGHBOURS) for d in range(len(DIRECTIONS)) for _ in range(channels)]
    down, right = zip(*(_wall(d, n, height, width) for d, n in order), strict=True)
    column = torch.tensor(down, dtype=raw.dtype, device=raw.device)[None, :, :, None]
    row = torch.tensor(right, dtype=raw.dtype, device=raw.device)[None, :, None, :]
    return raw * column * row


def straight_only(raw: Tensor) -> Tensor:
    """Raw gates (N, 12 C, H, W) with those of the two diagonal neighbours zero: one-way propagation."""
    keep = torch.tensor([0.0, 1.0, 0.0], device=raw.device).repeat_interleave(raw.shape[1] // NEIGHBOURS)
    return raw * keep.reshape(1, -1, 1, 1)


def bound_gates(raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Wall and bound raw gates.

    Args:
        raw: (N, 12 C, H, W), ordered neighbour, direction, channel; any range.

    Returns:
        Gates of left, middle and right neighbour, each (N, 4 C, H, W), ordered direction, channel; at each place the
        sum of the three absolute values is at most 1.
    """
    left, middle, right = torch.split(_walled(raw), raw.shape[1] // NEIGHBOURS, 1)
    scale = torch.clamp(left.abs() + middle.abs() + right.abs(), min=1.0)
    return left / scale, middle / scale, right / scale


def _reversed_lines(x: Tensor) -> Tensor:
    """(N, C, L, X) with its lines in reverse order."""
    length = x.shape[2]
    order = [[[[float(i + j == length - 1)]] for j in range(length)] for i in range(length)]
    kernel = torch.tensor(order, dtype=x.dtype, device=x.device)
    return F.conv2d(x.permute(0, 2, 1, 3), kernel).permute(0, 2, 1, 3)


def _given(gate: Tensor, tap: int) -> Tensor:
    """A gate (N, C, L, X) moved from the pixel that takes to the pixel that gives; ``tap`` 1 leaves it in its place."""
    weights = [[[[float(tap == k) for k in range(NEIGHBOURS)]]]] * gate.shape[1]
    kernel = torch.tensor(weights, dtype=gate.dtype, device=gate.device)
    return F.conv2d(gate, kernel, padding=(0, 1), groups=gate.shape[1])


def _taking_kernel(lines: int, like: Tensor) -> Tensor:
    """Convolution (lines, 4 lines, 1, 3): a pixel adds what three pixels of the line before and the input give it."""
    kernel = [
        [[[float(i == j and tap == position) for position in range(NEIGHBOURS)]] for tap in TAPS for j in range(lines)]
        for i in range(lines)
    ]
    return torch.tensor(kernel, dtype=like.dtype, device=like.device)


def _squared(x: Tensor, direction: int, side: int) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side): lines of the direction, padded with zeros."""
    lines = x if direction < 2 else x.transpose(2, 3)
    return F.pad(lines, (0, side - lines.shape[3], 0, side - lines.shape[2]))


def _joined(parts: list[Tensor], axis: int) -> list[Tensor]:
    """Runs of at most five concatenated: TFLite's delegate takes no more at once."""
    groups = [parts[k : k + 5] for k in range(0, len(parts), 5)]
    return [torch.cat(group, axis) if len(group) > 1 else group[0] for group in groups]


def _concatenated(lines: list[Tensor]) -> Tensor:
    """Lines (N, C, 1, X) as (N, C, L, X).

    They are laid out in rows of 4 or 16 and joined by turns along the two axes: of two concatenations along one axis
    the converter would make one that is too long for the delegate.
    """
    length, (n, channels, _, across) = len(lines), lines[0].shape
    width = 4 if length <= 100 else 16
    lines = lines + lines[-1:] * (-length % width)
    columns = [lines[k::width] for k in range(width)]
    while len(columns) > 1 or len(columns[0]) > 1:
        columns = [_joined(column, 2) for column in columns]
        rows = [_joined(list(row), 3) for row in zip(*columns, strict=True)]
        columns = [list(column) for column in zip(*rows, strict=True)]
    return columns[0][0].reshape(n, channels, -1, across)[:, :, :length]


def _scanned(squares: list[Tensor]) -> list[Tensor]:
    """Results (N, C, side, side) of each direction's gates and input (N, 4 C, side, side), by :class:`Scan`."""
    from portraiture.training.models.scan import Scan  # training alone runs it

    n, channels, side = squares[0].shape[0], squares[0].shape[1] // len(TAPS), squares[0].shape[2]
    turned = [square.flip(2) if d % 2 else square for d, square in enumerate(squares)]
    stacked = torch.stack(turned).reshape(len(DIRECTIONS) * n, len(TAPS), channels, side, side)
    parts = stacked.permute(1, 3, 0, 2, 4).reshape(len(TAPS), side, -1, side).unbind(0)
    out = Scan.apply(*(part.contiguous() for part in parts))  # type: ignore[no-untyped-call]
    by_direction = out.reshape(side, len(DIRECTIONS), n, channels, side).permute(1, 2, 3, 0, 4)
    return [y.flip(2) if d % 2 else y for d, y in enumerate(by_direction)]


def propagate_directions(x: Tensor, gates: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
    """The results of the four directions, before the merge.

    Args:
        x: hidden map (N, C, H, W).
        gates: from :func:`bound_gates`, each (N, 4 C, H, W).

    Returns:
        Four tensors (N, C, H, W), in the order of ``DIRECTIONS``.
    """
    n, channels, height, width = x.shape
    side, lines = max(height, width), len(DIRECTIONS) * channels
    left, middle, right = gates
    source = (1 - left - middle - right) * torch.cat([x] * len(DIRECTIONS), 1)
    by_direction = zip(*(torch.split(part, channels, 1) for part in (left, middle, right, source)), strict=True)
    squares = [_squared(torch.cat(parts, 1), d, side) for d, parts in enumerate(by_direction)]
    if x.requires_grad or left.requires_grad:
        out = _scanned(squares)
        return [(y if d < 2 else y.transpose(2, 3))[:, :, :height, :width] for d, y in enumerate(out)]
    # "up" and "left" come back: their last line is the scan's first. The shorter ones then begin with their padding,
    # through which zero stays zero
    squares[1], squares[3] = torch.split(_reversed_lines(torch.cat([squares[1], squares[3]], 1)), 4 * channels, 1)
    parts = zip(*(torch.split(square, channels, 1) for square in squares), strict=True)
    # left, middle, right gates and input of all directions; moved, since the delegate takes no concatenation of 16
    moved = [_given(torch.cat(part, 1), 2 - tap) for part, tap in zip(parts, TAPS, strict=True)]
    given = torch.cat(moved, 1)  # (N, 4 lines, side, side)
    one = torch.ones((n, lines, 1, side), dtype=x.dtype, device=x.device)
    take = _taking_kernel(lines, x)
    h = given[:, 3 * lines :, :1]
    scanned = [h]
    for k in range(1, side):
        h = F.conv2d(torch.cat([h, h, h, one], 1) * given[:, :, k : k + 1], take, padding=(0, 1))
        scanned.append(h)
    out = list(torch.split(_concatenated(scanned), channels, 1))
    out[1], out[3] = torch.split(_reversed_lines(torch.cat([out[1], out[3]], 1)), channels, 1)
    return [(y if d < 2 else y.transpose(2, 3))[:, :, :height, :width] for d, y in enumerate(out)]


def propagate(x: Tensor, raw_gates: Tensor) -> Tensor:
    """Propagate a hidden map in four directions and merge by maximum.

    Args:
        x: hidden map (N, C, H, W).
        raw_gates: (N, 12 C, H, W), ordered neighbour, direction, channel; unbounded, from the guidance network.

    Returns:
        (N, C, H, W).
    """
    down, up, right, left = propagate_directions(x, bound_gates(raw_gates))
    return torch.maximum(torch.maximum(down, up), torch.maximum(right, left))


class Propagation(nn.Module):
    """:func:`propagate` as a layer without weights: hooks see its gates, exported files and reports carry its name."""

    def forward(self, x: Tensor, raw_gates: Tensor) -> Tensor:
        return propagate(x, raw_gates)
