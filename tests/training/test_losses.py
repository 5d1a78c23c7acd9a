"""Equations (1), (2) and (3) against their plain sums, values and gradients."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
import torch
from torch import Tensor

from portraiture.training.losses import (
    body_consistency,
    cross_entropy,
    dice,
    edge_weight,
    hardest_cross_entropy,
    log_depth,
    ranking,
)


def rand(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def exact_cross_entropy(logits: list[float], truth: list[float]) -> float:
    """(1) as printed, divided by the number of pixels, with digits enough that m = 1 / (1 + exp(-v)) is not 0 or 1."""
    with localcontext() as context:
        context.prec = 600
        total = Decimal(0)
        for v, t in zip(logits, truth, strict=True):
            m = 1 / (1 + (-Decimal(v)).exp())
            total -= m.ln() if t else (1 - m).ln()
        return float(total / len(logits))


@pytest.mark.parametrize(
    "logits",
    [[0.0], [1.0, -1.0, 0.3], [30.0, -30.0], [100.0, -100.0, 100.0], [1000.0, -1000.0, 5.0]],
    ids=str,
)
@pytest.mark.parametrize("foreground_first", [True, False])
def test_cross_entropy_equals_the_sum_of_logs(logits: list[float], foreground_first: bool) -> None:
    truth = [float((i % 2 == 0) == foreground_first) for i in range(len(logits))]
    v = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = cross_entropy(v, torch.tensor(truth, dtype=torch.float64))
    assert loss.item() == pytest.approx(exact_cross_entropy(logits, truth), rel=1e-12, abs=1e-15)
    loss.backward()
    # d/dv = (m - t) / n
    assert v.grad is not None
    torch.testing.assert_close(
        v.grad, (torch.sigmoid(v.detach()) - torch.tensor(truth)) / len(logits), rtol=0, atol=1e-15
    )


def test_cross_entropy_of_float32_extremes_is_finite() -> None:
    v = torch.tensor([1e4, -1e4, 1e30, -1e30], requires_grad=True)
    loss = cross_entropy(v, torch.tensor([1.0, 0.0, 1.0, 0.0]))
    loss.backward()
    assert loss.item() == 0
    assert v.grad is not None
    assert not v.grad.any()


def test_cross_entropy_of_soft_labels_is_least_at_the_label() -> None:
    truth = torch.full((1,), 0.3, dtype=torch.float64)
    best = torch.logit(truth)
    at_best = cross_entropy(best, truth).item()
    assert at_best == pytest.approx(-0.3 * math.log(0.3) - 0.7 * math.log(0.7))
    assert all(cross_entropy(best + d, truth).item() > at_best for d in (-0.1, 0.1))


def test_dice_by_hand() -> None:
    logits = torch.full((2, 1, 2, 2), -1000.0, dtype=torch.float64)
    truth = torch.zeros(2, 1, 2, 2, dtype=torch.float64)
    logits[0, 0, 0] = 1000.0  # two pixels found
    truth[0, 0, 0, 0] = 1  # one is right: (2 * 1 + 1) / (2 + 1 + 1)
    # the second is empty: left to the cross entropy
    assert dice(logits, truth).item() == pytest.approx((1 - 3 / 4) / 2)


def test_dice_of_an_empty_truth_has_no_gradient() -> None:
    logits = rand(2, 1, 3, 4, seed=8).requires_grad_()
    truth = torch.zeros(2, 1, 3, 4, dtype=torch.float64)
    truth[1, 0, 1, 2] = 1
    dice(logits, truth).backward()
    assert logits.grad is not None
    assert not logits.grad[0].any()
    assert logits.grad[1].any()


def test_weighted_cross_entropy_is_the_weighted_mean_of_logs() -> None:
    v, truth = rand(2, 1, 3, 4, seed=4), torch.sigmoid(rand(2, 1, 3, 4, seed=5))
    weight = 1 + rand(2, 1, 3, 4, seed=6).abs()
    total = 0.0
    for x, t, w in zip(v.flatten().tolist(), truth.flatten().tolist(), weight.flatten().tolist(), strict=True):
        m = 1 / (1 + math.exp(-x))
        total -= w * (t * math.log(m) + (1 - t) * math.log(1 - m))
    assert cross_entropy(v, truth, weight).item() == pytest.approx(total / float(weight.sum()), rel=1e-12)
    assert cross_entropy(v, truth, torch.full_like(v, 7.0)).item() == pytest.approx(cross_entropy(v, truth).item())


def test_the_hardest_pixels_of_each_photo_count() -> None:
    truth = torch.zeros(2, 1, 4, 5)
    logits = torch.full_like(truth, -20.0)
    logits[0, 0, 0, :2] = torch.tensor([3.0, 1.0])
    logits[1, 0, 3, 4] = 2.0
    losses = [float(torch.nn.functional.softplus(torch.tensor(z))) for z in (3.0, 1.0, 2.0, -20.0)]
    assert hardest_cross_entropy(logits, truth, 0.1).item() == pytest.approx(sum(losses) / 4)
    assert hardest_cross_entropy(logits, truth, 0.01).item() == pytest.approx((losses[0] + losses[2]) / 2)
    assert hardest_cross_entropy(logits, truth, 1.0).item() == pytest.approx(cross_entropy(logits, truth).item())


def test_what_is_not_known_counts_nowhere() -> None:
    logits, truth = rand(2, 1, 4, 5, seed=9), (rand(2, 1, 4, 5, seed=10) > 0).double()
    known = torch.zeros_like(truth)
    known[:, :, :2] = 1
    cut = logits[:, :, :2], truth[:, :, :2]
    assert dice(logits, truth * known, known).item() == pytest.approx(dice(*cut).item())
    assert cross_entropy(logits, truth, known).item() == pytest.approx(cross_entropy(*cut).item())
    assert cross_entropy(logits, truth, 0 * known).item() == 0
    worst = hardest_cross_entropy(logits, truth, 0.1, known).item()
    assert worst == pytest.approx(hardest_cross_entropy(*cut, 0.2).item())


@pytest.mark.parametrize("reach", [1, 2, 6])
def test_edge_weight_is_high_where_a_window_sees_both_sides(reach: int) -> None:
    truth = torch.zeros(3, 1, 15, 19)
    truth[0, 0, 4:, 5:12] = 1
    truth[1] = torch.rand(1, 15, 19, generator=torch.Generator().manual_seed(1)) * 0.45  # no contour
    truth[2, 0, 7, 9] = 1
    weight = edge_weight(truth, reach, gain=3.0)
    assert weight.shape == truth.shape
    for n in range(3):
        for y in range(15):
            for x in range(19):
                window = truth[n, 0, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
                both = float(window.max() - window.min()) > 0.5
                assert weight[n, 0, y, x].item() == (4 if both else 1), (n, y, x)


@pytest.mark.parametrize(
    ("a", "b", "relation", "expected"),
    [
        (2.0, 1.0, 1.0, math.log(1 + math.exp(-1))),
        (2.0, 1.0, -1.0, math.log(1 + math.exp(1))),
        (0.5, 0.5, 1.0, math.log(2)),
        (-3.0, 1.0, 1.0, math.log(1 + math.exp(4))),
        (-3.0, 1.0, -1.0, math.log(1 + math.exp(-4))),
        (1e6, -1e6, 1.0, 0.0),
        (-1e6, 1e6, 1.0, 2e6),
    ],
)
def test_ranking_by_hand(a: float, b: float, relation: float, expected: float) -> None:
    z_a, z_b, r = (torch.tensor([v], dtype=torch.float64) for v in (a, b, relation))
    assert ranking(z_a, z_b, r).item() == pytest.approx(expected, rel=1e-12)


def test_ranking_is_the_mean_over_pairs() -> None:
    a, b = rand(6, seed=1), rand(6, seed=2)
    relation = torch.tensor([1, -1, 1, 1, -1, -1], dtype=torch.float64)
    each = [
        math.log(1 + math.exp(-x + y)) if r > 0 else math.log(1 + math.exp(x - y))
        for x, y, r in zip(a.tolist(), b.tolist(), relation.tolist(), strict=True)
    ]
    assert ranking(a, b, relation).item() == pytest.approx(sum(each) / 6, rel=1e-12)


def direct_body(z: Tensor, delta: float) -> tuple[float, Tensor]:
    """(3) over all ordered pairs, divided by n^2, and its gradient, one pair at a time."""
    values, n = z.tolist(), z.numel()
    total, gradient = 0.0, [0.0] * n
    for i in range(n):
        for j in range(n):
            excess = (values[i] - values[j]) ** 2 - delta
            if excess > 0:
                total += excess
                gradient[i] += 2 * (values[i] - values[j])
                gradient[j] -= 2 * (values[i] - values[j])
    return total / n**2, torch.tensor(gradient, dtype=torch.float64) / n**2


BODIES: dict[str, Callable[[], Tensor]] = {
    **{f"random-{seed}": (lambda seed=seed: rand(40, seed=seed)) for seed in range(4)},  # type: ignore[misc]
    "ties": lambda: (3 * rand(40, seed=5)).round() / 2,
    "all-equal": lambda: torch.full((7,), 0.3, dtype=torch.float64),
    "two": lambda: torch.tensor([0.0, 1.5], dtype=torch.float64),
    "two-within-the-margin": lambda: torch.tensor([0.0, 0.05], dtype=torch.float64),
    "descending": lambda: torch.linspace(2, -2, 21, dtype=torch.float64),
    "offset-1e4": lambda: 1e4 + rand(30, seed=6),
    "offset-minus-1e4": lambda: -1e4 + rand(30, seed=7),
    "wide": lambda: 100 * rand(30, seed=8),
}


@pytest.mark.parametrize("delta", [0.0, 0.01, 0.3, 50.0])
@pytest.mark.parametrize("body", BODIES)
def test_body_consistency_equals_the_double_sum(body: str, delta: float) -> None:
    z = BODIES[body]().requires_grad_()
    expected, gradient = direct_body(z.detach(), delta)
    loss = body_consistency(z, delta)
    loss.backward()
    assert z.grad is not None
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    torch.testing.assert_close(z.grad, gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_body_consistency_in_float32_keeps_its_digits(offset: float) -> None:
    z = (offset + rand(200, seed=9)).float().requires_grad_()
    expected, gradient = direct_body(z.detach().double(), 0.01)
    loss = body_consistency(z, 0.01)
    loss.backward()
    assert loss.dtype == torch.float32
    assert z.grad is not None
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(z.grad.double(), gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("n", [0, 1])
def test_body_consistency_of_no_pair_is_zero_and_differentiable(n: int) -> None:
    z = torch.ones(n, requires_grad=True)
    loss = body_consistency(z, 0.01)
    loss.backward()
    assert loss.item() == 0
    assert z.grad is not None
    assert z.grad.shape == (n,)
    assert not z.grad.any()


def test_body_consistency_does_not_depend_on_the_order() -> None:
    z = rand(50, seed=10)
    shuffled = z[torch.randperm(50, generator=torch.Generator().manual_seed(11))]
    assert body_consistency(z, 0.1).item() == pytest.approx(body_consistency(shuffled, 0.1).item(), rel=1e-12)


def log_depth_by_hand(z: Tensor, target: Tensor, known: Tensor) -> float:
    """Per image: mean |e - mean e| + 0.2 mean |e| over the known pixels."""
    figures = []
    for k in range(z.shape[0]):
        errors = [float(z[k, i] - target[k, i]) for i in range(z.shape[1]) if known[k, i]]
        mean = sum(errors) / len(errors) if errors else 0.0
        n = max(1, len(errors))
        figures.append(sum(abs(e - mean) for e in errors) / n + 0.2 * sum(abs(e) for e in errors) / n)
    return sum(figures) / len(figures)


def test_log_depth_by_hand() -> None:
    z, target = rand(3, 8, seed=12), rand(3, 8, seed=13)
    known = (rand(3, 8, seed=14) > 0).double()
    known[2] = 0  # an image of which nothing is known
    assert log_depth(z, target, known).item() == pytest.approx(log_depth_by_hand(z, target, known), rel=1e-12)


def test_log_depth_ignores_what_is_unknown() -> None:
    z, target = rand(2, 6, seed=15), rand(2, 6, seed=16)
    known = torch.ones(2, 6, dtype=torch.float64)
    known[:, 3] = 0
    changed = z.clone()
    changed[:, 3] = 1e3
    assert log_depth(z, target, known).item() == log_depth(changed, target, known).item()


GRADIENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "cross_entropy": lambda z: cross_entropy(z, torch.tensor([1.0, 0.0, 0.4, 1.0, 0.0, 0.0], dtype=z.dtype)),
    "dice": lambda z: dice(z.reshape(2, 1, 3, 1), torch.tensor([1.0, 0, 0, 1, 1, 0]).reshape(2, 1, 3, 1).to(z)),
    "ranking": lambda z: ranking(z[:3], z[3:], torch.tensor([1.0, -1.0, 1.0], dtype=z.dtype)),
    "body_consistency": lambda z: body_consistency(z, 0.1),
    "log_depth": lambda z: log_depth(z.reshape(2, 3), torch.zeros(2, 3).to(z), torch.tensor([[1, 1, 0], [1, 1, 1]])),
}


@pytest.mark.parametrize("loss", GRADIENTS)
def test_gradients(loss: str) -> None:
    assert torch.autograd.gradcheck(GRADIENTS[loss], (2 * rand(6, seed=17)).requires_grad_())
