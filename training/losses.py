"""The losses of the paper: segmentation (1), relative depth (2), depth consistency on the body (3)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Equation (1) as a (weighted) mean, stable in the logits v of m = 1 / (1 + exp(-v)).

    Args:
        logits: any shape and range.
        truth: same shape, 0 background, 1 foreground; values between are soft labels.
        weight: same shape, not negative, 0 where the truth is not known; None weighs every pixel the same.
    """
    # L1(m) = - sum_F log m_i - sum_B log(1 - m_j), divided by the number of pixels
    if weight is None:
        return F.binary_cross_entropy_with_logits(logits, truth)
    return F.binary_cross_entropy_with_logits(logits, truth, weight, reduction="sum") / weight.sum().clamp(min=1e-6)


def hardest_cross_entropy(logits: Tensor, truth: Tensor, share: float, known: Tensor | None = None) -> Tensor:
    """Equation (1) as a mean over each photo's worst pixels: what is wrong on a small part of a photo.

    Args:
        logits, truth: (N, 1, H, W), as in :func:`cross_entropy`.
        share: share of a photo's pixels that count, above 0, up to 1.
        known: same shape, 1 where the truth is known, else 0; None knows it all.
    """
    each = F.binary_cross_entropy_with_logits(logits, truth, known, reduction="none").flatten(1)
    return torch.topk(each, max(1, round(share * each.shape[1])), 1, sorted=False).values.mean()


def _running_maximum(x: Tensor, axis: int, reach_px: int) -> Tensor:
    """Largest value of (N, 1, H, W) within reach along an axis, by windows of twice the length each: fast on a CPU."""
    padding = (0, 0, reach_px, reach_px) if axis == 2 else (reach_px, reach_px)
    x, span, window = F.pad(x, padding, value=-torch.inf), 1, 2 * reach_px + 1
    while span < window:
        step = min(span, window - span)
        count = x.shape[axis] - step
        x = torch.maximum(x.narrow(axis, 0, count), x.narrow(axis, step, count))
        span += step
    return x


def edge_weight(truth: Tensor, reach_px: int = 6, gain: float = 2.0) -> Tensor:
    """Weight of each pixel: 1 + gain near the truth's outline, 1 elsewhere.

    Args:
        truth: (N, 1, H, W) in 0..1.
        reach_px: half width of the heavier band, in pixels; chosen, not measured.
        gain: weight that the band gets on top; chosen, not measured.

    Returns:
        (N, 1, H, W).
    """

    def largest(x: Tensor) -> Tensor:  # over a square
        return _running_maximum(_running_maximum(x, 2, reach_px), 3, reach_px)

    return 1 + gain * (largest(truth) + largest(-truth) > 0.5).to(truth.dtype)


def dice(logits: Tensor, truth: Tensor, known: Tensor | None = None) -> Tensor:
    """1 - Dice overlap, averaged over the batch; a photo of nobody counts 0. Not in the paper; helps small people.

    Args:
        logits: (N, 1, H, W), any range.
        truth: (N, 1, H, W) in 0..1.
        known: the same, 1 where the truth is known, else 0; None knows it all.
    """
    m = torch.sigmoid(logits)
    if known is not None:
        m, truth = m * known, truth * known
    overlap = (m * truth).sum((1, 2, 3))
    area = truth.sum((1, 2, 3))
    distance = 1 - (2 * overlap + 1) / (m.sum((1, 2, 3)) + area + 1)
    return (distance * (area > 0)).mean()


def ranking(z_a: Tensor, z_b: Tensor, relation: Tensor) -> Tensor:
    """Equation (2), averaged over pairs.

    Args:
        z_a, z_b: predicted depth of both points of each pair, any shape and range.
        relation: same shape, +1 where A is farther than B, -1 where it is nearer.
    """
    # L2(z) = log(1 + exp(-z_i + z_j)) for +1, log(1 + exp(z_i - z_j)) for -1
    return F.softplus(-relation * (z_a - z_b)).mean()


def body_consistency(z: Tensor, delta: float) -> Tensor:
    """Equation (3) over all pairs of body pixels, exact, in O(n log n); averaged over the n^2 ordered pairs.

    With z sorted, the pairs that i forms with all j that lie more than sqrt(delta) below it are the first k_i values,
    and their sum follows from prefix sums S1 of z and S2 of z^2::

        sum_{j < k_i} (z_i - z_j)^2 - delta = k_i (z_i^2 - delta) - 2 z_i S1[k_i] + S2[k_i]

    Args:
        z: depth at the body's pixels, (n,), any range.
        delta: margin on the squared difference, 0 or more, in the unit of z squared.
    """
    n = z.numel()
    if n < 2:
        return z.sum() * 0
    # prefix sums cancel: centre, and accumulate in float64
    ordered = torch.sort(z.double() - z.detach().double().mean()).values
    zero = ordered.new_zeros(1)
    s1 = torch.cat([zero, ordered.cumsum(0)])
    s2 = torch.cat([zero, ordered.square().cumsum(0)])
    k = torch.searchsorted(ordered.detach(), ordered.detach() - delta**0.5)
    per_pixel = k * (ordered.square() - delta) - 2 * ordered * s1[k] + s2[k]
    # each unordered pair was met once; (3) sums over ordered pairs
    return (2 * per_pixel.sum() / n**2).to(z.dtype)


def log_depth(z: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """L1 of z against a log-depth target: a shift per image is free but for a share of 0.2, chosen, not measured.

    Args:
        z, target: (N, P), any range.
        known: (N, P), 1 where the depth was measured, 0 elsewhere.
    """
    count = known.sum(1).clamp(min=1)
    error = (z - target) * known
    centred = (error - (error.sum(1) / count)[:, None]) * known
    return (centred.abs().sum(1) / count).mean() + 0.2 * (error.abs().sum(1) / count).mean()
