"""The renderer as a whole: modes, errors, degenerate inputs."""

import math

import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.selfie import render_selfie
from portraiture.reference.plan import choose_mode
from portraiture.reference.render import render, render_stages
from portraiture.reference.settings import Compositing, Matting, Mode, RenderSettings

FULL = RenderSettings(mode=Mode.FULL_BODY, aperture=0.05, trimap_px=4)
SELFIE = RenderSettings(mode=Mode.SELFIE, aperture=0.05, trimap_px=4)
OCCLUSION = RenderSettings(mode=Mode.FULL_BODY, aperture=0.05, trimap_px=4, compositing=Compositing.OCCLUSION)


@pytest.fixture
def scene():
    rng = np.random.default_rng(2)
    height, width = 48, 40
    mask = np.zeros((height, width))
    mask[12:40, 12:28] = 1
    depth = np.repeat(np.linspace(1, 0.1, height)[:, None], width, axis=1)
    depth[mask == 1] = 0.25
    rgb = rng.random((height, width, 3)) * 0.3 + 0.6 * mask[..., None]
    return rgb, mask, depth


@pytest.mark.parametrize("settings", [FULL, SELFIE])
def test_person_sharp_background_blurred_result_repeats(scene, settings):
    rgb, mask, depth = scene
    stages = render_stages(rgb, mask, depth, settings)
    inside = stages.alpha == 1
    assert inside.sum() > 100
    np.testing.assert_array_equal(stages.portrait[inside], rgb[inside])
    assert stages.portrait[:8].var() < 0.5 * rgb[:8].var()
    assert stages.portrait.min() >= 0
    assert stages.portrait.max() <= 1
    np.testing.assert_array_equal(stages.portrait, render(rgb, mask, depth, settings))


def test_stages_are_those_of_the_equations(scene):
    rgb, mask, depth = scene
    full = render_stages(rgb, mask, depth, FULL)
    assert full.focus == pytest.approx(0.25)
    assert np.all(np.diff(full.radii_px) >= 0)
    assert full.radii_px[-1] == pytest.approx(0.05 * math.hypot(48, 40))
    expected = render_full_body(rgb, full.alpha, full.labels, full.radii_px)
    np.testing.assert_allclose(full.portrait, expected, atol=1e-12)
    selfie = render_stages(rgb, mask, depth, SELFIE)
    expected = render_selfie(rgb, selfie.alpha, selfie.radii_px[0])
    np.testing.assert_allclose(selfie.portrait, expected, atol=1e-12)
    assert (selfie.mode, selfie.focus, full.mode) == (Mode.SELFIE, None, Mode.FULL_BODY)


def test_uint8_is_the_same_photo(scene):
    rgb, mask, depth = scene
    codes = np.rint(rgb * 255).astype(np.uint8)
    np.testing.assert_array_equal(render(codes, mask, depth, FULL), render(codes / 255.0, mask, depth, FULL))


@pytest.mark.parametrize("mode", list(Mode))
def test_aperture_zero_returns_the_photo_exactly(scene, mode):
    rgb, mask, depth = scene
    settings = RenderSettings(mode=mode, aperture=0, matting=Matting.NONE)
    np.testing.assert_array_equal(render(rgb, mask, depth, settings), rgb)
    np.testing.assert_array_equal(render_stages(rgb, mask, depth, settings).portrait, rgb)


def test_without_matting_alpha_is_the_mask(scene):
    rgb, mask, depth = scene
    stages = render_stages(rgb, 0.7 * mask, depth, RenderSettings(mode=Mode.FULL_BODY, matting=Matting.NONE))
    np.testing.assert_array_equal(stages.alpha, 0.7 * mask)


@pytest.mark.parametrize(("cover", "bottom", "mode"), [
    (0.5, 1.0, Mode.SELFIE), (0.5, 0.2, Mode.FULL_BODY), (0.1, 1.0, Mode.FULL_BODY),
])  # fmt: skip
def test_mode_by_cover_and_bottom(cover, bottom, mode):
    mask = np.zeros((100, 60))
    mask[99, : round(60 * bottom)] = 1
    mask[: round(100 * cover)] = 1
    assert choose_mode(mask, np.zeros((100, 60))) is mode
    assert choose_mode(mask, None) is Mode.SELFIE


def test_a_focus_asks_for_depth_even_on_a_selfie(scene):
    rgb, _, depth = scene
    stages = render_stages(rgb, np.ones(depth.shape), depth, RenderSettings(focus=0.4))
    assert stages.mode is Mode.FULL_BODY
    assert stages.focus == 0.4


def test_focus_replaces_an_absent_person(scene):
    rgb, mask, depth = scene
    with pytest.raises(InputError, match="expected a person, found no pixel"):
        render(rgb, 0.4 * mask, depth)
    stages = render_stages(rgb, 0 * mask, depth, RenderSettings(focus=0.5, aperture=0.05))
    np.testing.assert_array_equal(stages.alpha, 0)
    assert stages.portrait[:8].var() < rgb[:8].var()
    far = RenderSettings(focus=1.0, aperture=0.05)
    np.testing.assert_allclose(render(rgb, 0 * mask, depth, far), rgb, atol=1e-12)


@pytest.mark.parametrize("settings", [FULL, SELFIE])
def test_a_full_mask_keeps_the_photo(scene, settings):
    rgb, mask, depth = scene
    np.testing.assert_array_equal(render(rgb, np.ones_like(mask), depth, settings), rgb)


@pytest.mark.parametrize("settings", [FULL, SELFIE])
def test_a_constant_photo_stays_constant(scene, settings):
    rgb, mask, depth = scene
    np.testing.assert_allclose(render(np.full_like(rgb, 0.4), mask, depth, settings), 0.4, atol=1e-9)


@pytest.mark.parametrize("depths", [1, 2, 3])
def test_fewer_depths_than_layers(scene, depths):
    rgb, mask, _ = scene
    depth = np.resize(np.linspace(0.3, 0.8, depths), mask.shape)
    portrait = render(rgb, mask, depth, FULL)
    assert np.isfinite(portrait).all()
    if depths == 1:
        np.testing.assert_allclose(portrait, rgb, atol=1e-12)  # nothing is behind the person


def test_rounding_of_a_resize_is_no_error(scene):
    rgb, mask, depth = scene
    settings = RenderSettings(matting=Matting.NONE)
    np.testing.assert_array_equal(render(rgb, mask * (1 + 4e-16), depth, settings), render(rgb, mask, depth, settings))


@pytest.mark.parametrize("settings", [FULL, OCCLUSION])
@pytest.mark.parametrize(("name", "spoil", "message"), [
    ("rgb", lambda a: a[..., 0], "rgb: expected an HxWx3"),
    ("rgb", lambda a: a * 255, "rgb: expected finite values in 0..1"),
    ("rgb", lambda a: a.astype(int), "rgb: expected float"),
    ("mask", lambda a: a[:-1], "mask: expected the photo's shape"),
    ("mask", lambda a: a.T, "mask: expected the photo's shape"),
    ("mask", lambda a: a - 0.5, "mask: expected finite values in 0..1"),
    ("mask", lambda a: np.full_like(a, np.nan), "mask: expected finite values in 0..1"),
    ("depth", lambda a: a.T, "depth: expected the photo's shape"),
    ("depth", lambda a: a * 10, "depth: expected finite values in 0..1"),
    ("depth", lambda a: np.where(a > 0.9, np.nan, a), "depth: expected finite values in 0..1"),
    ("depth", lambda a: np.where(a > 0.9, np.inf, a), "depth: expected finite values in 0..1"),
    ("depth", lambda a: None, "depth: expected one"),
])  # fmt: skip
def test_bad_arrays_raise_one_line(scene, settings, name, spoil, message):
    arrays = dict(zip(("rgb", "mask", "depth"), scene, strict=True))
    arrays[name] = spoil(arrays[name])
    with pytest.raises(InputError, match=message) as caught:
        render(**arrays, settings=settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("settings", "message"), [
    ({"mode": "selfie"}, "unknown mode 'selfie': expected one of Mode.AUTO"),
    ({"aperture": -0.1}, "aperture: expected"), ({"aperture": math.nan}, "aperture: expected"),
    ({"aperture": 9.3}, "aperture: expected"), ({"aperture": math.inf}, "aperture: expected"),
    ({"focus": 1.5}, "focus: expected"),
    ({"focus": math.nan}, "focus: expected"), ({"layers": 0}, "layers: expected"),
    ({"smoothness": -1.0}, "smoothness: expected"), ({"trimap_px": -1}, "trimap_px: expected"),
    ({"trimap_px": math.nan}, "trimap_px: expected"), ({"seed": -1}, "seed: expected"),
    ({"mode": Mode.SELFIE, "focus": 0.5}, "focus: the selfie mode"),
])  # fmt: skip
def test_bad_settings_raise(settings, message):
    with pytest.raises(OptionError, match=message):
        RenderSettings(**settings)


def test_a_focus_without_depth_raises(scene):
    with pytest.raises(OptionError, match="focus: expected a depth"):
        render(scene[0], scene[1], None, RenderSettings(focus=0.5, aperture=0.05))
