"""PointPairs: rendered as the reference renders, whole or not there, the same however they are made."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens import LEARNT_APERTURE
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.plan import choose_mode
from portraiture.reference.render import render
from portraiture.reference.settings import Mode, RenderSettings
from portraiture.training.rendered import files as pair_files
from portraiture.training.rendered import jobs as pair_jobs
from portraiture.training.rendered.files import list_pairs, read_pair, remove_stale, write_pair
from portraiture.training.rendered.jobs import JobStatus, Outcome, PairJob, make_pair, unfinished
from portraiture.training.rendered.options import PairOptions, claim
from portraiture.training.rendered.render import render_targets
from portraiture.training.rendered.settings import (
    GRID_APERTURES,
    PAPER_SETTING,
    LensSetting,
    drawn_settings,
    grid_settings,
)
from portraiture.training.rendered.workers import over_dask, over_processes
from portraiture.training.weights import SHIPPED_PERCEPTION

H, W = 64, 48
OPTIONS = PairOptions(H, W, 2)


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo 80x60x3 uint8, mask and depth 80x60 in 0..1."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (80, 60, 3), dtype=np.uint8)
    mask = np.zeros((80, 60))
    mask[30:, 20:40] = 1
    depth = np.where(mask > 0, 0.2, np.linspace(1, 0.3, 80)[:, None]).astype(np.float32)
    return rgb, mask, depth


def write_photos(root: Path, count: int = 3) -> list[PairJob]:
    """Photos with true masks and maps, and the jobs that render them."""
    jobs = []
    for k in range(count):
        rgb, mask, depth = scene(k)
        photo = root / "photos" / f"{k}.png"
        for folder in ("photos", "masks", "maps"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(photo), rgb[..., ::-1])
        cv2.imwrite(str(root / "masks" / f"{k}.png"), (mask * 255).astype(np.uint8))
        cv2.imwrite(str(root / "maps" / f"{k}_mask.png"), (mask * 200).astype(np.uint8))
        np.save(root / "maps" / f"{k}_depth.npy", depth)
        maps = (root / "maps" / f"{k}_mask.png", root / "maps" / f"{k}_depth.npy")
        true = root / "masks" / f"{k}.png"
        jobs.append(PairJob(f"photo_{k}", photo, true, maps, root / "none", root / "pairs", OPTIONS))
    return jobs


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("selfie", [False, True])
def test_targets_are_the_references_own_pictures(selfie: bool) -> None:
    rgb, mask, depth = scene(0)
    if not selfie:
        mask[-1] = 0  # no part of the bottom row is the person's
    assert choose_mode(mask, depth) is (Mode.SELFIE if selfie else Mode.FULL_BODY)
    settings = (PAPER_SETTING, LensSetting(0.04, 0.5), LensSetting(0.0))
    targets = render_targets(rgb, mask, depth, settings)
    assert targets.dtype == np.uint16
    for setting, target in zip(settings, targets, strict=True):
        focus = None if setting.focus < 0 else setting.focus
        options = RenderSettings(aperture=setting.aperture, focus=focus)
        expected = render(rgb, mask, depth.astype(np.float64), options)
        np.testing.assert_allclose(target / 65535, expected, rtol=0, atol=1 / 65535)
    np.testing.assert_allclose(targets[2] / 65535, rgb / 255, rtol=0, atol=1 / 65535)


def test_drawn_settings_begin_with_the_papers_and_stay_in_range() -> None:
    _, mask, depth = scene(0)
    drawn = [drawn_settings(mask, depth, 4, np.random.default_rng(seed)) for seed in range(40)]
    assert all(s[0] == PAPER_SETTING and s[1].focus == FOCUS_ON_PERSON for s in drawn)
    apertures = [s.aperture for found in drawn for s in found[1:]]
    assert 0 <= min(apertures) < 0.25 * LEARNT_APERTURE
    assert 0.75 * LEARNT_APERTURE < max(apertures) <= LEARNT_APERTURE
    focused = [s.focus for found in drawn for s in found[2:] if s.focus >= 0]
    assert 10 < len(focused) <= 80
    assert 0 <= min(focused) <= max(focused) <= 1


def test_the_grid_has_four_apertures_at_three_focus_depths() -> None:
    _, mask, depth = scene(0)
    paper, *grid = grid_settings(mask, depth)
    assert paper == PAPER_SETTING
    assert {s.aperture for s in grid} == set(GRID_APERTURES)
    assert len({s.focus for s in grid}) == 3
    assert len(grid) == 12


def test_a_pair_comes_back_as_it_was_rendered(tmp_path: Path) -> None:
    (job,) = write_photos(tmp_path, 1)
    assert make_pair(job) == Outcome("photo_0", JobStatus.WRITTEN)
    pair = read_pair(tmp_path / "pairs/photo_0")
    assert pair.rgb.shape == (H, W, 3)
    assert len(pair.targets) == OPTIONS.settings
    again = render_targets(pair.rgb, pair.mask / 255, pair.depth / 65535, pair.settings)
    np.testing.assert_array_equal(pair.targets, again)


def test_true_and_predicted_masks_are_mixed_by_their_share(tmp_path: Path) -> None:
    (job,) = write_photos(tmp_path, 1)
    for share, expected, largest in ((0.0, "predicted", 200), (1.0, "true", 255)):
        output = tmp_path / expected
        make_pair(replace(job, output=output, options=replace(OPTIONS, true_share=share)))
        assert json.loads((output / "photo_0/pair.json").read_text())["mask"] == expected
        assert read_pair(output / "photo_0").mask.max() == largest


def test_a_pair_that_exists_is_skipped_and_other_options_are_refused(tmp_path: Path) -> None:
    jobs = write_photos(tmp_path)
    claim(tmp_path / "pairs", OPTIONS)
    make_pair(jobs[1])
    assert [j.name for j in unfinished(jobs)] == ["photo_0", "photo_2"]
    claim(tmp_path / "pairs", OPTIONS)
    with pytest.raises(OptionError, match=r"expected seed 0 .* found 1"):
        claim(tmp_path / "pairs", replace(OPTIONS, seed=1))


def test_a_run_that_is_killed_leaves_no_half_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = write_photos(tmp_path, 1)
    write, written = pair_files._write, []

    def killed(path: Path, image: np.ndarray) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        write(path, image)

    monkeypatch.setattr(pair_files, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        make_pair(job)
    monkeypatch.undo()
    assert not list((tmp_path / "pairs").iterdir())
    assert unfinished([job]) == [job]
    make_pair(job)
    assert list_pairs(tmp_path / "pairs") == [tmp_path / "pairs/photo_0"]


def test_hidden_leftovers_are_no_pairs_and_go_when_they_are_old(tmp_path: Path) -> None:
    for name in (".a.1.tmp", ".b.2.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pair.json").write_text("{}")
    os.utime(tmp_path / ".a.1.tmp", (0, 0))
    with pytest.raises(InputError, match="found none"):
        list_pairs(tmp_path)
    remove_stale(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".b.2.tmp"]


def test_the_second_of_two_writers_gives_way(tmp_path: Path) -> None:
    (job,) = write_photos(tmp_path, 1)
    make_pair(job)
    before = files_of(tmp_path / "pairs")
    pair = read_pair(tmp_path / "pairs/photo_0")
    write_pair(tmp_path / "pairs", "photo_0", replace(pair, rgb=255 - pair.rgb), {})
    assert files_of(tmp_path / "pairs") == before


@pytest.mark.parametrize("name", ["target_1.png", "pair.json", "depth.png", "mask.png"])
def test_damage_is_one_line(tmp_path: Path, name: str) -> None:
    (job,) = write_photos(tmp_path, 1)
    make_pair(job)
    path = tmp_path / "pairs/photo_0" / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="expected"):
        read_pair(path.parent)


def test_a_photo_without_a_person_and_a_damaged_one_stop_nothing(tmp_path: Path) -> None:
    first, second, _ = write_photos(tmp_path)
    cv2.imwrite(str(first.maps[0]), np.zeros((80, 60), np.uint8))  # type: ignore[index]
    assert make_pair(replace(first, true_mask=None)).status is JobStatus.NO_PERSON
    second.photo.write_bytes(b"no photo")
    outcome = make_pair(second)
    assert outcome.status is JobStatus.FAILED
    assert "expected a JPEG" in outcome.message


def test_processes_write_what_one_writes(tmp_path: Path) -> None:
    jobs = write_photos(tmp_path)
    for job in jobs:
        make_pair(job)
    there = [replace(j, output=tmp_path / "there") for j in jobs]
    assert sorted(o.name for o in over_processes(make_pair, there, 2)) == [j.name for j in jobs]
    assert files_of(tmp_path / "there") == files_of(tmp_path / "pairs")


@pytest.fixture
def scheduler() -> Iterator[Any]:
    """A Dask cluster of two workers, each a process; ``scheduler_address`` is its scheduler's."""
    distributed = pytest.importorskip("distributed", reason="needs dask[distributed]: the extra portraiture[dask]")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.filterwarnings("default")
def test_dask_writes_what_one_process_writes(tmp_path: Path, scheduler: Any) -> None:
    jobs = write_photos(tmp_path)
    for job in jobs:
        make_pair(job)
    there = [replace(j, output=tmp_path / "there") for j in jobs]
    assert sorted(o.name for o in over_dask(make_pair, there, scheduler.scheduler_address)) == [j.name for j in jobs]
    assert files_of(tmp_path / "there") == files_of(tmp_path / "pairs")


@pytest.mark.filterwarnings("default")
def test_dask_goes_on_when_a_worker_is_killed_in_the_middle(tmp_path: Path, scheduler: Any) -> None:
    jobs, folder = write_photos(tmp_path, 6), tmp_path / "begun"
    folder.mkdir()

    def slowly(job: PairJob) -> Outcome:  # travels by value: it says who does the job, and leaves time to be killed
        (folder / f"{job.name} {os.getpid()}").touch()
        time.sleep(1)
        return make_pair(job)

    outcomes, killed = [], 0
    for outcome in over_dask(slowly, jobs, scheduler.scheduler_address):
        outcomes.append(outcome)
        if not killed:
            # the other worker is in the middle of its job: the one that has just ended is not begun again
            begun = {path.name.split()[0]: int(path.name.split()[1]) for path in folder.iterdir()}
            killed = next(pid for name, pid in begun.items() if name != outcome.name)
            os.kill(killed, signal.SIGKILL)
    assert sorted((o.name, o.status) for o in outcomes) == [(j.name, JobStatus.WRITTEN) for j in jobs]
    again = [name for name, n in Counter(path.name.split()[0] for path in folder.iterdir()).items() if n > 1]
    assert again  # the job that was lost with its worker
    here = [replace(j, output=tmp_path / "here") for j in jobs]
    for job in here:
        make_pair(job)
    assert files_of(tmp_path / "pairs") == files_of(tmp_path / "here")


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"pip install 'portraiture\[dask\]'"):
        list(over_dask(make_pair, [], "tcp://127.0.0.1:1"))


def test_the_network_is_digested_by_its_content(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a weights file"):
        pair_jobs.weights_digest(tmp_path / "none")


def test_the_network_predicts_at_any_size() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (50, 30, 3), dtype=np.uint8)
    mask, depth = pair_jobs._network(SHIPPED_PERCEPTION, None)(rgb)
    assert mask.shape == depth.shape == (50, 30)
    assert np.isfinite(mask).all()
    assert mask.min() >= 0
    assert depth.max() <= 1
