"""Figures of the ground, on depths of which they are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.training.data.datasets import Split, list_samples
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.ground import evaluate_ground, score_ground
from portraiture.training.evaluation.predict import PredictedMaps

FEET = 180


def person() -> np.ndarray:
    mask = np.zeros((200, 120), bool)
    mask[30 : FEET + 1, 45:75] = True
    return mask


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """A person who stands, and one without feet."""
    for name, mask in (("stands", person()), ("cut", np.roll(person(), 19, 0))):
        for folder, image in (("images", np.zeros((200, 120, 3), np.uint8)), ("masks", mask.astype(np.uint8) * 255)):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), image)
    return list_samples("folder", tmp_path, Split.ALL)


def world() -> np.ndarray:
    """Depth of a plane up to a wall at half the height; the person is as far as the feet's ground."""
    rows = np.repeat(np.linspace(1, 0, 200)[:, None], 120, 1)
    depth = np.minimum(rows, rows[100, 0])
    depth[person()] = depth[FEET, 0]
    return depth.astype(np.float32)


def cut_out() -> np.ndarray:
    return np.where(person(), 0.2, 0.9).astype(np.float32)


def half_way() -> np.ndarray:
    """The ground is put half way to the background, beside the feet and at the rim."""
    depth = cut_out()
    depth[140:][~person()[140:]] = 0.55
    return depth


@pytest.mark.parametrize(
    ("depth", "contact", "nearer"), [(world(), 0.0, 1.0), (cut_out(), 1.0, 0.0), (half_way(), 0.5, 0.0)]
)
@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_known_depths(samples: list[Sample], depth: np.ndarray, contact: float, nearer: float, scale: float) -> None:
    figures = evaluate_ground(samples, lambda _: PredictedMaps(None, scale * depth + 0.1, None, None))
    assert figures["contact_median"] == pytest.approx(contact, abs=0.02)
    assert figures["rim_nearer"] == nearer
    assert (figures["photos"], figures["photos_passed_over"]) == (1, 1)


def test_a_depth_that_is_flat_or_turned_round_counts_as_a_cut_out(samples: list[Sample]) -> None:
    for depth in (np.ones((200, 120), np.float32), -world()):
        (score,) = score_ground(samples, lambda _, depth=depth: PredictedMaps(None, depth, None, None))
        assert (score.contact, score.rim_nearer) == (1.0, False)


def test_photos_without_feet_are_refused(samples: list[Sample]) -> None:
    cut = [sample for sample in samples if sample.id == "cut"]
    with pytest.raises(InputError, match="found none in 1 masks; choose photos of whole bodies"):
        evaluate_ground(cut, lambda _: PredictedMaps(None, world(), None, None))
