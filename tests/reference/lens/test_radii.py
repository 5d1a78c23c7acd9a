"""Radii of layers and pixels where hardly any depth lies behind the focus, worked out by hand."""

import numpy as np
import pytest

from portraiture.reference.lens.radii import far_depth, layer_radii, lens_radii, smooth_radii

APERTURE_PX = 5.0  # 0.1 of the diagonal of 30x40


@pytest.mark.parametrize(("behind", "share"), [(1e-4, 0.1), (5e-4, 0.5), (1e-3, 1.0), (2e-3, 1.0)])
def test_a_depth_that_is_nearly_flat_is_hardly_blurred(behind: float, share: float) -> None:
    """Less than a thousandth of the depth range behind the focus counts as a thousandth."""
    centres = np.array([0.5, 0.5 + behind])
    for radii in (layer_radii, lens_radii):
        np.testing.assert_allclose(radii(centres, 0.5, 0.1, (30, 40)), [0, share * APERTURE_PX], rtol=1e-9)
    depth, mask = np.full((30, 40), 0.5), np.zeros((30, 40))
    depth[:15], mask[15:] = 0.5 + behind, 1
    expected = np.where(mask == 1, 0, share * APERTURE_PX)
    np.testing.assert_allclose(smooth_radii(mask, depth, 0.1, None), expected, atol=1e-9)


def test_the_far_depth_is_the_mean_of_the_farthest_sixth() -> None:
    """An even ramp from 0 to 1, whose last sixth counts by a weight that rises from 0 to 1 within a hundredth.

    Beyond 5/6 the mean is (100 * 0.01^3 / 3 + (1/36 - 0.01^2) / 2) / (0.005 + 1/6 - 0.01) = 0.0858.
    """
    ramp = np.repeat(np.linspace(0, 1, 12001)[None], 3, axis=0)
    assert far_depth(ramp) == pytest.approx(5 / 6 + 0.0858, abs=1e-4)
    assert far_depth(0.2 + 0.5 * ramp) == pytest.approx(0.2 + 0.5 * (5 / 6 + 0.0858), abs=1e-4)


def test_a_full_depth_fixes_the_scale_in_place_of_the_farthest_layer() -> None:
    """The radius is the aperture (5 px) at 0.6, 0.3 behind the focus; each depth in proportion, without an end."""
    centres = np.array([0.0, 0.3, 0.4, 0.6, 0.9])
    shape = (30, 40)
    np.testing.assert_allclose(layer_radii(centres, 0.3, 0.1, shape, 0.6), [0, 0, 5 / 3, 5, 10])
    np.testing.assert_allclose(lens_radii(centres, 0.3, 0.1, shape, 0.6), [5, 0, 5 / 3, 5, 10])
    np.testing.assert_allclose(lens_radii(centres, 0.3, 0.1, shape, 0.0), [5, 0, 5 / 3, 5, 10], err_msg="nearer")
