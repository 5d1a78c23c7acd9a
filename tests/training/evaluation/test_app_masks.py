"""An app's own coarse masks: small, wrong at the outline alone, the same at every run; what comes back is judged."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.metrics import iou
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.app_masks import coarse_mask, evaluate_refined

TRUTH = np.zeros((256, 192), bool)
TRUTH[60:, 50:140] = True


def test_a_coarse_mask_errs_at_the_outline_alone() -> None:
    given = coarse_mask(TRUTH, 0)
    assert given.shape == TRUTH.shape
    assert given.dtype == np.float32
    assert (given.min(), given.max()) == (0, 1)
    wrong = (given > 0.5) != TRUTH
    # within 4 cells of 8 px of the outline there are many errors, away from it none
    near = cv2.dilate(TRUTH.astype(np.uint8), np.ones((65, 65))) - cv2.erode(TRUTH.astype(np.uint8), np.ones((65, 65)))
    assert wrong.sum() > 300
    assert not wrong[near == 0].any()
    assert 0.6 < iou(given > 0.5, TRUTH) < 0.95


def test_the_same_photo_has_the_same_errors_and_another_has_others() -> None:
    assert (coarse_mask(TRUTH, 3) == coarse_mask(TRUTH, 3)).all()
    assert (coarse_mask(TRUTH, 3) != coarse_mask(TRUTH, 4)).any()


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    found = []
    for k in range(3):
        photo, mask = tmp_path / f"{k}.jpg", tmp_path / f"{k}.png"
        cv2.imwrite(str(photo), np.where(TRUTH[..., None], 200, 40).astype(np.uint8).repeat(3, 2))
        cv2.imwrite(str(mask), TRUTH.astype(np.uint8) * 255)
        found.append(Sample(str(k), photo, mask))
    return found


def test_figures_of_what_was_given_and_of_what_came_back(samples: list[Sample]) -> None:
    nothing_done = evaluate_refined(samples, lambda _, given: given)
    assert nothing_done["photos"] == 3
    for name in ("mean_iou", "set_iou", "boundary_f_2px"):
        assert nothing_done[name] == nothing_done[f"{name}_coarse"] < 0.95
    by_colour = evaluate_refined(samples, lambda rgb, _: (rgb[..., 0] > 120).astype(np.float32))
    assert by_colour["mean_iou"] > 0.99
    assert by_colour["mean_iou_coarse"] == nothing_done["mean_iou_coarse"]
