"""``--limit`` takes photos from the whole list, not its first ones, wherever a command has a limit."""

from pathlib import Path

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.cli import group
from portraiture.tools.evaluate.photos import Photos
from portraiture.tools.training_data import filter_pairs
from portraiture.training.data.datasets import Split
from portraiture.training.data.layouts import Sample
from portraiture.training.recipes import FILTER_RECIPES
from portraiture.training.rendered.jobs import PairJob


@pytest.mark.parametrize("limit", [1, 25, 40, 71])
def test_evaluate_spreads_over_the_ids(limit: int) -> None:
    ids = Photos("ccp", Path("ccp"), Split.ALL, limit).choose(range(72))
    assert len(ids) == limit
    gaps = np.diff([*ids, 72])
    assert gaps.max() - gaps.min() <= 1, ids


def test_evaluate_with_a_higher_limit_or_none_takes_all() -> None:
    for limit in (72, 100, None):
        assert Photos("ccp", Path("ccp"), Split.ALL, limit).choose(range(72)) == list(range(72))


def test_parity_spreads_over_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(5):
        write_photo(tmp_path / f"photos-{k}.png", np.full((16, 16, 3), 40 * k, np.uint8))
    values: list[int] = []

    def run(_: Path, photos: list[np.ndarray], *__: object, **___: object) -> list[object]:
        values.extend(int(photo[0, 0, 0]) for photo in photos)
        return []

    monkeypatch.setattr("portraiture.export.parity.run.run_parity", run)
    group.main(["parity", "bundle", "--photos", str(tmp_path), "--limit", "3"], standalone_mode=False)
    assert values == [int(read_photo(tmp_path / f"photos-{k}.png")[0, 0, 0]) for k in (0, 1, 3)]


def test_training_spreads_its_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half = FILTER_RECIPES["mobile"].held_out // 2
    count = half + half // 2
    samples = [Sample(f"{k:04}", tmp_path / f"{k:04}.jpg", tmp_path / f"{k:04}.png") for k in range(count)]
    found: list[PairJob] = []

    def none_left(jobs: list[PairJob]) -> list[PairJob]:
        found.extend(jobs)
        return []

    monkeypatch.setattr("portraiture.training.data.datasets.list_samples", lambda *_: samples)
    monkeypatch.setattr("portraiture.training.rendered.jobs.unfinished", none_left)
    folders = (f"shen2016={tmp_path}", f"ccp={tmp_path}")
    with pytest.raises(InputError):  # no pair was rendered
        filter_pairs("mobile", folders, tmp_path / "run", None)
    names = [job.name for job in found]
    assert names[half - 1] == f"shen2016_{(half - 1) * count // half:04}"
    assert len(names) == 2 * half
