"""Propagation against a plain per-pixel loop written from the equation, and its two stability rules."""

import pytest
import torch
from torch import Tensor

from portraiture.training.models.propagation import (
    DIRECTIONS,
    GATES_PER_CHANNEL,
    NEIGHBOURS,
    bound_gates,
    propagate,
    propagate_directions,
)
from portraiture.training.models.scan import Scan

SIZES = [(2, 3, 5, 3), (2, 3, 3, 6), (1, 2, 4, 4), (1, 1, 1, 5), (1, 1, 5, 1), (1, 1, 1, 1)]

# (line, position) of a scan -> (y, x) of the image
PIXEL = {
    "down": lambda k, i, h, w: (k, i),
    "up": lambda k, i, h, w: (h - 1 - k, i),
    "right": lambda k, i, h, w: (i, k),
    "left": lambda k, i, h, w: (i, w - 1 - k),
}


def loop(x: Tensor, raw: Tensor, direction: str) -> Tensor:
    """The module's equation, a pixel at a time: walls first, then the bound, then the recursion."""
    n_images, channels, height, width = x.shape
    d = DIRECTIONS.index(direction)
    lines, across = (height, width) if direction in ("down", "up") else (width, height)
    out = torch.zeros_like(x)
    for n in range(n_images):
        for c in range(channels):
            previous: list[float] = []
            for k in range(lines):
                current = []
                for i in range(across):
                    y, xx = PIXEL[direction](k, i, height, width)
                    total, weighted, size = 0.0, 0.0, 0.0
                    for neighbour in range(NEIGHBOURS):
                        j = i + neighbour - 1
                        if k == 0 or not 0 <= j < across:
                            continue  # a wall
                        g = float(raw[n, (neighbour * len(DIRECTIONS) + d) * channels + c, y, xx])
                        total, weighted, size = total + g, weighted + g * previous[j], size + abs(g)
                    scale = max(1.0, size)
                    h = (1 - total / scale) * float(x[n, c, y, xx]) + weighted / scale
                    current.append(h)
                    out[n, c, y, xx] = h
                previous = current
    return out


def raw_gates(shape: tuple[int, int, int, int], spread: float, seed: int) -> Tensor:
    n, c, h, w = shape
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(n, GATES_PER_CHANNEL * c, h, w, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("spread", [0.2, 5.0])
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_every_direction_equals_the_loop(shape: tuple[int, int, int, int], spread: float, trained: bool) -> None:
    x = torch.randn(shape, dtype=torch.float64, requires_grad=trained)
    raw = raw_gates(shape, spread, seed=1)
    results = propagate_directions(x, bound_gates(raw))
    assert len(results) == len(DIRECTIONS)
    for direction, result in zip(DIRECTIONS, results, strict=True):
        assert result.shape == x.shape
        torch.testing.assert_close(result, loop(x.detach(), raw, direction), rtol=0, atol=1e-12, msg=direction)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (4, 3, 5), (3, 2, 1)], ids=str)
def test_the_gradient_of_training_s_scan_is_that_of_finite_differences(shape: tuple[int, int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    assert torch.autograd.gradcheck(Scan.apply, parts)


def test_training_runs_its_own_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    x, raw = torch.randn(1, 1, 4, 4), raw_gates((1, 1, 4, 4), 1.0, seed=2).float()
    monkeypatch.setattr(Scan, "apply", lambda *parts: torch.full_like(parts[3], 7.0))
    assert not (propagate(x, raw) == 7).any()
    assert (propagate(x.requires_grad_(), raw) == 7).all()


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_propagate_is_the_maximum_of_the_loops(shape: tuple[int, int, int, int]) -> None:
    x = torch.randn(shape, dtype=torch.float64)
    raw = raw_gates(shape, 1.0, seed=2)
    expected = torch.stack([loop(x, raw, d) for d in DIRECTIONS]).amax(0)
    torch.testing.assert_close(propagate(x, raw), expected, rtol=0, atol=1e-12)


def test_float32_agrees_with_float64() -> None:
    shape = (2, 3, 17, 24)
    x, raw = torch.randn(shape, dtype=torch.float64), raw_gates(shape, 1.0, seed=3)
    torch.testing.assert_close(propagate(x.float(), raw.float()).double(), propagate(x, raw), rtol=0, atol=1e-5)


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e4, 1e30])
def test_gates_are_bounded(spread: float) -> None:
    total = torch.stack(bound_gates(raw_gates((2, 3, 6, 5), spread, seed=4).float())).abs().sum(0)
    assert torch.isfinite(total).all()
    assert float(total.max()) <= 1 + 1e-6


def test_small_gates_are_left_as_they_are() -> None:
    raw = raw_gates((1, 2, 4, 4), 0.01, seed=5)
    _, middle, _ = bound_gates(raw)
    middle_of_down = raw[:, 8:10]  # neighbour 1, direction 0, two channels
    assert torch.equal(middle[:, :2, 1:], middle_of_down[:, :, 1:])


def test_gates_that_point_outside_are_zero() -> None:
    gates = bound_gates(torch.ones(1, GATES_PER_CHANNEL, 4, 5))
    first = {"down": (0, None), "up": (-1, None), "right": (None, 0), "left": (None, -1)}
    for d, direction in enumerate(DIRECTIONS):
        row, column = first[direction]
        for neighbour in range(NEIGHBOURS):
            g = gates[neighbour][0, d]
            assert not (g[row] if row is not None else g[:, column]).any(), (direction, neighbour)
        before, after = gates[0][0, d], gates[2][0, d]
        if direction in ("down", "up"):
            assert not before[:, 0].any()
            assert not after[:, -1].any()
        else:
            assert not before[0].any()
            assert not after[-1].any()
        # and none else: an inner pixel keeps all three
        assert all(float(gates[n][0, d, 2, 2]) == pytest.approx(1 / 3) for n in range(NEIGHBOURS))


@pytest.mark.parametrize("spread", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("size", [(7, 4), (4, 7), (6, 6)], ids=str)
def test_a_constant_stays_constant(size: tuple[int, int], spread: float) -> None:
    x = torch.full((2, 2, *size), 3.5, dtype=torch.float64)
    gates = bound_gates(raw_gates((2, 2, *size), spread, seed=6))
    for result in propagate_directions(x, gates):
        torch.testing.assert_close(result, x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 2, 512, 4), (1, 2, 4, 512)], ids=str)
def test_stable_over_512_lines(shape: tuple[int, int, int, int]) -> None:
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(shape, generator=generator) * 2 - 1
    for result in propagate_directions(x, bound_gates(raw_gates(shape, 1e6, seed=8).float())):
        # |1 - sum g| <= 2 and sum |g| <= 1: each line adds at most 2 max |x|, nothing grows geometrically
        assert torch.isfinite(result).all()
        assert float(result.abs().max()) <= 2 * 512


@pytest.mark.parametrize("shape", [(1, 2, 512, 4), (1, 2, 4, 512)], ids=str)
def test_positive_gates_never_leave_the_input_range(shape: tuple[int, int, int, int]) -> None:
    x = torch.rand(shape, generator=torch.Generator().manual_seed(9))
    result = propagate(x, raw_gates(shape, 1e6, seed=10).abs().float())
    assert float(result.min()) >= float(x.min()) - 1e-4
    assert float(result.max()) <= float(x.max()) + 1e-4


def test_gradients() -> None:
    x = torch.randn(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    raw = raw_gates((1, 1, 2, 3), 0.5, seed=11).requires_grad_()
    assert torch.autograd.gradcheck(propagate, (x, raw), fast_mode=False)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_impulse_travels_along_its_direction_only(direction: str) -> None:
    x = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    x[0, 0, 2, 2] = 1
    raw = torch.full((1, GATES_PER_CHANNEL, 5, 5), 0.25, dtype=torch.float64)
    result = propagate_directions(x, bound_gates(raw))[DIRECTIONS.index(direction)][0, 0]
    ahead = {"down": result[3:], "up": result[:2], "right": result[:, 3:], "left": result[:, :2]}[direction]
    behind = {"down": result[:2], "up": result[3:], "right": result[:, :2], "left": result[:, 3:]}[direction]
    assert ahead.abs().max() > 0
    assert not behind.any()
