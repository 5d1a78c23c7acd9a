"""Baseline Xu et al. [31], "Deep edge-aware filters" (ICML 2015).

Three convolutions (large, 1x1, large) turn the photo's gradients into the gradients of the filtered picture; the
vertical ones go through the same network transposed. The picture S is then the one that fits them and the photo,

    min_S  |S - I|^2 + beta (|d_x S - F(d_x I)|^2 + |d_y S - F(d_y I)|^2),

solved exactly: with reflecting borders the cosine transform makes the normal equations diagonal. As in [31] the
network learns gradients: the loss knows no picture. The network sees the photo, and the aperture as one more plane.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.filters.base import RADIUS_UNIT_PX, FilterInput, LensFilter

HIDDEN = 32
"""Channels. [31] has 256 and 16x16 kernels, about a hundred times the arithmetic of the other filters here."""

FIRST, LAST = 9, 5
"""Sides of the large kernels, in pixels; chosen, not measured."""

BETA = 8.4
"""Weight of the gradients; chosen, not measured."""


@lru_cache(maxsize=32)
def _cosines(n: int) -> Tensor:
    """The orthonormal DCT-II matrix, (n, n), rows are frequencies."""
    k = torch.arange(n, dtype=torch.float64)[:, None]
    matrix = torch.cos(math.pi * k * (2 * torch.arange(n, dtype=torch.float64) + 1) / (2 * n)) * math.sqrt(2 / n)
    matrix[0] /= math.sqrt(2)
    return matrix


def gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    """Forward differences along x and y, 0 in the last column and row; (N, C, H, W) each."""
    return F.pad(x.diff(dim=3), (0, 1)), F.pad(x.diff(dim=2), (0, 0, 0, 1))


def reconstruct(rgb: Tensor, across: Tensor, down: Tensor, beta: float = BETA) -> Tensor:
    """The S of the equation above.

    Args:
        rgb: the photo, (N, C, H, W) in 0..1.
        across, down: gradients wanted along x and y, (N, C, H, W); their last column and row have no effect.
        beta: weight of the gradients, 0 or more.
    """
    height, width = rgb.shape[2:]
    # the adjoint of the forward difference: g[k-1] - g[k]
    right = F.pad(across[..., :-1], (1, 0)) - F.pad(across[..., :-1], (0, 1))
    below = F.pad(down[..., :-1, :], (0, 0, 1, 0)) - F.pad(down[..., :-1, :], (0, 0, 0, 1))
    rows, columns = _cosines(height).to(rgb), _cosines(width).to(rgb)
    spectrum = rows @ (rgb + beta * (right + below)) @ columns.T

    def eigenvalues(n: int) -> Tensor:
        return 2 - 2 * torch.cos(math.pi * torch.arange(n, dtype=rgb.dtype, device=rgb.device) / n)

    spectrum = spectrum / (1 + beta * (eigenvalues(height)[:, None] + eigenvalues(width)))
    return rows.T @ spectrum @ columns


class XuFilter(LensFilter):
    """(rgb, -, -, aperture, -) -> rgb by learned gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, HIDDEN, FIRST, padding=FIRST // 2),
            nn.ReLU(),
            nn.Conv2d(HIDDEN, HIDDEN, 1),
            nn.ReLU(),
            nn.Conv2d(HIDDEN, 3, LAST, padding=LAST // 2),
        )

    def _gradients(self, inputs: FilterInput) -> tuple[Tensor, Tensor]:
        """F(d_x I) and F(d_y I), (N, 3, H, W)."""
        across, down = gradients(inputs.rgb)
        both = torch.cat([across, down.transpose(2, 3)]) if across.shape[2] == across.shape[3] else None
        plane = inputs.aperture_px / RADIUS_UNIT_PX

        def filtered(x: Tensor, plane: Tensor) -> Tensor:
            result: Tensor = self.layers(torch.cat([x, plane.expand(-1, -1, *x.shape[2:])], 1))
            return result

        if both is not None:  # square crops: one pass
            first, second = filtered(both, torch.cat([plane, plane])).chunk(2)
        else:
            first, second = filtered(across, plane), filtered(down.transpose(2, 3), plane)
        return first, second.transpose(2, 3)

    def render(self, inputs: FilterInput) -> Tensor:
        """See :class:`LensFilter`."""
        return torch.clamp(reconstruct(inputs.rgb, *self._gradients(inputs)), 0.0, 1.0)

    def loss(self, inputs: FilterInput, target: Tensor) -> tuple[Tensor, Tensor]:
        """Root mean squared error of the gradients."""
        found = self._gradients(inputs)
        wanted = gradients(target)
        squares = sum((a - b).square().mean((1, 2, 3)) for a, b in zip(found, wanted, strict=True))
        assert isinstance(squares, Tensor)
        with torch.no_grad():
            picture = torch.clamp(reconstruct(inputs.rgb, *found), 0.0, 1.0)
        return (squares + 1e-8).sqrt().mean(), (picture - target).square().mean((1, 2, 3))
