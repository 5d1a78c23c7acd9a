"""Photos above the working size: against the whole-image renderer, without seams, sharp pixels untouched."""

import cv2
import numpy as np
import pytest

from portraiture.reference import enlarge
from portraiture.reference.enlarge import enlarge_rows, fit_matte
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.simulator import all_in_focus, scene_depth, scene_mask
from portraiture.reference.full_size import paper
from portraiture.reference.full_size import render as full_size
from portraiture.reference.full_size.render import render_photo
from portraiture.reference.matting.trimap import trimap
from portraiture.reference.metrics import psnr_db
from portraiture.reference.render import render, render_stages
from portraiture.reference.settings import Compositing, Mode, RenderSettings
from portraiture.reference.srgb import to_srgb

SHAPE = (480, 640)
WORKING = 256
MARGIN_PX = 10  # four working pixels: the trimap is drawn on another grid


@pytest.fixture(scope="module")
def scene():
    layers, person = simple_scene(5, SHAPE)
    photo = np.rint(to_srgb(np.clip(all_in_focus(layers), 0, 1)) * 255).astype(np.uint8)
    return photo, scene_mask(layers, person), scene_depth(layers)


@pytest.fixture
def small_working_size(monkeypatch):
    monkeypatch.setattr(full_size, "WORKING_PX", WORKING)
    monkeypatch.setattr(enlarge, "STRIP_ROWS", 64)
    monkeypatch.setattr(paper, "STRIP_ROWS", 64)


def settings(**changes):
    return RenderSettings(**{"mode": Mode.FULL_BODY, "aperture": 0.03} | changes)


def test_a_photo_within_the_working_size_is_rendered_whole(scene):
    photo, mask, depth = scene
    for compositing in Compositing:
        expected = np.rint(render(photo, mask, depth, settings(compositing=compositing)) * 255).astype(np.uint8)
        np.testing.assert_array_equal(render_photo(photo, mask, depth, settings(compositing=compositing)), expected)


@pytest.mark.usefixtures("small_working_size")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"linear_light": True},
        {"mode": Mode.SELFIE},
        {"compositing": Compositing.OCCLUSION},
        {"compositing": Compositing.OCCLUSION, "mode": Mode.SELFIE},
        {"compositing": Compositing.OCCLUSION, "focus": 1.0},
        {"focus": 0.9},
    ],
)
def test_is_near_the_whole_render_and_keeps_what_is_sharp(scene, changes):
    photo, mask, depth = scene
    chosen = settings(**changes)
    found = render_photo(photo, mask, depth, chosen)
    # the same trimap in the photo's own pixels
    wide = settings(**changes, trimap_px=chosen.trimap_px * SHAPE[1] / WORKING)
    whole = render_stages(photo, mask, depth, wide)
    assert psnr_db(found / 255.0, whole.portrait) > 34
    if chosen.focus is None:
        surely_person = trimap(mask, wide.trimap_px + MARGIN_PX) == 1
        np.testing.assert_array_equal(found[surely_person], photo[surely_person])
    assert (found != photo).any(axis=2).mean() > 0.2


@pytest.mark.usefixtures("small_working_size")
@pytest.mark.parametrize("compositing", list(Compositing))
def test_strips_leave_no_seam(scene, monkeypatch, compositing):
    photo, mask, depth = scene
    found = render_photo(photo, mask, depth, settings(compositing=compositing))
    monkeypatch.setattr(enlarge, "STRIP_ROWS", 1000)
    monkeypatch.setattr(enlarge, "MATTE_ROWS", 1000)
    monkeypatch.setattr(paper, "STRIP_ROWS", 1000)
    at_once = render_photo(photo, mask, depth, settings(compositing=compositing))
    assert np.abs(found.astype(int) - at_once).max() <= 1


@pytest.mark.usefixtures("small_working_size")
@pytest.mark.parametrize("compositing", list(Compositing))
@pytest.mark.parametrize("shape", [(300, 411), (513, 77)])
def test_a_constant_photo_stays_constant_whatever_its_shape(compositing, shape):
    photo = np.full((*shape, 3), 90, np.uint8)
    mask = np.zeros(shape)
    mask[shape[0] // 3 :, shape[1] // 3 : -shape[1] // 3] = 1
    depth = np.linspace(0, 1, shape[0])[:, None].repeat(shape[1], 1)
    for person in (mask, np.ones(shape), np.zeros(shape)):
        found = render_photo(photo, person, depth, settings(compositing=compositing, focus=0.2))
        assert np.abs(found.astype(int) - 90).max() <= 1


@pytest.mark.usefixtures("small_working_size")
def test_grain_is_deterministic_and_only_where_blurred(scene):
    photo, mask, depth = scene
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 6, photo.shape), 0, 255).astype(np.uint8)
    chosen = settings(compositing=Compositing.OCCLUSION, grain=True)
    first, second = (render_photo(noisy, mask, depth, chosen) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    surely_person = trimap(mask, 25 + MARGIN_PX) == 1
    np.testing.assert_array_equal(first[surely_person], noisy[surely_person])
    smooth = render_photo(noisy, mask, depth, settings(compositing=Compositing.OCCLUSION))
    assert (first != smooth).any(axis=2).mean() > 0.2


def test_enlarged_rows_are_opencvs_bilinear_map_in_any_split():
    small = np.random.default_rng(1).random((13, 17, 2))
    whole = cv2.resize(small, (50, 41), interpolation=cv2.INTER_LINEAR)
    split = np.concatenate([enlarge_rows(small, a, b, (41, 50)) for a, b in ((0, 5), (5, 30), (30, 41))])
    np.testing.assert_allclose(split, whole, atol=1e-6)  # OpenCV interpolates by float32 coefficients


def test_the_matte_follows_the_photos_edge_not_the_working_pixels():
    height, width, factor = 60, 80, 8
    x = np.arange(width * factor) + 0.5
    y = np.arange(height * factor)[:, None] + 0.5
    truth = (x[None] > 300 + 40 * np.sin(y / 60)).astype(np.float32)
    photo = (0.2 + 0.6 * truth)[..., None].repeat(3, 2)
    size = (width, height)
    small, alpha = (cv2.resize(v, size, interpolation=cv2.INTER_AREA).astype(float) for v in (photo, truth))
    found = fit_matte(small, alpha).rows(photo.astype(np.float32), 0, truth.shape[0], truth.shape)
    bilinear = cv2.resize(alpha, truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(found - truth).mean() < 0.25 * np.abs(bilinear - truth).mean()
    far = cv2.dilate(cv2.Canny((truth * 255).astype(np.uint8), 50, 100), np.ones((81, 81))) == 0
    np.testing.assert_array_equal(found[far], truth[far])


def test_rejects_what_is_no_photo(scene):
    photo, mask, depth = scene
    with pytest.raises(InputError, match="rgb: expected an HxWx3 photo of uint8 or uint16"):
        render_photo(photo / 255.0, mask, depth)
    with pytest.raises(InputError, match="mask: expected the photo's shape"):
        render_photo(photo, mask[:-1], depth)
    with pytest.raises(InputError, match="depth: expected the photo's shape"):
        render_photo(photo, mask, depth[:-1])
    with pytest.raises(InputError, match="rgb: expected an HxWx3 photo of uint8 or uint16"):
        render_photo(photo[:0], mask, depth)


@pytest.mark.usefixtures("small_working_size")
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize(("name", "spoil", "message"), [
    ("mask", lambda a: a[:-1], "mask: expected the photo's shape"),
    ("mask", lambda a: a * 255, "mask: expected finite values in 0..1, found 0..255"),
    ("mask", lambda a: (a * 255).astype(np.uint8), "mask: expected float values"),
    ("depth", lambda a: a - 0.5, "depth: expected finite values in 0..1"),
    ("depth", lambda a: np.where(a > 0.9, np.nan, a), "depth: expected finite values in 0..1"),
    ("mask", lambda a: 0.4 * a, "mask: expected a person"),
])  # fmt: skip
def test_a_large_photo_is_checked_as_a_small_one_is(scene, size, name, spoil, message):
    arrays = dict(zip(("rgb", "mask", "depth"), (a[::size, ::size] for a in scene), strict=True))
    assert (max(arrays["rgb"].shape) > WORKING) == (size == 1)
    arrays[name] = spoil(arrays[name])
    with pytest.raises(InputError, match=message):
        render_photo(**arrays, settings=settings(aperture=0))


@pytest.mark.usefixtures("small_working_size")
def test_a_large_photo_needs_a_depth_to_focus_in(scene):
    with pytest.raises(OptionError, match="focus: expected a depth"):
        render_photo(scene[0], scene[1], None, RenderSettings(focus=0.5))
