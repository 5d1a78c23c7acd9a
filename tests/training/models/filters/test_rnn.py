"""The identities that the RNN filter's form promises, whatever its weights."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from portraiture.export import rules
from portraiture.export.pipeline import compose
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.paper.full_body import FEATHER_SHARE as REFERENCE_FEATHER
from portraiture.reference.render import render
from portraiture.reference.settings import TRIMAP_PX as REFERENCE_TRIMAP
from portraiture.reference.settings import Matting, Mode, RenderSettings
from portraiture.training.models.filters.base import FilterInput
from portraiture.training.models.filters.layers import layered_depth
from portraiture.training.models.filters.rnn import (
    FEATHER_SHARE,
    MATTE_GAIN,
    REACH,
    TRIMAP_PX,
    Feather,
    RnnFilter,
    decays,
    matte_of,
)

H, W = 48, 64
PAPER = 0.016
WIDE = 0.1


def scalar(value: float, n: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.full((n, 1, 1, 1), value, dtype=dtype)


def uniform(*shape: int, seed: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def build(head_std: float) -> RnnFilter:
    """A filter in evaluation mode, its gates' weights drawn at ``head_std`` (0.01 is the initial state)."""
    torch.manual_seed(1)
    model = RnnFilter().eval()
    torch.nn.init.normal_(model.guidance.gates.weight, std=head_std)
    return model


@pytest.fixture(params=[0.01, 0.3], ids=["initial", "large-heads"])
def model(request: pytest.FixtureRequest) -> RnnFilter:
    return build(request.param)


def square(left: int, top: int, size: int) -> Tensor:
    mask = torch.zeros(1, 1, H, W)
    mask[:, :, top : top + size, left : left + size] = 1
    return mask


MASKS: dict[str, Callable[[], Tensor]] = {
    "empty": lambda: torch.zeros(1, 1, H, W),
    "full": lambda: torch.ones(1, 1, H, W),
    "hard-even": lambda: square(16, 12, 24),
    "hard-odd": lambda: square(17, 13, 24),
    "soft": lambda: F.avg_pool2d(square(16, 12, 24), 9, 1, 4),
    "nearly-full": lambda: torch.full((1, 1, H, W), 0.9999),
    "noise": lambda: uniform(1, 1, H, W, seed=10),
}
DEPTHS: dict[str, Callable[[Tensor], Tensor]] = {
    "constant": lambda mask: torch.full_like(mask, 0.4),
    "zero": lambda mask: torch.zeros_like(mask),
    "ramp": lambda mask: torch.linspace(0, 1, H * W).reshape(1, 1, H, W),
    "noise": lambda mask: uniform(1, 1, H, W, seed=11),
    "step-at-mask": lambda mask: torch.where(mask >= 0.5, 0.2, 0.9),
}


@torch.no_grad()
def run(model: RnnFilter, rgb: Tensor, mask: Tensor, depth: Tensor, aperture: float, focus: float) -> Tensor:
    out: Tensor = model(rgb, mask, depth, scalar(aperture), scalar(focus))
    return out


@pytest.mark.parametrize("mask", MASKS)
def test_aperture_zero_gives_the_input(model: RnnFilter, mask: str) -> None:
    rgb, m = uniform(1, 3, H, W, seed=2), MASKS[mask]()
    for focus in (FOCUS_ON_PERSON, 0.0, 0.5):
        assert torch.equal(run(model, rgb, m, DEPTHS["noise"](m), 0.0, focus), rgb)


@pytest.mark.parametrize("aperture", [PAPER, WIDE])
@pytest.mark.parametrize("mask", ["full", "hard-even", "hard-odd", "nearly-full"])
def test_inside_the_person_the_output_is_the_input(model: RnnFilter, mask: str, aperture: float) -> None:
    rgb, m = uniform(1, 3, H, W, seed=3), MASKS[mask]()
    inside = (m >= 1 / MATTE_GAIN).expand_as(rgb)
    for depth in DEPTHS.values():
        out = run(model, rgb, m, depth(m), aperture, 0.0)
        assert torch.equal(out[inside], rgb[inside])


@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.3, 0.6])
def test_up_to_the_focus_the_output_is_the_input(focus: float) -> None:
    """Farther from the layers behind the focus than the recursion reaches, 2 * REACH px twice."""
    height, width = 48, 256
    rgb, m = uniform(1, 3, height, width, seed=20), torch.zeros(1, 1, height, width)
    m[:, :, 12:36, 16:64] = 1
    depth = torch.linspace(0, 1, width).expand(1, 1, height, width)
    layers = layered_depth(depth)
    sharp = layers <= (float((m * depth).sum() / m.sum()) if focus < 0 else focus)
    reach = 4 * REACH
    padded = F.pad(sharp.float(), (reach, reach, 0, 0), mode="replicate")
    sharp = (-F.max_pool2d(-padded, (1, 2 * reach + 1), 1) == 1).expand_as(rgb)
    out = run(build(0.01), rgb, m, depth, WIDE, focus)
    assert sharp.float().mean() > 0.02
    assert torch.equal(out[sharp], rgb[sharp])
    assert not torch.equal(out, rgb)


@pytest.mark.parametrize("aperture", [PAPER, WIDE])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("mask", MASKS)
def test_a_constant_photo_stays_constant(mask: str, depth: str, aperture: float) -> None:
    model, m = build(0.01), MASKS[mask]()
    rgb = torch.tensor([0.9, 0.5, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, H, W)
    out = run(model, rgb, m, DEPTHS[depth](m), aperture, FOCUS_ON_PERSON)
    # the weight is clamped at 1e-3: where less background than that is in reach, 1 - m is as small
    torch.testing.assert_close(out, rgb, rtol=0, atol=1e-3)


@pytest.mark.parametrize("focus", [FOCUS_ON_PERSON, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("aperture", [PAPER, WIDE, 1.0])
def test_finite_and_within_range(model: RnnFilter, aperture: float, focus: float) -> None:
    rgb = (uniform(1, 3, H, W, seed=4) > 0.5).float()
    for mask in MASKS.values():
        for depth in DEPTHS.values():
            m = mask()
            out = run(model, rgb, m, depth(m), aperture, focus)
            assert out.shape == rgb.shape
            assert torch.isfinite(out).all()
            assert float(out.min()) >= 0
            assert float(out.max()) <= 1


def test_blurs_the_background() -> None:
    """A negative control for the identities above: the filter is not the identity."""
    m = MASKS["hard-even"]()
    rgb = (uniform(1, 3, H, W, seed=5) > 0.5).float()
    out = run(build(0.01), rgb, m, DEPTHS["step-at-mask"](m), WIDE, FOCUS_ON_PERSON)
    outside = (m == 0).expand_as(rgb)
    assert float(out[outside].var()) < 0.5 * float(rgb[outside].var())


def test_the_person_does_not_bleed_into_the_background() -> None:
    """(6): a guided kernel sees background only, so the person's colour changes nothing outside the mask."""
    model, m = build(0.01), MASKS["hard-odd"]()
    rgb = uniform(1, 3, H, W, seed=6)
    other = torch.where(m == 1, 1 - rgb, rgb)
    depth = torch.where(m == 1, 0.2, 0.9)
    a, b = (run(model, x, m, depth, WIDE, FOCUS_ON_PERSON) for x in (rgb, other))
    outside = (m == 0).expand_as(rgb)
    assert torch.equal(a[outside], b[outside])
    assert not torch.equal(a[~outside], b[~outside])


@pytest.mark.parametrize("diagonal_px", [300.0, 640.0, 1200.0])
def test_the_recursion_begins_as_the_feather(diagonal_px: float) -> None:
    """An edge through it is as wide as through the Gaussian of (10), and its decays stay below 1."""
    assert FEATHER_SHARE == REFERENCE_FEATHER
    diagonal = scalar(diagonal_px, dtype=torch.float64)
    gates = torch.zeros(1, 8, 1, 129, dtype=torch.float64)
    spike = torch.zeros(1, 1, 1, 129, dtype=torch.float64)
    spike[..., 64] = 1
    out = Feather()(spike, diagonal, gates)[0, 0, 0]
    place = torch.arange(129, dtype=torch.float64) - 64
    sigma = float((out * place**2).sum() / out.sum()) ** 0.5
    assert sigma == pytest.approx(FEATHER_SHARE * diagonal_px / 2, rel=0.1)
    assert float(decays(diagonal, gates + 50).max()) < 1


def test_the_matte_is_the_apps() -> None:
    mask = torch.linspace(0, 1, 101, dtype=torch.float64)[None, None, None]
    expected = compose.matte_of(mask[0, 0].numpy())
    np.testing.assert_allclose(matte_of(mask)[0, 0].numpy(), expected, rtol=0, atol=1e-12)
    assert (MATTE_GAIN, TRIMAP_PX) == (rules.MATTE_GAIN, REFERENCE_TRIMAP)
    np.testing.assert_allclose(expected[0, [0, 50, 77]], [0, 0.65**2 * 1.7, 1])


@pytest.mark.parametrize("mode", ["near", "far"])
def test_a_solved_matte_is_not_the_filters_to_learn(mode: str) -> None:
    """A wrong target within the trimap's reach of the edge costs nothing, one farther off does."""
    rgb, mask = uniform(1, 3, 64, 64, seed=22), torch.zeros(1, 1, 64, 64)
    mask[..., 32:] = 1
    inputs = FilterInput(rgb, mask, 1 - mask, 0 * mask, scalar(0.0), scalar(90.0))
    target = rgb.clone()
    column = 32 - TRIMAP_PX + 1 if mode == "near" else 32 - TRIMAP_PX - 2
    target[..., column] = 1 - target[..., column]
    with torch.no_grad():
        loss, mse = build(0.01).loss(inputs, target)
    assert (float(mse) > 1e-3) == (mode == "far")
    assert (float(loss) > 1e-2) == (mode == "far")


def test_the_recursion_keeps_a_constant_to_the_border() -> None:
    gates = 3 * uniform(1, 8, 20, 30, seed=21) - 1
    x = torch.full((1, 1, 20, 30), 7.0)
    torch.testing.assert_close(Feather()(x, scalar(640.0), gates), x, rtol=1e-6, atol=0)


@pytest.mark.parametrize("mode", [Mode.FULL_BODY, Mode.SELFIE])
def test_untrained_it_is_near_the_reference(mode: Mode) -> None:
    """Equations (4) and (10) are built in: training only refines. The mask is hard, and no matte is solved."""
    rng = np.random.default_rng(0)
    height, width = 192, 160
    rgb = cv2.resize(rng.random((24, 20, 3)), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    depth = np.linspace(0.9, 0.1, height)[:, None] * np.ones(width)
    mask = np.zeros((height, width))
    mask[60:180, 60:90] = 1
    if mode is Mode.SELFIE:
        mask[60:, 20:140] = 1
    depth[mask > 0] = 0.2
    expected = render(rgb, mask, depth, RenderSettings(aperture=0.03, matting=Matting.NONE))
    x, m, z = (torch.from_numpy(np.atleast_3d(v)).permute(2, 0, 1)[None].float() for v in (rgb, mask, depth))
    found = run(build(0.01), x, m, z, 0.03, FOCUS_ON_PERSON)[0].permute(1, 2, 0).numpy()
    errors = [-10 * np.log10(np.square(picture - expected).mean()) for picture in (found, rgb)]
    assert errors[0] > 42
    assert errors[0] > errors[1] + 12


def test_a_batch_equals_its_photos_one_by_one(model: RnnFilter) -> None:
    # the recursion's planes lie on the batch axis: a wrong order would mix photos
    rgb, depth = uniform(3, 3, H, W, seed=7), uniform(3, 1, H, W, seed=8)
    mask = torch.cat([MASKS["soft"](), MASKS["noise"](), MASKS["empty"]()])
    aperture, focus = (torch.tensor(v).reshape(3, 1, 1, 1) for v in ([0.016, 0.1, 0.05], [-1.0, 0.1, 0.4]))
    with torch.no_grad():
        together = model(rgb, mask, depth, aperture, focus)
        for k in range(3):
            one = slice(k, k + 1)
            single = model(rgb[one], mask[one], depth[one], aperture[one], focus[one])
            torch.testing.assert_close(together[one], single, rtol=0, atol=1e-5)
    assert float((together - rgb).abs().mean()) > 1e-2


def test_float32_agrees_with_float64() -> None:
    model = build(0.01)
    rgb, mask, depth = uniform(1, 3, H, W, seed=9), MASKS["soft"](), DEPTHS["noise"](MASKS["soft"]())
    single = run(model, rgb, mask, depth, WIDE, FOCUS_ON_PERSON)
    with torch.no_grad():
        double = model.double()(
            *(t.double() for t in (rgb, mask, depth)),
            scalar(WIDE, dtype=torch.float64),
            scalar(-1, dtype=torch.float64),
        )
    torch.testing.assert_close(single.double(), double, rtol=0, atol=1e-4)


def test_weights_are_under_1_mb() -> None:
    state = build(0.01).state_dict()
    assert 0 < 4 * sum(v.numel() for v in state.values()) < 1_000_000


def test_every_parameter_takes_part() -> None:
    model = build(0.3).train()
    mask = MASKS["noise"]().expand(2, 1, H, W)
    depth = torch.linspace(0, 1, W).expand(2, 1, H, W)
    apertures = torch.tensor([0.05, 0.4]).reshape(2, 1, 1, 1)  # small disks and large ones
    out = model(uniform(2, 3, H, W, seed=13), mask, depth, apertures, scalar(0.0, 2))
    out.square().sum().backward()
    for name, parameter in model.named_parameters():
        if name.startswith("disks."):
            assert not parameter.requires_grad, "a disk's kernel is computed"
            continue
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.mark.parametrize("size", [(40, 64), (48, 50), (17, 64), (33, 33)], ids=str)
def test_a_size_that_is_no_multiple_of_16_never_returns_another_size(size: tuple[int, int]) -> None:
    model = build(0.01)
    maps = uniform(1, 1, *size, seed=14)
    with pytest.raises(Exception, match="size"), torch.no_grad():
        model(uniform(1, 3, *size, seed=15), maps, maps, scalar(PAPER), scalar(FOCUS_ON_PERSON))
