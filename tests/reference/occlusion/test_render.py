"""Occlusion compositing through ``render``: focus on both sides, options, and what stays the photo's own."""

import numpy as np
import pytest

from portraiture.reference.errors import OptionError
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.lens.focus import depth_at
from portraiture.reference.lens.radii import lens_radii
from portraiture.reference.metrics import psnr_db
from portraiture.reference.render import render, render_stages
from portraiture.reference.settings import Compositing, Matting, Mode, RenderSettings
from portraiture.reference.srgb import to_srgb

SHAPE = (90, 150)
APERTURE = 0.03


def settings(**changes):
    given = {"mode": Mode.FULL_BODY, "aperture": APERTURE, "compositing": Compositing.OCCLUSION}
    return RenderSettings(**given | changes)


@pytest.fixture(scope="module")
def scene():
    layers, person = simple_scene(3, SHAPE)
    photo = to_srgb(np.clip(all_in_focus(layers), 0, 1))
    return layers, photo, scene_mask(layers, person), scene_depth(layers)


def test_beats_the_paper_on_a_lens_focused_on_the_person(scene):
    layers, photo, mask, depth = scene
    truth = to_srgb(np.clip(simulate(layers, PERSON_DEPTH, APERTURE, 1), 0, 1))
    paper = render(photo, mask, depth, settings(compositing=Compositing.PAPER))
    assert psnr_db(render(photo, mask, depth, settings()), truth) > psnr_db(paper, truth)


def test_a_focus_behind_the_person_blurs_the_person_and_spares_what_is_in_focus(scene):
    _, photo, mask, depth = scene
    stages = render_stages(photo, mask, depth, settings(focus=1.0, matting=Matting.NONE))
    assert stages.radii_px[-1] == 0
    assert stages.radii_px.argmax() == 0
    difference = np.abs(stages.portrait - photo).max(axis=2)
    assert difference[mask == 1].mean() > 0.005
    far_from_person = np.ones(SHAPE, dtype=bool)
    reach = int(np.ceil(stages.radii_px.max())) + 2
    for y, x in zip(*np.nonzero((mask > 0) | (depth < 1)), strict=True):
        far_from_person[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = False
    assert far_from_person.any()
    np.testing.assert_array_equal(stages.portrait[far_from_person], photo[far_from_person])


def test_default_focus_blurs_nothing_nearer_than_the_person(scene):
    _, photo, mask, depth = scene
    stages = render_stages(photo, mask, depth, settings())
    person_layer = np.bincount(stages.labels[mask == 1]).argmax()
    assert (stages.radii_px[:person_layer] == 0).all()
    np.testing.assert_array_equal(stages.portrait[stages.alpha == 1], photo[stages.alpha == 1])


@pytest.mark.parametrize("changes", [{"blades": 6, "rotation_deg": 15.0}, {"highlights": 3.0}, {"grain": True}])
def test_each_option_changes_the_blurred_part_only(scene, changes):
    _, photo, mask, depth = scene
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 0.02, photo.shape), 0, 1)
    plain, changed = (render_stages(noisy, mask, depth, settings(matting=Matting.NONE, **c)) for c in ({}, changes))
    sharp = (plain.portrait == noisy).all(axis=2)
    assert sharp.mean() > 0.1
    np.testing.assert_array_equal(changed.portrait[sharp], noisy[sharp])
    assert (changed.portrait != plain.portrait).any()
    again = render(noisy, mask, depth, settings(matting=Matting.NONE, **changes))
    np.testing.assert_array_equal(changed.portrait, again)


def test_selfies_and_degenerate_maps(scene):
    _, photo, mask, depth = scene
    selfie = render_stages(photo, mask, None, settings(mode=Mode.SELFIE))
    np.testing.assert_array_equal(selfie.portrait[selfie.alpha == 1], photo[selfie.alpha == 1])
    constant = np.full((*SHAPE, 3), 0.4)
    for person in (np.ones(SHAPE), np.zeros(SHAPE), mask):
        for far in (np.full(SHAPE, 0.5), depth, (depth > 0.5).astype(float)):
            found = render(constant, person, far, settings(focus=0.5, layers=9))
            np.testing.assert_allclose(found, 0.4, atol=1e-6)  # the foreground is estimated in float32


def test_closed_form_matting_is_an_option(scene):
    _, photo, mask, depth = scene
    knn, closed = (
        render_stages(photo, mask, depth, settings(matting=m)).alpha for m in (Matting.KNN, Matting.CLOSED_FORM)
    )
    assert 0 < np.abs(knn - closed).mean() < 0.05


def test_automatic_matting_is_the_papers_for_the_paper_and_closed_form_for_occlusion(scene):
    _, photo, mask, depth = scene
    for compositing, matting in ((Compositing.PAPER, Matting.KNN), (Compositing.OCCLUSION, Matting.CLOSED_FORM)):
        auto, named = (
            render_stages(photo, mask, depth, settings(compositing=compositing, matting=m)).alpha
            for m in (Matting.AUTO, matting)
        )
        np.testing.assert_array_equal(auto, named)


def test_linear_light_of_the_paper_keeps_highlights_brighter(scene):
    _, photo, mask, depth = scene
    coded, linear = (
        render(photo, mask, depth, settings(compositing=Compositing.PAPER, linear_light=v)) for v in (False, True)
    )
    assert linear[mask == 0].mean() > coded[mask == 0].mean()


def test_lens_radii_grow_on_both_sides_and_reach_the_aperture():
    found = lens_radii(np.array([0.0, 0.4, 0.6, 1.0]), 0.6, 0.1, (30, 40))
    np.testing.assert_allclose(found, [5, 5 / 3, 0, 10 / 3])
    np.testing.assert_array_equal(lens_radii(np.array([0.3]), 0.3, 0.1, (30, 40)), 0)


def test_depth_at_a_point_and_outside():
    depth = np.linspace(0, 1, 200)[None, :].repeat(100, 0)
    assert depth_at(depth, 50, 10) == pytest.approx(50 / 199)
    with pytest.raises(OptionError, match=r"inside the photo \(200x100\)"):
        depth_at(depth, 200, 10)


@pytest.mark.parametrize("changes", [
    {"blades": -1}, {"blades": 1}, {"blades": 4}, {"blades": 10}, {"highlights": -1}, {"highlights": np.nan},
    {"rotation_deg": np.inf}, {"rotation_deg": np.nan}, {"seed": -1},
])  # fmt: skip
def test_rejects_values(changes):
    with pytest.raises(OptionError, match=f"{next(iter(changes))}: expected"):
        settings(**changes)


@pytest.mark.parametrize("changes", [{"blades": 6}, {"highlights": 1.0}, {"grain": True}])
def test_lens_options_need_occlusion(changes):
    with pytest.raises(OptionError, match="expected compositing occlusion"):
        RenderSettings(**changes)
