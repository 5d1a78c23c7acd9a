"""``evaluate matte``: a person before a plain background, whose matte is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.tools.evaluate.mattes import ENDINGS, evaluate_mattes
from portraiture.training.data.datasets import Split, list_samples
from portraiture.training.evaluation.predict import PredictedMaps

HEIGHT, WIDTH = 96, 72


def soft_disk() -> np.ndarray:
    """A disk's share of each pixel, softened as hair is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip((24.5 - np.hypot(y - 48, x - 36)) / 6 + 0.5, 0, 1)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """One photo of a bright disk before a dark ground, and one of nobody."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    share = soft_disk()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.rint(40 + 180 * share).astype(np.uint8)[..., None].repeat(3, 2))
    cv2.imwrite(str(tmp_path / "masks" / "a.png"), np.where(share >= 0.5, 255, 0).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "images" / "b.png"), np.full((HEIGHT, WIDTH, 3), 40, np.uint8))
    cv2.imwrite(str(tmp_path / "masks" / "b.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    return tmp_path


def errors_of(people: Path, mask: np.ndarray) -> dict[str, float]:
    samples = list_samples("folder", people, Split.ALL)
    return evaluate_mattes(samples, lambda rgb: PredictedMaps(mask.astype(np.float32), None, None, None))


def test_the_true_matte_is_near_the_solved_one_and_a_hard_mask_is_not(people: Path) -> None:
    soft, hard = errors_of(people, soft_disk()), errors_of(people, (soft_disk() >= 0.5).astype(float))
    assert soft["photos"] == 1, "nobody has no outline"
    for error in ("sad", "mse", "gradient", "connectivity"):
        assert soft[f"{error}_mask"] < 0.2 * hard[f"{error}_mask"], error
        assert hard[f"{error}_solved"] < 0.8 * hard[f"{error}_mask"], "matting mends a hard mask"
        assert hard[error] == hard[f"{error}_mask"], "the curve leaves 0 and 1"
    assert len(soft) == 1 + 4 * len(ENDINGS)


def test_a_mask_elsewhere_costs_the_whole_band(people: Path) -> None:
    assert errors_of(people, np.zeros((HEIGHT, WIDTH)))["sad_mask"] > 3 * errors_of(people, soft_disk())["sad_mask"]


def test_photos_without_an_outline_are_told(people: Path) -> None:
    (people / "images" / "a.png").unlink()
    (people / "masks" / "a.png").unlink()
    with pytest.raises(InputError, match="expected a photo with a person's outline"):
        errors_of(people, np.zeros((HEIGHT, WIDTH)))
