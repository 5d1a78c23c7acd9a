"""The paper's numbers of section 4.1, and what they decide before the blur, worked out by hand."""

import numpy as np
import pytest

from portraiture.reference import plan
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.plan import choose_mode, make_plan
from portraiture.reference.render import render_stages
from portraiture.reference.settings import DEFAULT_SETTINGS, Compositing, Mode, RenderSettings


def test_the_defaults_are_the_numbers_of_section_4_1() -> None:
    """A trimap of 10 pixels, "K=6 layers", "lambda=10"."""
    assert (DEFAULT_SETTINGS.trimap_px, DEFAULT_SETTINGS.layers, DEFAULT_SETTINGS.smoothness) == (10, 6, 10)


def test_six_layers_are_blurred_by_six_radii() -> None:
    """Twelve depths in six pairs, each 0.16 behind the one before: radii in steps of a fifth of the largest."""
    pairs = np.add.outer([0.11, 0.27, 0.43, 0.59, 0.75, 0.91], [-0.01, 0.01]).ravel()
    depth = np.repeat(np.repeat(pairs, 4)[:, None], 36, axis=1)  # 48x36, diagonal 60 px
    settings = RenderSettings(focus=0.11, aperture=0.1)
    stages = render_stages(np.zeros((48, 36, 3)), np.zeros((48, 36)), depth, settings)
    np.testing.assert_allclose(stages.radii_px, [0, 1.2, 2.4, 3.6, 4.8, 6], atol=1e-12)
    np.testing.assert_array_equal(stages.labels[:, 0], np.repeat(np.arange(6), 8))


def lone_pixels(*lone: float) -> np.ndarray:
    """A near half of depth 0.2 and a far half of 0.8, HxW, and pixels of another depth alone in the near half."""
    depth = np.full((80, 80), 0.2)
    depth[:, 40:] = 0.8
    depth[10 : 10 + 10 * len(lone) : 10, 20] = lone
    return depth


def test_lambda_decides_which_lone_pixels_join_their_neighbours() -> None:
    """Lambda is 10: a lone pixel stays in the farther layer if the nearer one charges it more than its four cuts.

    A pixel of depth 0.2 + d among pixels of 0.2: its own Sobel answer is 0, its neighbours' are 2 d, so that each of
    its four pairs weighs exp(-d). It joins them if (d - (0.6 - d)) / 0.02^2 < 10 * 4 exp(-d), which is so up to
    d = 0.3058 (the few lone pixels move the centres by 1e-4). A lambda of 9 or 11 moves that by 0.0006.
    """
    depth = lone_pixels(0.5054, 0.5062)
    labels = render_stages(np.zeros((80, 80, 3)), np.zeros((80, 80)), depth, RenderSettings(focus=0.2, layers=2)).labels
    expected = np.repeat([[0] * 40 + [1] * 40], 80, axis=0)
    expected[20, 20] = 1
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(label_layers(depth, depth_layers(depth, 2).unary), expected)


@pytest.mark.parametrize(("cover", "bottom", "mode"), [
    (0.21, 0.34, Mode.SELFIE), (0.19, 0.34, Mode.FULL_BODY), (0.21, 0.32, Mode.FULL_BODY),
])  # fmt: skip
def test_a_selfie_covers_a_fifth_of_the_photo_and_a_third_of_its_bottom_row(
    cover: float, bottom: float, mode: Mode
) -> None:
    mask = np.zeros((100, 100))
    mask[99, : round(100 * bottom)] = 1
    rest = round(10_000 * cover) - round(100 * bottom)
    mask[: rest // 100] = 1
    mask[rest // 100, : rest % 100] = 1
    assert mask.mean() == pytest.approx(cover)
    assert choose_mode(mask, np.zeros((100, 100))) is mode


@pytest.mark.parametrize(("compositing", "solver"), [("PAPER", "knn"), ("OCCLUSION", "closed_form")])
def test_the_papers_compositing_takes_the_papers_matting(
    monkeypatch: pytest.MonkeyPatch, compositing: str, solver: str
) -> None:
    """KNN matting is the paper's; occlusion shows its holes and takes closed-form matting."""
    asked = []
    for name in ("knn", "closed_form"):
        monkeypatch.setattr(plan, f"{name}_matte_band", lambda image, trimap, name=name: asked.append(name) or trimap)
    mask = np.zeros((64, 64))
    mask[16:48, 16:48] = 1
    rgb = np.random.default_rng(0).random((64, 64, 3))
    plan.make_plan(rgb, mask, None, RenderSettings(compositing=Compositing[compositing]))
    assert asked == [solver]


def plan_radii(focus: float, full: float, aperture: float) -> np.ndarray:
    """Radii by share of the diagonal, of stripes at 0.2, 0.5 and 0.9 with a person in the second."""
    depth = np.repeat([0.2, 0.5, 0.9], 10)[:, None].repeat(40, axis=1)
    mask = np.zeros_like(depth)
    mask[12:18, 10:20] = 1
    settings = RenderSettings(
        mode=Mode.FULL_BODY, aperture=aperture, focus=focus, full=full, compositing=Compositing.OCCLUSION, layers=3
    )
    made = make_plan(np.full((30, 40, 3), 0.5), mask, depth, settings)
    return made.lens.radii_px / np.hypot(30, 40)


def test_a_full_depth_keeps_its_scale_where_the_focus_is_beside_a_layer() -> None:
    """0.1 for 0.45 of depth; the layer at 0.5 is the one in focus, so 0.3 before it and 0.4 behind are blurred."""
    np.testing.assert_allclose(plan_radii(0.45, 0.9, 0.1), [0.1 * 0.3 / 0.45, 0, 0.1 * 0.4 / 0.45])


def test_what_is_close_to_the_lens_has_the_renderers_largest_disk() -> None:
    np.testing.assert_allclose(plan_radii(0.5, 0.6, 0.1), [0.25, 0, 0.25])
