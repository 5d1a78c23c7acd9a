"""Whether a mask shows a person: area, confidence and compactness together, at any size of photo."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference import presence
from portraiture.reference.presence import Presence, find_person, nearest_depth

SIZES = [(512, 384), (96, 128), (3000, 2000)]


def empty(size: tuple[int, int]) -> np.ndarray:
    return np.zeros(size, np.float32)


def ellipse(size: tuple[int, int], centre: tuple[float, float], area: float, value: float = 0.97) -> np.ndarray:
    """A body twice as tall as wide, soft at its edge.

    Args:
        size: (H, W).
        centre: of the body, as shares (row, column).
        area: of the body, as a share of the photo.
        value: of the mask in it.
    """
    height, width = size
    half = np.sqrt(area * height * width / (2 * np.pi))  # pi * half * 2 half = area
    row, column = np.mgrid[:height, :width]
    distance = np.hypot((row - centre[0] * height) / (2 * half), (column - centre[1] * width) / half)
    return np.asarray(value * np.clip((1 - distance) * half + 0.5, 0, 1), np.float32)


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_mask_is_absent(size: tuple[int, int]) -> None:
    found = find_person(empty(size))
    assert (found.presence, found.area, found.confidence) == (Presence.ABSENT, 0, 0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", [0.5, 1.0])
def test_a_single_pixel_is_absent(size: tuple[int, int], value: float) -> None:
    mask = empty(size)
    mask[size[0] // 2, size[1] // 2] = value
    assert find_person(mask).presence is Presence.ABSENT


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5])
def test_speckle_is_absent(size: tuple[int, int], share: float) -> None:
    mask = (np.random.default_rng(0).random(size) < share).astype(np.float32)
    assert find_person(mask).presence is Presence.ABSENT


@pytest.mark.parametrize("size", SIZES)
def test_a_haze_is_absent_however_large(size: tuple[int, int]) -> None:
    found = find_person(np.full(size, 0.5, np.float32))
    assert (found.presence, found.area) == (Presence.ABSENT, 1)
    assert find_person(ellipse(size, (0.5, 0.5), 0.3, 0.6)).presence is Presence.ABSENT


@pytest.mark.parametrize("size", SIZES)
def test_found_people_had_a_confidence_of_0_658_or_more(size: tuple[int, int]) -> None:
    assert find_person(ellipse(size, (0.5, 0.5), 0.3, 0.658)).presence is Presence.UNCERTAIN
    assert find_person(ellipse(size, (0.5, 0.5), 0.3, 0.64)).presence is Presence.ABSENT


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("across", [True, False])
def test_a_thin_line_is_absent(size: tuple[int, int], across: bool) -> None:
    mask = empty(size)
    thickness = max(1, max(size) // 128)
    middle = (size[0] if across else size[1]) // 2
    mask[(slice(middle, middle + thickness), slice(None))[:: 1 if across else -1]] = 1
    assert find_person(mask).presence is Presence.ABSENT


@pytest.mark.parametrize("size", SIZES)
def test_a_small_clear_person_is_clear(size: tuple[int, int]) -> None:
    found = find_person(ellipse(size, (0.6, 0.3), 0.01))
    assert found.presence is Presence.CLEAR
    assert found.area == pytest.approx(0.01, rel=0.25)


@pytest.mark.parametrize("size", SIZES)
def test_a_selfie_that_fills_the_photo_is_clear(size: tuple[int, int]) -> None:
    found = find_person(ellipse(size, (1.0, 0.5), 1.2))
    assert found.presence is Presence.CLEAR
    assert found.area > 0.5
    assert find_person(np.ones(size, np.float32)).presence is Presence.CLEAR


@pytest.mark.parametrize("size", SIZES)
def test_of_two_people_one_is_judged(size: tuple[int, int]) -> None:
    two = ellipse(size, (0.5, 0.25), 0.05) + ellipse(size, (0.5, 0.75), 0.08)
    found = find_person(two)
    assert found.presence is Presence.CLEAR
    assert found.area == pytest.approx(0.08, rel=0.1)


def test_a_faint_patch_does_not_hide_a_small_clear_person() -> None:
    mask = ellipse((512, 384), (0.5, 0.25), 0.02) + ellipse((512, 384), (0.5, 0.7), 0.1, 0.52)
    found = find_person(mask)
    assert found.presence is Presence.CLEAR
    assert found.area == pytest.approx(0.02, rel=0.1)


def test_doubt_of_area_or_confidence_is_uncertain() -> None:
    assert find_person(ellipse((512, 384), (0.5, 0.5), 0.1, 0.8)).presence is Presence.UNCERTAIN
    tiny = find_person(ellipse((512, 384), (0.5, 0.5), 0.0035))
    assert (tiny.presence, tiny.confidence > presence.CLEAR_CONFIDENCE) == (Presence.UNCERTAIN, True)


def test_a_blob_too_small_for_a_person_is_absent() -> None:
    found = find_person(ellipse((512, 384), (0.5, 0.5), 0.0016, 1.0))
    assert found.presence is Presence.ABSENT
    assert found.confidence > presence.CLEAR_CONFIDENCE
    assert found.area > 0


def test_a_small_blob_among_much_speckle_is_absent() -> None:
    """Compactness: what is left of the speckle would pass by its area and confidence."""
    mask = ellipse((256, 192), (0.5, 0.5), 0.01, 1.0)
    assert find_person(mask).presence is Presence.CLEAR
    mask[::4, :] = 1  # threads that the opening takes off
    found = find_person(mask)
    assert found.compactness < presence.LEAST_COMPACTNESS
    assert found.presence is Presence.ABSENT


def test_a_verdict_does_not_depend_on_the_photos_size() -> None:
    small = ellipse((256, 192), (0.5, 0.5), 0.02, 0.9)
    large = np.asarray(cv2.resize(small, (1920, 2560), interpolation=cv2.INTER_LINEAR))
    found = [find_person(mask) for mask in (small, large)]
    assert found[0].presence is found[1].presence
    assert found[0].area == pytest.approx(found[1].area, rel=0.03)
    assert found[0].confidence == pytest.approx(found[1].confidence, abs=0.02)


def test_figures_read_as_words() -> None:
    text = str(find_person(ellipse((512, 384), (0.5, 0.5), 0.1, 0.8)))
    assert text.startswith("9.9 % of the photo, confidence 0.80")
    assert "compactness 1.00" in text


def test_the_nearest_depth_is_not_one_wrong_pixel() -> None:
    depth = np.linspace(0.3, 0.9, 10_000).reshape(100, 100)
    depth[0, 0] = 0
    assert nearest_depth(depth) == pytest.approx(0.33, abs=0.001)


def test_true_masks_of_real_people_are_clear(real_data: Path) -> None:
    """Without a network: labels of Supervisely's photos whose people cover 1 % or more."""
    masks = [cv2.imread(str(p), 0) for p in sorted((real_data / "supervisely_persons/masks").glob("*.png"))[::10]]
    shares = [(m >= 128).mean() for m in masks]
    verdicts = [find_person(m / 255).presence for m, share in zip(masks, shares, strict=True) if share >= 0.01]
    assert len(verdicts) > 70
    assert verdicts.count(Presence.CLEAR) / len(verdicts) > 0.98
