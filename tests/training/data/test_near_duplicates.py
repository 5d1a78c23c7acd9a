"""Near-duplicates: found in turned and cut photos, kept apart from strangers, and whole groups on one side."""

import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from portraiture.training.data.datasets import Split, list_samples, set_name, split_of
from portraiture.training.data.layouts import Sample
from portraiture.training.data.near_duplicates import (
    LIST,
    are_near_duplicates,
    in_training,
    keypoints,
    matches,
    similarities,
    write_list,
)
from portraiture.training.data.negatives import person_free_photos

KNOWN = (("02560", "02206"), ("02438", "02351"), ("02479", "02231"), ("02464", "02391"))
"""Pairs of Shen's photos found by eye."""


def rows() -> list[dict[str, str]]:
    with LIST.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_group_has_one_side_and_a_photo_one_group() -> None:
    sides = defaultdict(set)
    for row in rows():
        sides[row["group"]].add(row["side"])
    assert len(sides) > 20
    assert all(len(found) == 1 and found <= {"train", "validation"} for found in sides.values())
    photos = [(row["set"], row["id"]) for row in rows()]
    assert len(set(photos)) == len(photos)


def test_the_pairs_found_by_eye_are_in_one_group_of_the_training_side() -> None:
    group = {row["id"]: row["group"] for row in rows() if row["set"] == "shen2016"}
    for held_out, trained in KNOWN:
        assert group[held_out] == group[trained]
        assert ("shen2016", held_out) in in_training()


def test_no_group_crosses_the_split_of_the_real_sets(real_data: Path) -> None:
    """Of every group that has a photo in a training part, none is held out."""
    side: dict[tuple[str, str], bool] = {}
    for dataset, folder in (("shen2016", "shen2016"), ("ccp", "ccp"), ("nyu", "nyu"),
                            ("folder", "supervisely_persons"), ("folder", "supervisely_more")):  # fmt: skip
        root = real_data / folder
        for split in (Split.TRAIN, Split.VALIDATION):
            for s in list_samples(dataset, root, split):
                side[set_name(dataset, root), s.id] = split is Split.TRAIN
    for folder in ("bsds500", "bsds_backgrounds"):
        found = person_free_photos(real_data / folder)
        side |= {(folder, s.id): True for s in split_of(found, Split.TRAIN)}
        side |= {(folder, s.id): False for s in split_of(found, Split.VALIDATION)}
    sides = defaultdict(set)
    for row in rows():
        sides[row["group"]].add(side[row["set"], row["id"]])
    assert all(len(found) == 1 for found in sides.values())
    assert sum(side.values()) > 3000


def test_near_duplicates_of_training_photos_leave_the_held_out_part() -> None:
    samples = [Sample(str(k), Path(f"{k}.jpg"), Path(f"{k}.png"), trained=k in (3, 18)) for k in range(20)]
    assert [s.id for s in split_of(samples, Split.VALIDATION)] == ["17", "19"]
    assert [s.id for s in split_of(samples, Split.TRAIN)] == [*map(str, range(17)), "18"]
    assert [s.id for s in split_of(samples, Split.VALIDATION, by_groups=False)] == ["17", "18", "19"]


@pytest.mark.parametrize("turn", [0.0, 12.0])
def test_a_shot_that_is_turned_smaller_and_brighter_matches_and_another_does_not(turn: float) -> None:
    photo = data.astronaut()
    matrix = cv2.getRotationMatrix2D((256, 256), turn, 0.85)
    other = np.clip(cv2.warpAffine(photo, matrix, (512, 512)) * 1.1 + 8, 0, 255).astype(np.uint8)
    stranger = np.dstack([data.camera()] * 3)
    assert matches(keypoints(photo), keypoints(other)) > 30
    assert matches(keypoints(photo), keypoints(stranger)) < 6


def test_a_plain_wall_has_no_points_and_matches_nothing() -> None:
    wall = keypoints(np.full((64, 48, 3), 128, np.uint8))
    assert len(wall.places) == 0
    assert matches(wall, keypoints(data.astronaut())) == 0


@pytest.mark.parametrize(
    ("similarity", "points", "expected"), [(0.56, 10, True), (0.67, 9, False), (0.68, 6, True), (0.99, 5, False)]
)
def test_fewer_points_need_more_similar_photos(similarity: float, points: int, expected: bool) -> None:
    assert are_near_duplicates(similarity, points) is expected


def test_similarity_is_the_cosine_of_what_differs_from_the_mean() -> None:
    features = np.array([[1.0, 10.0], [1.0, 10.0], [3.0, 30.0], [3.0, 10.0]])
    found = similarities(features)
    assert found[0, 1] == pytest.approx(1, abs=1e-6)
    assert found[0, 2] < 0
    assert (np.diag(found) == -1).all()


def test_a_group_goes_to_training_as_soon_as_one_photo_is_there(tmp_path: Path) -> None:
    write_list([[("a", "1", False), ("b", "2", True)], [("a", "3", False), ("a", "4", False)]], tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text().splitlines()
    assert lines == [
        "group,set,id,place,side",
        "1,a,1,validation,train",
        "1,b,2,train,train",
        "2,a,3,validation,validation",
        "2,a,4,validation,validation",
    ]
