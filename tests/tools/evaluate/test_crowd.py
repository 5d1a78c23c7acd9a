"""Composed crowds: whom they show, and whom a mask keeps."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.tools.evaluate.crowd import MOST_COVERED, compose_crowd, crowds, evaluate_crowd
from portraiture.training.data.datasets import Split, list_samples
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import PredictedMaps

COLOURS = [(255, 40, 0), (40, 255, 0), (0, 40, 255), (255, 255, 0), (0, 255, 255)]


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Five photos of 120x160: a person of one colour before grey."""
    for k, colour in enumerate(COLOURS):
        rgb, mask = np.full((120, 160, 3), 90, np.uint8), np.zeros((120, 160), np.uint8)
        mask[20:110, 60:85] = 255
        rgb[mask > 0] = colour
        for folder, image in (("images", rgb[..., ::-1]), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"p{k}.png"), image)
    return list_samples("folder", tmp_path, Split.ALL)


def test_each_person_of_a_crowd_is_where_its_colour_is(samples: list[Sample]) -> None:
    found = list(crowds(samples))
    assert len(found) == 5
    assert {len(crowd.people) for crowd in found} <= {2, 3, 4}
    assert any(len(crowd.people) > 2 for crowd in found)
    for place, (rgb, people) in enumerate(found):
        assert sum(person.astype(int) for person in people).max() == 1  # what is seen belongs to one person
        assert people[0].sum() >= (1 - MOST_COVERED) ** 3 * 90 * 25
        for person in people:
            inside = cv2.erode(person.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            colours = np.unique(rgb[inside], axis=0)
            assert len(colours) == 1
            assert tuple(int(v) for v in colours[0]) in COLOURS
            assert np.nonzero(person.any(1))[0][-1] == 109  # all stand at one height
        assert tuple(int(v) for v in rgb[people[0]][0]) == COLOURS[place]


def test_a_crowd_is_the_same_every_time(samples: list[Sample]) -> None:
    first, second = compose_crowd(samples, 2), compose_crowd(samples, 2)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.rgb, second.rgb)


def test_whom_a_mask_keeps_is_counted(samples: list[Sample]) -> None:
    number = sum(len(crowd.people) for crowd in crowds(samples))

    def keep_all_but(colour: tuple[int, int, int]) -> dict[str, float]:
        def predict(rgb: np.ndarray) -> PredictedMaps:
            person = (rgb != 90).any(2) & (np.abs(rgb.astype(int) - colour).max(2) > 60)
            return PredictedMaps(person.astype(np.float32), None, None, None)

        return evaluate_crowd(samples, predict)

    everybody = keep_all_but((0, 0, 0))
    assert everybody == {"photos": 5, "people": number, "people_kept": 1.0, "photos_whole": 1.0}
    one_missing = keep_all_but(COLOURS[0])
    shown = [sum(bool((rgb[person] == COLOURS[0]).all(1).mean() > 0.5) for person in people)
             for rgb, people in crowds(samples)]  # fmt: skip
    assert one_missing["people_kept"] == pytest.approx(1 - sum(shown) / number)
    assert one_missing["photos_whole"] == pytest.approx(1 - np.mean([count > 0 for count in shown]))


def test_people_who_are_wider_than_the_photo_and_photos_of_nobody_are_left_out(samples: list[Sample]) -> None:
    wide, nobody = np.zeros((120, 160), np.uint8), np.zeros((120, 160), np.uint8)
    wide[80:100, 2:158] = 255
    for sample, mask in zip(samples[1:], (wide, wide, nobody, nobody), strict=True):
        cv2.imwrite(str(sample.label), mask)
    assert compose_crowd(samples, 0) is None
    assert compose_crowd(samples, 4) is None


def test_photos_of_nobody_make_no_crowd(samples: list[Sample]) -> None:
    for sample in samples:
        cv2.imwrite(str(sample.label), np.zeros((120, 160), np.uint8))
    with pytest.raises(InputError, match="expected people to compose, found none in 5 photos; add masks"):
        evaluate_crowd(samples, lambda rgb: PredictedMaps(np.zeros(rgb.shape[:2]), None, None, None))
