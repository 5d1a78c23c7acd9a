"""The thin lens against numbers worked out by hand, and against two image distances by the lens equation."""

import math

import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.thin_lens import ThinLens

FULL_FRAME = (1000, 1500)  # rows, columns: 3:2 as the film's frame


def test_85_mm_at_f_1_8_focused_at_2_m() -> None:
    """c = 85^2 / (1.8 * 1915) = 2.0960 mm at infinity: half of it is 0.024222 of the diagonal of 43.267 mm."""
    lens = ThinLens(1.8, 85)
    assert lens.circle_mm(0.0, 2.0) == pytest.approx(7225 / 3447)
    assert lens.circle_mm(1 / 4, 2.0) == pytest.approx(7225 / 3447 / 2)
    assert lens.circle_mm(1 / 1, 2.0) == pytest.approx(7225 / 3447), "as far in front, in 1 / distance, as infinity"
    assert lens.circle_mm(1 / 2, 2.0) == 0
    assert lens.radius_share(0.0, 2.0, FULL_FRAME) == pytest.approx(0.024222, rel=1e-4)


@pytest.mark.parametrize("distance_m", [0.6, 1.9, 2.5, 9.0, 1000.0])
def test_the_circle_is_the_cone_of_light_cut_by_the_sensor(distance_m: float) -> None:
    focal, number, focus_m = 50.0, 2.8, 2.2

    def image_mm(metres: float) -> float:
        return 1 / (1 / focal - 1 / (1000 * metres))  # 1 / f = 1 / s + 1 / v

    v, sensor_mm = image_mm(distance_m), image_mm(focus_m)
    expected = focal / number * abs(v - sensor_mm) / v
    assert ThinLens(number, focal).circle_mm(1 / distance_m, focus_m) == pytest.approx(expected)


def test_a_real_focal_length_counts_on_its_sensor() -> None:
    """50 mm on 22.5x15 mm is about 80 mm of film: as large in the photo, with a circle of 1.6 times fewer mm."""
    lens = ThinLens(1.8, 50, (22.5, 15))
    assert lens.diagonal_mm(FULL_FRAME) == pytest.approx(math.hypot(22.5, 15))
    assert lens.diagonal_mm((1500, 1000)) == lens.diagonal_mm(FULL_FRAME), "held upright"
    assert lens.diagonal_mm((1125, 2000)) == pytest.approx(22.5 * math.hypot(9, 16) / 16), "16:9 is cut from its width"
    assert lens.diagonal_mm((1500, 2000)) == pytest.approx(15 * 5 / 3), "4:3 is cut from its height"
    assert lens.focal_px(FULL_FRAME) == pytest.approx(1500 * 50 / 22.5)
    assert lens.radius_share(0, 2, FULL_FRAME) == pytest.approx(2500 / (1.8 * 1950) / 2 / 27.0416, rel=1e-5)


def test_an_equivalent_of_film_has_its_angle_across_the_diagonal() -> None:
    for shape in (FULL_FRAME, (3000, 4000), (900, 1600)):
        half = math.atan(math.hypot(*shape) / 2 / ThinLens(2, 26).focal_px(shape))
        assert math.degrees(2 * half) == pytest.approx(79.52, abs=0.01), "26 mm before film: 2 atan(21.63 / 26)"


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ((0.3, 50), "--f-number"),
        ((math.nan, 50), "--f-number"),
        ((2, 0), "--focal-length"),
        ((2, 1e5), "--focal-length"),
        ((2, 50, (0, 15)), "--sensor"),
        ((2, 50, (22, math.inf)), "--sensor"),
    ],
)
def test_what_no_lens_has_is_refused(values: tuple[float, ...], option: str) -> None:
    with pytest.raises(OptionError, match=rf"{option}: expected .* found .*; try"):
        ThinLens(*values)  # type: ignore[arg-type]


def test_a_focus_within_the_focal_length_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.2 m with a focal length of 300 mm; give --distance"):
        ThinLens(4, 300).circle_mm(0, 0.2)
