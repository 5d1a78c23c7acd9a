"""The filter of the lens look: what it draws is what the occlusion renderer draws."""

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.lens.focus import LensSetup
from portraiture.reference.metrics import psnr_db
from portraiture.reference.occlusion import compose, highlights
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.plan import lens_setup
from portraiture.reference.render import render
from portraiture.reference.settings import Compositing, Matting, RenderSettings
from portraiture.reference.srgb import to_linear
from portraiture.tools.evaluate.refocus import jumps
from portraiture.training.models.filters import light, occlusion
from portraiture.training.models.filters.occlusion import OcclusionFilter

H, W = 96, 128

MOST_JUMP = 2.5


def scalar(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value)


def planes(image: np.ndarray) -> Tensor:
    whole = image if image.ndim == 3 else image[..., None]
    return torch.from_numpy(np.ascontiguousarray(whole.transpose(2, 0, 1))).float()[None]


def drawn(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, aperture: float, focus: float, blades: int = 0
) -> np.ndarray:
    model = OcclusionFilter().eval()
    if blades:
        model.set_iris(blades, 0.0)
    with torch.no_grad():
        out = model(planes(rgb), planes(mask), planes(depth), scalar(aperture), scalar(focus))
    return out[0].permute(1, 2, 0).double().numpy()


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A person before a wall of smooth texture at three depths: photo HxWx3, mask and depth HxW."""
    y, x = np.mgrid[:H, :W]
    rgb = np.stack([0.4 + 0.2 * np.sin(x / 5 + k) * np.cos(y / 7) for k in range(3)], -1)
    depth = np.where(x < 40, 0.9, np.where(x > 90, 0.6, 0.75)).astype(float)
    mask = ((abs(x - 64) < 16) & (y > 24)).astype(float)
    depth[mask > 0] = 0.2
    rgb[mask > 0] = (0.8, 0.3, 0.2)
    return rgb, mask, depth


def reference(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, aperture: float, focus: float | None, blades: int = 0
) -> np.ndarray:
    return render(rgb, mask, depth, RenderSettings(
        aperture=aperture, focus=focus, compositing=Compositing.OCCLUSION, highlights=highlights.GAIN,
        matting=Matting.NONE, blades=blades))  # fmt: skip


@pytest.mark.parametrize("focus", [None, 0.2, 0.9, 0.6])
def test_draws_what_the_occlusion_renderer_draws(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], focus: float | None
) -> None:
    expected = reference(*scene, 0.04, focus)
    found = drawn(*scene, 0.04, -1.0 if focus is None else focus)
    itself = psnr_db(scene[0], expected)
    assert psnr_db(found, expected) > max(36.0, itself + 6)


def test_a_foreground_is_blurred_over_what_is_sharp(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    rgb, mask, _ = scene
    found = drawn(*scene, 0.04, 0.75)
    beside = (slice(50, 80), slice(82, 84))  # 2 to 4 px beside the person, whose disk has 6
    assert (found[beside][..., 0] - rgb[beside][..., 0]).mean() > 0.05
    paper = drawn(*scene, 0.04, -1.0)
    assert (paper[mask > 0] == planes(rgb)[0].permute(1, 2, 0).double().numpy()[mask > 0]).all()


def test_a_lamp_becomes_a_bright_disk_and_by_blades_a_polygon() -> None:
    rgb = np.full((H, W, 3), 0.05)
    rgb[46:50, 30:34] = 1.0
    mask, depth = np.zeros((H, W)), np.full((H, W), 0.9)
    mask[60:90, 90:110], depth[60:90, 90:110] = 1.0, 0.1
    round_one = drawn(rgb, mask, depth, 0.04, -1.0)
    expected = reference(rgb, mask, depth, 0.04, None)
    spot = np.s_[38:58, 22:42]
    energy, wanted = (to_linear(np.clip(p[spot], 0, 1)).sum() for p in (round_one, expected))
    assert energy == pytest.approx(wanted, rel=0.05)
    bladed = drawn(rgb, mask, depth, 0.04, -1.0, blades=5)
    assert abs(bladed - round_one).max() > 0.015
    expected = reference(rgb, mask, depth, 0.04, None, blades=5)
    assert psnr_db(bladed[spot], expected[spot]) > psnr_db(round_one[spot], expected[spot])


def test_aperture_0_and_what_is_in_focus_are_the_photo(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    rgb = planes(scene[0])[0].permute(1, 2, 0).double().numpy()
    assert (drawn(*scene, 0.0, -1.0) == rgb).all()
    assert (drawn(*scene, 0.0, 0.6) == rgb).all()


def test_a_constant_picture_stays_constant(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    flat = np.full((H, W, 3), 0.5)
    for focus in (-1.0, 0.2, 0.6, 0.9):
        assert abs(drawn(flat, *scene[1:], 0.04, focus) - 0.5).max() < 4e-3


def test_a_focus_that_is_moved_changes_the_picture_smoothly(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """On a ground that recedes; a layer that is sharp up to 1 px and blurred from 1.5 px on jumps 5 times as far."""
    rgb, mask, _ = scene
    depth = np.where(mask > 0, 0.3, np.linspace(0.9, 0.2, H)[:, None])
    found = jumps([drawn(rgb, mask, depth, 0.03, float(f)) for f in np.linspace(0.2, 0.9, 21)])
    assert found.max() < MOST_JUMP


def test_constants_are_those_of_the_reference() -> None:
    assert occlusion.SURE == compose.SURE
    assert occlusion.GAIN == highlights.GAIN
    assert light.THRESHOLD == highlights.THRESHOLD
    assert tuple(highlights.LUMINANCE) == light.LUMINANCE


def test_light_and_back() -> None:
    s = torch.linspace(0, 1, 1001, dtype=torch.float64)
    back = light.to_code(light.to_light(s))
    assert float((back - s).abs().max()) < 1e-3
    assert float(back.max()) <= 1.0
    exact = to_linear(s.numpy())
    assert abs(light.to_light(s).numpy() - exact).max() < 0.01


def test_recovers_clipped_lights_as_the_reference() -> None:
    rgb = np.random.default_rng(0).random((8, 8, 3)) ** 0.2
    found = planes(rgb) * (1 + light.excess_of(planes(rgb), 3.0))
    expected = highlights.recover_highlights(rgb, gain=3.0)
    assert found[0].permute(1, 2, 0).numpy() == pytest.approx(expected, abs=1e-4)


def test_radii_are_the_references(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, mask, depth = scene
    smooth = depth + np.linspace(0, 0.02, H)[:, None]
    layers = depth_layers(smooth, 6)
    for focus in (0.2, 0.75):
        settings = RenderSettings(aperture=0.03, focus=focus, compositing=Compositing.OCCLUSION)
        centre = float(layers.centres[np.abs(layers.centres - focus).argmin()])
        lens = lens_setup(layers.centres, centre, mask, smooth, settings)
        assert isinstance(lens, LensSetup)
        radii, person = OcclusionFilter().radii(planes(mask), planes(smooth), scalar(0.03), scalar(centre))
        labels = layers.unary.argmin(-1)
        expected = (lens.radii_px * np.sign(layers.centres - centre))[labels]
        inner = np.abs(radii[0, 0].numpy() - expected) < 0.3
        assert inner.mean() > 0.95
        assert abs(float(person[:, 0])) == pytest.approx(lens.person_radius_px, abs=0.3)


def test_the_renderer_is_not_only_repeated(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """The paper's blur is another picture: the comparison above tells the two apart."""
    lens = reference(*scene, 0.04, 0.9)
    paper = render(*scene, RenderSettings(aperture=0.04, focus=0.9, matting=Matting.NONE))
    assert psnr_db(paper, lens) < psnr_db(drawn(*scene, 0.04, 0.9), lens) - 6
