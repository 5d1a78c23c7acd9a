"""Depth in the Wild as a set that is trained on: each pair of points becomes two disks of a depth map."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.training.data.cache import photo_with_relative_depth
from portraiture.training.data.datasets import list_depths
from portraiture.training.data.depth_order import DiwRecord, draw_point_pairs
from portraiture.training.data.diw_levels import FARTHER, NEARER, levels_of
from portraiture.training.tasks.people_sets import Folder


@pytest.fixture
def diw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven photos with a pair each, and a record whose photo is not there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "diw"
    (root / "DIW_train").mkdir(parents=True)
    lines = []
    for k in range(7):
        cv2.imwrite(str(root / f"DIW_train/{k}.png"), np.full((60, 80, 3), 30 * k, np.uint8))
        lines += [f"./DIW_train/{k}.png", f"{11 + k},21,51,61,{'<>'[k % 2]},80,60"]
    (root / "DIW_train.csv").write_text("\n".join([*lines, "./DIW_train/lost.png", "1,1,2,2,<,80,60"]) + "\n")
    return root


@pytest.mark.parametrize("relation", [1, -1])
@pytest.mark.parametrize("size", [(60, 80), (120, 160), (30, 40)])
def test_a_pair_is_two_disks_of_its_order(relation: int, size: tuple[int, int]) -> None:
    record = DiwRecord(Path("x"), (10, 20), (50, 60), relation, (60, 80))
    levels = levels_of(record, size)
    scale = size[0] / 60
    a, b = (levels[int(10.5 * scale), int(20.5 * scale)], levels[int(50.5 * scale), int(60.5 * scale)])
    assert (a, b) == ((FARTHER, NEARER) if relation > 0 else (NEARER, FARTHER))
    assert set(np.unique(levels)) == {0, NEARER, FARTHER}
    assert 0 < (levels > 0).mean() < 0.01


def test_points_beside_each_other_keep_their_own_pixels() -> None:
    levels = levels_of(DiwRecord(Path("x"), (30, 40), (30, 43), 1, (60, 80)), (60, 80))
    assert (levels[30, 40], levels[30, 43]) == (FARTHER, NEARER)


def test_pairs_are_drawn_of_the_two_points_alone() -> None:
    levels = levels_of(DiwRecord(Path("x"), (10, 20), (50, 60), 1, (60, 80)), (60, 80))
    pairs = draw_point_pairs(levels, 400, np.random.default_rng(0))
    assert len(pairs.a) > 100
    flat = levels.ravel()
    assert {(int(flat[a]), int(flat[b]), int(r)) for a, b, r in zip(pairs.a, pairs.b, pairs.relation, strict=True)} == {
        (FARTHER, NEARER, 1),
        (NEARER, FARTHER, -1),
    }


def test_a_folder_of_pairs_is_a_set_of_depths(diw: Path) -> None:
    assert Folder(diw).has_depths
    assert not Folder(diw).has_people
    samples = list_depths("folder", diw)
    assert [s.id for s in samples] == [str(k) for k in range(7)]  # the lost photo is left out
    small = photo_with_relative_depth(samples[3], 45, 60)[..., 3]
    assert set(np.unique(small)) == {0, NEARER * 255 // FARTHER, 255}
    again = list_depths("folder", diw)
    assert [s.label for s in again] == [s.label for s in samples]


def test_a_set_without_photos_or_with_other_lines_is_told(diw: Path) -> None:
    (diw / "DIW_train.csv").write_text("./DIW_train/lost.png\n1,1,2,2,<,80,60\n")
    with pytest.raises(InputError, match="expected photos beside it, found none of its own"):
        list_depths("folder", diw)
    (diw / "DIW_train.csv").write_text("./DIW_train/0.png\n1,1,2,2,=,80,60\n")
    with pytest.raises(InputError, match="line 1"):
        list_depths("folder", diw)


def test_depth_is_trained_on_it_alone(diw: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from portraiture.tools.cli import group

    args = ("train", "coarse", "--recipe", "smoke", "--data", f"diw={diw}", "-o", str(tmp_path / "run"))
    result = CliRunner().invoke(group, args, catch_exceptions=False)
    assert result.exit_code == 0
    assert "whdr_diw" in result.output
