"""A user's own folders: shots of one sitting are found, and a sitting is trained on or held out, never both."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from portraiture.training.data import own_groups
from portraiture.training.data.layouts import Sample
from portraiture.training.data.near_duplicates import similarities
from portraiture.training.data.own_groups import find_own_groups, groups_kept, hold_out_groups, last_groups, nearest_of

SIZE = (240, 180)


def scene(seed: int) -> np.ndarray:
    """A picture of random blots in colours of its own, HxWx3 uint8."""
    noise = np.random.default_rng(seed).normal(0, 1, (*SIZE, 3))
    blots = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (2, 6, 18))
    return np.clip(128 + 60 * blots, 0, 255).astype(np.uint8)


def shot(picture: np.ndarray, turn: float) -> np.ndarray:
    """The same again, turned by some degrees, nearer and brighter."""
    matrix = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), turn, 1.1)
    moved = cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return np.clip(moved * 1.1 + 6, 0, 255).astype(np.uint8)


@pytest.fixture
def album(tmp_path: Path) -> list[Path]:
    """Twenty photos; 3 and 19 are of one sitting, 17 and 18 too, 5 is a copy of 4."""
    pictures = [scene(k) for k in range(20)]
    pictures[19] = shot(pictures[3], 4)
    pictures[18] = shot(pictures[17], -3)
    pictures[5] = pictures[4]
    files = [tmp_path / f"album/{k:02}.png" for k in range(20)]
    files[0].parent.mkdir()
    for file, picture in zip(files, pictures, strict=True):
        assert cv2.imwrite(str(file), picture[..., ::-1])
    return files


def test_shots_of_one_sitting_are_found_and_no_others(album: list[Path]) -> None:
    assert find_own_groups(album) == [[3, 19], [4, 5], [17, 18]]


def test_neighbours_are_the_same_however_many_are_compared_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(0).normal(0, 1, (25, 6))
    whole = nearest_of(features)
    assert whole.shape == (25, 11)
    assert (whole[:, 0] == np.arange(25)).all()  # a photo is most like itself
    assert (whole[:, 1] == similarities(features).argmax(1)).all()
    monkeypatch.setattr(own_groups, "_AT_A_TIME", 4)
    assert (nearest_of(features) == whole).all()


def test_copies_are_found_where_there_is_nothing_to_match(tmp_path: Path) -> None:
    walls = [tmp_path / f"{k}.png" for k in range(3)]
    for wall, grey in zip(walls, (90, 90, 140), strict=True):
        cv2.imwrite(str(wall), np.full((64, 48, 3), grey, np.uint8))
    assert find_own_groups(walls) == [[0, 1]]
    assert find_own_groups(walls[:1]) == []


def test_a_sitting_is_on_one_side_and_the_last_are_held_out(album: list[Path], tmp_path: Path) -> None:
    samples = [Sample(p.stem, p, p) for p in album]
    # 15 % are three: 19 with 3, then 16; the two of 17 and 18 would be one too many
    (marked,) = hold_out_groups([samples], tmp_path / "cache")
    assert [s.id for s in marked if s.held_out] == ["03", "16", "19"]


def test_a_photo_lies_on_one_side_in_all_its_sets(album: list[Path], tmp_path: Path) -> None:
    people = [Sample(p.stem, p, p) for p in album]
    scenes = [replace(s, label=Path("depth.png")) for s in people[:10]]
    marked, depths = hold_out_groups([people, scenes], tmp_path / "cache")
    assert [s.id for s in depths if s.held_out] == ["03"]
    assert [s.held_out for s in depths] == [s.held_out for s in marked[:10]]


def test_groups_across_folders_go_to_one_side() -> None:
    # two folders of 4, one to hold out in each: 7 is of the sitting of 0
    assert last_groups([4, 4], [[0, 7]], [1, 1]) == {0, 7}
    assert last_groups([4, 4], [[0, 7]], [0, 1]) == {6}


def test_one_sitting_alone_has_no_mark(tmp_path: Path) -> None:
    files = [tmp_path / f"{k}.png" for k in range(4)]
    for k, file in enumerate(files):
        cv2.imwrite(str(file), shot(data.astronaut()[:320, :240], float(k)))
    (marked,) = hold_out_groups([[Sample(f.stem, f, f) for f in files]], tmp_path / "cache")
    assert not any(s.held_out for s in marked)


def test_groups_are_looked_for_once_until_a_photo_changes(
    album: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = groups_kept(album, tmp_path / "cache")
    with monkeypatch.context() as unread:
        unread.setattr("portraiture.training.data.own_groups.read_photo", None)
        assert groups_kept(album, tmp_path / "cache") == first
    cv2.imwrite(str(album[5]), scene(99))
    assert groups_kept(album, tmp_path / "cache") == [[3, 19], [17, 18]]
