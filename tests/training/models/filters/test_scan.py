"""The doubling scan against a plain loop, and what happens at the first line."""

import pytest
import torch
from torch import Tensor

from portraiture.training.models.filters.rnn import HORIZONTAL, VERTICAL, scan, smooth_four_directions

LENGTHS = [1, 2, 3, 5, 7, 8, 9, 16, 31]


def loop(a: Tensor, b: Tensor, dim: int, backward: bool) -> Tensor:
    """h[k] = b[k] + a[k] h[k-1], h = 0 before the first line."""
    lines = range(b.shape[dim])
    out, h = torch.zeros_like(b), torch.zeros_like(b.select(dim, 0))
    for k in reversed(lines) if backward else lines:
        h = b.select(dim, k) + a.expand_as(b).select(dim, k) * h
        out.select(dim, k).copy_(h)
    return out


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("gate_channels", [1, 3])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("dim", [VERTICAL, HORIZONTAL])
@pytest.mark.parametrize("length", LENGTHS)
def test_scan_equals_the_loop(length: int, dim: int, backward: bool, gate_channels: int) -> None:
    size = (length, 4) if dim == VERTICAL else (4, length)
    a, b = rand(2, gate_channels, *size, seed=1), rand(2, 3, *size, seed=2) - 0.5
    torch.testing.assert_close(scan(a, b, dim, backward), loop(a, b, dim, backward), rtol=0, atol=1e-12)


def test_the_first_gate_has_no_effect() -> None:
    a, b = rand(1, 1, 6, 6, seed=3), rand(1, 1, 6, 6, seed=4)
    changed = a.clone()
    changed[:, :, :, 0] = 0.123
    assert torch.equal(scan(a, b, HORIZONTAL), scan(changed, b, HORIZONTAL))


def test_zero_gates_give_the_input() -> None:
    x = rand(1, 2, 5, 6, seed=5)
    zeros = [torch.zeros(1, 1, 5, 6, dtype=torch.float64)] * 4
    assert torch.equal(smooth_four_directions(x, zeros), x)


def test_four_directions_are_right_left_down_up_in_turn() -> None:
    x, gates = rand(2, 2, 5, 7, seed=6), [0.9 * rand(2, 1, 5, 7, seed=7 + i) for i in range(4)]
    expected = x
    for a, dim, backward in zip(
        gates, (HORIZONTAL, HORIZONTAL, VERTICAL, VERTICAL), (False, True, False, True), strict=True
    ):
        expected = loop(a, (1 - a) * expected, dim, backward)
    torch.testing.assert_close(smooth_four_directions(x, gates), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_a_constant_fades_at_the_border_by_the_missing_lines(decay: float) -> None:
    """h = 0 before the first line: after k lines a constant 1 has reached 1 - decay^k, and 1 far from the border.

    This is the documented behaviour of a single scan, not of the filter, which divides two of them.
    """
    a = torch.full((1, 1, 1, 400), decay, dtype=torch.float64)
    h = scan(a, 1 - a, HORIZONTAL)[0, 0, 0]
    k = torch.arange(1, 401, dtype=torch.float64)
    torch.testing.assert_close(h, 1 - decay**k, rtol=0, atol=1e-12)
    assert float(h[0]) == pytest.approx(1 - decay)
    assert float(h[-1]) == pytest.approx(1, abs=1e-12)


def test_the_quotient_of_two_smoothings_keeps_a_constant() -> None:
    gates = [0.95 * rand(1, 1, 12, 9, seed=20 + i) for i in range(4)]
    weight = 0.1 + 0.9 * rand(1, 1, 12, 9, seed=30)
    top, bottom = smooth_four_directions(0.7 * weight, gates), smooth_four_directions(weight, gates)
    torch.testing.assert_close(top / bottom, torch.full_like(top, 0.7), rtol=0, atol=1e-12)


@pytest.mark.parametrize("reach", [1, 2, 4, 8])
@pytest.mark.parametrize("backward", [False, True])
def test_reach_is_the_number_of_terms(reach: int, backward: bool) -> None:
    a, b = 0.9 * rand(1, 1, 20, 3, seed=60), rand(1, 1, 20, 3, seed=61)
    expected = b.clone()
    for k in range(20):
        product = torch.ones(3, dtype=torch.float64)
        for j in range(1, reach):
            here, there = (k + j - 1, k + j) if backward else (k - j + 1, k - j)
            if not 0 <= there < 20:
                break
            product = product * a[0, 0, here]
            expected[0, 0, k] += product * b[0, 0, there]
    torch.testing.assert_close(scan(a, b, VERTICAL, backward, reach), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("backward", [False, True])
def test_stable_and_within_range_over_512_lines(backward: bool) -> None:
    a = (0.999 * rand(1, 1, 512, 3, seed=40)).float()
    x = rand(1, 2, 512, 3, seed=41).float()
    h = scan(a, (1 - a) * x, VERTICAL, backward)
    assert float(h.min()) >= 0
    assert float(h.max()) <= 1 + 1e-5
    expected = loop(a.double(), (1 - a.double()) * x.double(), VERTICAL, backward)
    torch.testing.assert_close(h.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("dim", [VERTICAL, HORIZONTAL])
def test_gradients(dim: int, backward: bool) -> None:
    a = (0.9 * rand(1, 1, 3, 5, seed=50)).requires_grad_()
    b = rand(1, 2, 3, 5, seed=51).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: scan(a, b, dim, backward), (a, b))
