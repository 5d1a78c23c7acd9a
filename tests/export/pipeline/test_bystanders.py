"""Passers-by: small, apart and farther off; nobody else is taken for one."""

import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.bystanders import without_bystanders
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.runner import Feeds

SHAPE = (128, 96)
Box = tuple[int, int, int, int]  # rows from, to, columns from, to
SUBJECT: Box = (20, 120, 30, 55)


def people(*boxes: Box) -> np.ndarray:
    mask = np.zeros(SHAPE, np.float32)
    for top, bottom, left, right in boxes:
        mask[top:bottom, left:right] = 1
    return mask


def depths(mask: np.ndarray) -> np.ndarray:
    return np.where(mask > 0, 0.3, 0.9).astype(np.float32)


@pytest.mark.parametrize(
    ("other", "dropped"),
    [
        ((30, 80, 70, 80), True),  # behind: 20 % of the area, feet 40 rows higher
        ((70, 120, 70, 80), False),  # a child beside
        ((65, 114, 70, 80), True),  # 6 % of the height higher
        ((65, 116, 70, 80), False),  # 4 %
        ((10, 80, 70, 84), True),  # 39 % of the area
        ((10, 80, 70, 85), False),  # 42 %: as large
        ((30, 80, 55, 65), False),  # one body with the subject
        ((10, 20, 55, 65), False),  # touches at a corner
    ],
)
def test_who_is_a_passer_by(other: Box, dropped: bool) -> None:
    mask = people(SUBJECT, other)
    found, depth = without_bystanders(mask, depths(mask))
    np.testing.assert_array_equal(found, people(SUBJECT) if dropped else mask)
    expected = np.where(people(SUBJECT) > 0, 0.3, 0.9) if dropped else depths(mask)
    np.testing.assert_allclose(depth, expected)


def test_the_mask_ends_eight_pixels_around() -> None:
    mask = np.full(SHAPE, 0.1, np.float32)
    mask[people(SUBJECT) > 0] = 1
    mask[40:70, 70:80] = 0.8
    found, _ = without_bystanders(mask, depths(mask))
    zone = np.zeros(SHAPE, bool)
    zone[32:78, 62:88] = True
    assert not found[zone].any()
    np.testing.assert_array_equal(found[~zone], mask[~zone])


@pytest.mark.parametrize(("gap_px", "dropped"), [(8, True), (7, False)])
def test_a_torn_off_piece_stays_with_its_person(gap_px: int, dropped: bool) -> None:
    mask = people(SUBJECT, (30, 60, 55 + gap_px, 70))
    found, _ = without_bystanders(mask, depths(mask))
    np.testing.assert_array_equal(found, people(SUBJECT) if dropped else mask)
    pieces = people(SUBJECT, (30, 60, 70, 76), (62, 70, 70, 76))  # a passer-by in two pieces
    np.testing.assert_array_equal(without_bystanders(pieces, depths(pieces))[0], people(SUBJECT))


def test_two_passers_by_and_what_is_farther_stays_so() -> None:
    mask = people(SUBJECT, (30, 60, 70, 78), (10, 18, 4, 20))
    depth = depths(mask)
    depth[10:18, 4:20] = 0.95
    before = mask.copy(), depth.copy()
    found, far = without_bystanders(mask, depth)
    np.testing.assert_array_equal(found, people(SUBJECT))
    assert (far[10:18, 4:20] == np.float32(0.95)).all()
    assert far[40, 74] == np.float32(0.9)
    np.testing.assert_array_equal(mask, before[0])  # the model's own are left alone
    np.testing.assert_array_equal(depth, before[1])


@pytest.mark.parametrize("mask", [people(), people(SUBJECT), np.ones(SHAPE, np.float32)], ids=["nobody", "one", "all"])
def test_one_person_or_nobody_is_left_alone(mask: np.ndarray) -> None:
    depth = depths(mask)
    found = without_bystanders(mask, depth)
    assert found[0] is mask
    assert found[1] is depth


class Model:
    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        rgb = np.asarray(feeds["rgb"])
        mask = (rgb[..., 0] > 0.5).astype(np.float32)
        if self.name == "filter":
            return {"portrait": rgb * np.asarray(feeds["mask"])[..., None]}
        return {"mask": mask, "depth": depths(mask), "portrait": rgb * mask[..., None]}


def test_the_pipeline_blurs_a_passer_by_and_the_fused_model_does_not() -> None:
    pipeline = Pipeline(lambda name, _: Model(name), [Size(*SHAPE)])
    mask = people(SUBJECT, (30, 60, 70, 78))
    rgb = np.repeat((40 + 180 * mask[..., None]).astype(np.uint8), 3, 2)
    maps = pipeline.perceive(rgb)
    np.testing.assert_array_equal(maps.model_mask, people(SUBJECT))
    assert not maps.mask[30:60, 70:78].any()
    assert pipeline.perceive(rgb, "coarse").model_mask[40, 74] == 1
    assert pipeline.render(rgb, maps, 0.04)[40, 74].max() < 0.1
    assert pipeline.render_fused(rgb, 0.04)[40, 74].min() > 0.8
    assert pipeline.render(rgb, maps, 0.04)[60, 40].min() > 0.8
