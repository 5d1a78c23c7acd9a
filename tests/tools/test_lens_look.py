"""Both renderers draw a thin lens' disks: their radii at each depth against the lens' own, on maps made by hand."""

import re

import numpy as np
import pytest
import torch

from portraiture.export.contract import Size
from portraiture.export.pipeline.maps import Maps
from portraiture.reference.errors import InputError
from portraiture.reference.lens.metres import LOG_DEPTH_SLOPE
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.lens.thin_lens import ThinLens
from portraiture.reference.plan import solve
from portraiture.reference.settings import Compositing, Mode, RenderSettings
from portraiture.tools.lens_look import LensLook, through_lens
from portraiture.tools.portraits import Look
from portraiture.training.models.filters.base import blur_radius_px

H, W = 96, 64
METRES = np.array([1.2, 2.0, 3.0, 4.5, 8.0, 20.0])
"""What is seen: something near, the person, and what is behind."""
PERSON_M = 2.0
LENS = ThinLens(1.8, 85)


def maps_of(metres: np.ndarray, mask: np.ndarray, unknown: float = 0.8) -> Maps:
    """Maps as the network gives them: log-depth up to a factor, through a sigmoid."""
    depth = (1 / (1 + np.exp(-LOG_DEPTH_SLOPE * (np.log(metres) - unknown)))).astype(np.float32)
    mask = mask.astype(np.float32)
    return Maps(mask, depth, np.zeros((H, W, 3), np.uint8), mask, depth, Size(H, W))


@pytest.fixture
def scene() -> Maps:
    """Six stripes; the person stands in the second, not at the lower edge, and fills no frame."""
    metres = np.repeat(METRES, H // 6)[:, None].repeat(W, axis=1)
    mask = np.zeros((H, W))
    mask[H // 6 : H // 3, 10:30] = 1
    return maps_of(metres, mask)


def look(scene: Maps, settings: RenderSettings | None = None, focus: float | None = None, lens=LENS) -> LensLook:
    return through_lens(scene, lens, PERSON_M, focus, False, settings)


def radii_px(metres: np.ndarray, focus_m: float, lens: ThinLens = LENS) -> np.ndarray:
    shape = (H, W)
    return np.array([lens.radius_share(1 / s, focus_m, shape) for s in metres]) * image_diagonal_px(shape)


def crf_radii(found: LensLook, compositing: Compositing) -> np.ndarray:
    settings = RenderSettings(
        aperture=found.look.aperture, focus=found.look.focus, full=found.look.full, compositing=compositing,
        mode=Mode.FULL_BODY,
    )  # fmt: skip
    rgb = np.zeros((H, W, 3), np.uint8)
    _, plan = solve(rgb, found.maps.mask, found.maps.depth, settings)
    return plan.lens.radii_px


def test_the_papers_renderer_has_the_lens_radii_behind_the_person(scene: Maps) -> None:
    expected = radii_px(METRES, PERSON_M)
    expected[:2] = 0  # nothing before the person is blurred
    found = look(scene, RenderSettings())
    assert found.look.focus is None
    np.testing.assert_allclose(crf_radii(found, Compositing.PAPER), expected, rtol=1e-4, atol=1e-3)


def test_occlusion_has_them_on_both_sides(scene: Maps) -> None:
    found = look(scene, RenderSettings(compositing=Compositing.OCCLUSION))
    expected = radii_px(METRES, PERSON_M)
    np.testing.assert_allclose(crf_radii(found, Compositing.OCCLUSION), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("tapped", [3, 5])
def test_a_tapped_depth_is_sharp_and_the_person_is_not(scene: Maps, tapped: int) -> None:
    depth = float(scene.depth[tapped * (H // 6) + 2, 0])
    found = look(scene, RenderSettings(compositing=Compositing.OCCLUSION), depth)
    expected = radii_px(METRES, METRES[tapped])
    assert f"sharp at {METRES[tapped]:.2f} m" in found.said
    np.testing.assert_allclose(crf_radii(found, Compositing.OCCLUSION), expected, rtol=1e-4, atol=2e-3)


def test_the_filter_has_the_same_radii(scene: Maps) -> None:
    found = look(scene)
    mask, depth = (torch.from_numpy(m)[None, None] for m in (found.maps.model_mask, found.maps.model_depth))
    aperture, person = torch.full((1, 1, 1, 1), found.look.aperture), torch.full((1, 1, 1, 1), -1.0)
    drawn = blur_radius_px(mask, depth, aperture, person)[0, 0, H // 12 :: H // 6, 0].numpy()
    expected = radii_px(METRES, PERSON_M)
    expected[:2] = 0
    np.testing.assert_allclose(drawn, expected, rtol=1e-3, atol=2e-3)


def test_what_is_said(scene: Maps) -> None:
    found = look(scene)
    assert found.said == (
        "f/1.8 at 85 mm (35 mm film): the person at 2.00 m (given), background at 20.00 m;"
        f" aperture {found.look.aperture:.4f} of the diagonal"
    )
    assert found.look.aperture == pytest.approx(LENS.radius_share(1 / 20, 2.0, (H, W)), rel=1e-4)
    assert found.warning is None


def test_the_distance_is_measured_where_it_is_not_given(scene: Maps) -> None:
    """The mask is a sixth of the height, and the diagonal is film's: 36 mm high for 2:3."""
    found = through_lens(scene, LENS, None, None, False, None)
    film_height_mm = 43.2666 * H / np.hypot(H, W)
    said = re.search(r"person at (.*) m \(a whole body of 1\.65 m on 17 % of the height\), background", found.said)
    assert said
    assert float(said[1]) == pytest.approx(85 * 1.65 / (film_height_mm / 6), rel=1e-3)


def test_the_range_of_the_filter_ends_with_a_warning(scene: Maps) -> None:
    wide = ThinLens(0.95, 135)
    found = look(scene, lens=wide)
    asked = wide.radius_share(1 / 20, PERSON_M, (H, W))
    assert asked > 0.04
    assert found.look.aperture == 0.04
    assert found.warning is not None
    assert f"asks for {asked:.4f} of the diagonal, the RNN filter's range ends at 0.04" in found.warning
    crf = look(scene, RenderSettings(), lens=wide)
    assert crf.look.aperture == pytest.approx(asked, rel=1e-4)
    assert crf.warning is None


def test_a_selfie_has_one_disk_the_farthest(scene: Maps) -> None:
    mask = np.zeros((H, W))
    mask[H // 3 :, 8:56] = 1
    metres = np.where(mask == 1, 0.7, 5.0)
    found = through_lens(
        maps_of(metres, mask), LENS, 0.7, None, False, RenderSettings(compositing=Compositing.OCCLUSION)
    )
    assert found.look.focus is None, "the mode stays open: it is a selfie"
    assert found.look.aperture == pytest.approx(LENS.radius_share(1 / 5, 0.7, (H, W)), rel=1e-3)


def test_the_farthest_in_focus_leaves_the_photo(scene: Maps) -> None:
    found = look(scene, RenderSettings(), float(scene.depth[-1, 0]))
    assert found.look.aperture == pytest.approx(0, abs=1e-6)


def test_nobody_needs_a_distance(scene: Maps) -> None:
    near = float(scene.depth[0, 0])
    with pytest.raises(InputError, match="give --distance in metres"):
        through_lens(scene, LENS, None, near, True, None)
    found = through_lens(scene, LENS, 2.4, near, True, None)
    assert "sharp at 2.40 m (given), background at 40.00 m" in found.said, "twice as far as the scene's"


def test_a_person_of_no_size_is_refused(scene: Maps) -> None:
    tele = ThinLens(4, 2000, (5, 4))
    with pytest.raises(InputError, match=r"expected a person 0\.1 to 1000 m away, found .*; give --distance"):
        through_lens(scene, tele, None, None, False, None)


def test_a_look_without_a_lens_has_no_full_depth() -> None:
    assert Look(0.016, None).full is None
