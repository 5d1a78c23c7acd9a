"""The figures, against their definitions and on predictions whose figures are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.bodies import body_spread, body_std, evaluate_bodies, person_rank
from portraiture.training.evaluation.depth import evaluate_nyu, evaluate_ordinal
from portraiture.training.evaluation.filters import evaluate_filters
from portraiture.training.evaluation.masks import evaluate_nobody, evaluate_segmentation, score_masks
from portraiture.training.evaluation.predict import Predict, PredictedMaps

H, W = 40, 30


def person(height: int = H, width: int = W) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[height // 4 :, width // 3 : 2 * width // 3] = True
    return mask


def write_sample(folder: Path, name: str, label: np.ndarray, shape: tuple[int, int] = (H, W)) -> Sample:
    photo, target = folder / f"{name}.png", folder / f"{name}_label.png"
    assert cv2.imwrite(str(photo), np.full((*shape, 3), 100, np.uint8))
    assert cv2.imwrite(str(target), label.astype(np.uint8) * 255 if label.dtype == bool else label)
    return Sample(name, photo, target)


def always(
    mask: np.ndarray | None = None,
    depth: np.ndarray | None = None,
    coarse_mask: np.ndarray | None = None,
    coarse_depth: np.ndarray | None = None,
) -> Predict:
    return lambda rgb: PredictedMaps(mask, depth, coarse_mask, coarse_depth)


# ---------------------------------------------------------------- rank and spread


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("levels", [3, 20, 0])
def test_person_rank_is_the_share_of_all_pairs(seed: int, levels: int) -> None:
    rng = np.random.default_rng([seed, levels])
    depth = (rng.integers(0, levels, (9, 7)) / levels if levels else rng.random((9, 7))).astype(np.float32)
    mask = rng.random((9, 7)) < rng.uniform(0.2, 0.8)
    mask[0, :2] = True, False
    p, q = depth[mask][:, None], depth[~mask][None]  # every pair
    assert person_rank(depth, mask) == pytest.approx(((p < q) + 0.5 * (p == q)).mean(), abs=1e-12)
    assert person_rank(-depth, mask) == pytest.approx(1 - person_rank(depth, mask), abs=1e-12)


def test_person_rank_of_known_orders() -> None:
    mask = person()
    assert person_rank(np.where(mask, 0.2, 0.9), mask) == 1
    assert person_rank(np.where(mask, 0.9, 0.2), mask) == 0
    assert person_rank(np.full((H, W), 0.3), mask) == 0.5


def test_spread_is_free_of_scale_and_offset_and_std_is_not() -> None:
    depth, mask = np.random.default_rng(0).random((H, W)), person()
    assert body_spread(depth, mask) == pytest.approx(depth[mask].std() / depth.std())
    assert body_spread(0.2 * depth + 0.4, mask) == pytest.approx(body_spread(depth, mask))
    assert body_std(0.2 * depth + 0.4, mask) == pytest.approx(0.2 * body_std(depth, mask))


def test_a_flat_body_has_no_spread_and_a_flat_photo_gains_nothing() -> None:
    mask = person()
    assert body_spread(np.where(mask, 0.25, 0.75), mask) == 0
    for level in (0.0, 0.3, 0.7):
        assert body_spread(np.full((H, W), level, np.float64), mask) == 1


# ---------------------------------------------------------------- bodies


def test_bodies_are_means_over_photos_refined_and_coarse(tmp_path: Path) -> None:
    masks = [person(), ~person()]
    samples = [write_sample(tmp_path, str(k), m) for k, m in enumerate(masks)]
    fine, coarse = np.random.default_rng(1).random((2, H, W)).astype(np.float32)
    found = evaluate_bodies(samples, always(depth=fine, coarse_depth=coarse))
    assert found["photos"] == 2
    assert found["photos_passed_over"] == 0
    for name, depth in (("", fine), ("_coarse", coarse)):
        assert found[f"body_spread{name}"] == pytest.approx(np.mean([body_spread(depth, m) for m in masks]))
        assert found[f"body_std{name}"] == pytest.approx(np.mean([body_std(depth, m) for m in masks]))
        assert found[f"person_rank{name}"] == pytest.approx(np.mean([person_rank(depth, m) for m in masks]))
    assert not [k for k in evaluate_bodies(samples, always(depth=fine)) if k.endswith("_coarse")]


def test_photos_of_one_side_are_counted_as_passed_over(tmp_path: Path) -> None:
    depth = np.random.default_rng(2).random((H, W))
    flat = [write_sample(tmp_path, name, np.full((H, W), value)) for name, value in (("a", False), ("b", True))]
    both = write_sample(tmp_path, "c", person())
    found = evaluate_bodies([*flat, both], always(depth=depth))
    assert (found["photos"], found["photos_passed_over"]) == (1, 2)
    assert found["person_rank"] == person_rank(depth, person())
    with pytest.raises(InputError, match="expected masks of person and background"):
        evaluate_bodies(flat, always(depth=depth))


# ---------------------------------------------------------------- masks


def test_masks_are_scored_photo_by_photo(tmp_path: Path) -> None:
    truth = person()
    samples = [write_sample(tmp_path, "a", truth), write_sample(tmp_path, "b", ~truth)]
    figures, ious = score_masks(samples, always(truth.astype(np.float32), coarse_mask=np.ones((H, W))))
    assert ious == [1, 0]
    assert figures["mean_iou"] == 0.5
    assert figures["set_iou"] == pytest.approx(truth.mean() / (1 + truth.mean()))
    assert figures["mean_iou_coarse"] == pytest.approx(0.5)
    assert evaluate_segmentation(samples, always(truth.astype(np.float32)))["mean_iou"] == 0.5


def test_area_found_where_nobody_is(tmp_path: Path) -> None:
    photos = [write_sample(tmp_path, name, person()) for name in "abcd"]
    areas = iter([0.0, 0.01, 0.02, 0.5])

    def predict(rgb: np.ndarray) -> PredictedMaps:
        mask = np.full((H, W), 0.499, np.float32)
        mask.ravel()[: round(next(areas) * H * W)] = 0.5
        return PredictedMaps(mask, None, np.zeros((H, W)), None)

    found = evaluate_nobody(photos, predict)
    assert found["photos"] == 4
    assert found["false_area"] == pytest.approx(0.53 / 4)
    assert found["photos_above_2_percent"] == 1  # exactly 2 % is not above
    assert found["false_area_coarse"] == found["photos_above_2_percent_coarse"] == 0


@pytest.mark.parametrize("evaluate", [evaluate_segmentation, evaluate_bodies, evaluate_ordinal])
def test_a_label_of_another_size_is_one_clear_line(tmp_path: Path, evaluate: object) -> None:
    sample = write_sample(tmp_path, "a", np.tile(np.arange(W, dtype=np.uint8), (H, 1)), shape=(W, H))
    with pytest.raises(InputError, match=r"a_label\.png: expected 30x40 .*found 40x30"):
        evaluate([sample], always(np.ones((H, W)), np.ones((H, W))))  # type: ignore[operator]


@pytest.mark.parametrize("evaluate", [evaluate_segmentation, evaluate_nobody, evaluate_bodies, evaluate_ordinal])
def test_a_predictor_without_the_map_is_refused(tmp_path: Path, evaluate: object) -> None:
    with pytest.raises(InputError, match=r"expected a predictor of (masks|depth)"):
        evaluate([write_sample(tmp_path, "a", person())], always())  # type: ignore[operator]


# ---------------------------------------------------------------- pairs


def ramp(height: int = H, width: int = W) -> np.ndarray:
    return np.linspace(1, 250, height * width).astype(np.uint8).reshape(height, width)


def test_whdr_of_a_right_a_reversed_and_a_constant_depth(tmp_path: Path) -> None:
    samples = [write_sample(tmp_path, name, ramp()) for name in "ab"]
    right, wrong = ramp() / 255.0, 1 - ramp() / 255.0
    found = evaluate_ordinal(samples, always(depth=right, coarse_depth=wrong))
    assert (found["whdr"], found["whdr_coarse"]) == (0, 1)
    assert found["pairs"] == 5000
    assert evaluate_ordinal(samples, always(depth=np.zeros((H, W))))["whdr"] == 1


def test_only_0_is_unknown_in_a_folder_and_up_to_3_in_nyu(tmp_path: Path) -> None:
    level = np.tile(np.array([0, 1, 2, 3], np.uint8), (50, 10))
    sample = write_sample(tmp_path, "a", level, shape=level.shape)
    assert evaluate_ordinal([sample], always(depth=level.astype(float)))["whdr"] == 0
    with pytest.raises(InputError, match="expected pairs of known and unequal depth"):
        evaluate_nyu([sample], lambda rgb: PredictedMaps(None, np.zeros(rgb.shape[:2]), None, None))


def test_nyu_is_judged_inside_its_border(tmp_path: Path) -> None:
    sample = write_sample(tmp_path, "a", ramp(60, 50), shape=(60, 50))
    seen = []

    def predict(rgb: np.ndarray) -> PredictedMaps:
        seen.append(rgb.shape)
        return PredictedMaps(None, ramp(60, 50)[12:-12, 12:-12].astype(float), None, None)

    assert evaluate_nyu([sample], predict)["whdr"] == 0
    assert seen == [(36, 26, 3)]


# ---------------------------------------------------------------- filters


def test_filters_share_one_reference() -> None:
    rng = np.random.default_rng(0)
    references = [rng.random((16, 16, 3)) * 0.5 for _ in range(2)]
    found = evaluate_filters(({"near": r + 0.01, "far": r + 0.1}, r) for r in references)
    assert found["near"]["psnr_db"] == pytest.approx(40)
    assert found["far"]["psnr_db"] == pytest.approx(20)
    assert {figures["photos"] for figures in found.values()} == {2}
    with pytest.raises(InputError, match="found none"):
        evaluate_filters(())
