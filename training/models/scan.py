"""The propagation's recurrence with its gradient written out: what training runs, many times as fast as by autograd.

An exported network runs the same recurrence as convolutions, see ``propagation.py``; a test holds them to be equal.
"""

from typing import Any

import torch
from torch import Tensor


class Scan(torch.autograd.Function):
    """h[k, i] = s[k, i] + l[k, i] h[k-1, i-1] + m[k, i] h[k-1, i] + r[k, i] h[k-1, i+1]; h[0] = s[0]; 0 outside.

    ``Scan.apply(l, m, r, s)`` takes and gives (L, B, X): lines, independent rows, places in a line.
    """

    @staticmethod
    def forward(ctx: Any, left: Tensor, middle: Tensor, right: Tensor, source: Tensor) -> Tensor:
        """The results of all lines, (L, B, X).

        Args:
            ctx: keeps what the gradient needs.
            left, middle, right: gates of the places i - 1, i and i + 1 of the line before, (L, B, X); the sum of their
                magnitudes is 1 at most.
            source: what each place adds, (L, B, X), any range.
        """
        lines, rows, across = source.shape
        padded = source.new_zeros(lines, rows, across + 2)
        h = padded[:, :, 1:-1]
        h[0] = source[0]
        for k in range(1, lines):
            before = padded[k - 1]
            torch.addcmul(source[k], left[k], before[:, :-2], out=h[k])
            h[k].addcmul_(middle[k], before[:, 1:-1]).addcmul_(right[k], before[:, 2:])
        ctx.save_for_backward(left, middle, right, padded)
        return h.contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        """Gradients of gates and source, (L, B, X) each, from that of the results."""
        left, middle, right, padded = ctx.saved_tensors
        # of h[k], from its own use and from all lines after it
        total = torch.nn.functional.pad(gradients[0], (1, 1))
        for k in range(total.shape[0] - 1, 0, -1):
            own, before = total[k, :, 1:-1], total[k - 1]
            before[:, :-2].addcmul_(left[k], own)
            before[:, 1:-1].addcmul_(middle[k], own)
            before[:, 2:].addcmul_(right[k], own)
            before[:, 0], before[:, -1] = 0, 0  # beyond the ends
        source = total[:, :, 1:-1]
        earlier = torch.cat([torch.zeros_like(padded[:1]), padded[:-1]])
        return source * earlier[:, :, :-2], source * earlier[:, :, 1:-1], source * earlier[:, :, 2:], source
