"""``render`` and ``predict`` over several photos: a bad one leaves the others, and nothing of its own."""

import sys
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.maps import Maps
from portraiture.reference.errors import InputError
from portraiture.reference.photo.write import write_photo
from portraiture.tools import cli
from portraiture.tools.batch import Failures, over_photos

COMMANDS = {
    "render": ("{}_portrait.png",),
    "predict": ("{}_mask.png", "{}_depth.npy", "{}_coarse_mask.png", "{}_coarse_depth.npy"),
}


class FakePipeline:
    """Finds the middle of every photo and returns the photo as its portrait; no network is run."""

    sizes = (Size(64, 64),)

    def offers(self, name: str) -> bool:
        return True

    def perceive(self, rgb: np.ndarray, model: str = "perception") -> Maps:
        mask = np.zeros(rgb.shape[:2], np.float32)
        mask[16:48, 16:48] = 1
        return Maps(mask, mask, rgb, mask, mask, Size(*rgb.shape[:2]))

    def render(self, rgb: np.ndarray, maps: Maps, aperture: float, focus: float) -> np.ndarray:
        return rgb / np.float32(255)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portraiture.tools.open_pipeline.open_pipeline", lambda *_: FakePipeline())


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code of the command, in this process."""
    monkeypatch.setattr(sys, "argv", ["portraiture", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def write_photos(folder: Path, kinds: str) -> list[Path]:
    """A photo for each letter, ``b`` a bad one."""
    paths = []
    for k, kind in enumerate(kinds):
        path = folder / f"p{k}.png"
        write_photo(path, np.full((64, 64, 3), 40 * k, np.uint8))
        if kind == "b":
            path.write_bytes(path.read_bytes()[:60])
        paths.append(path)
    return paths


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What stderr says, without the progress bar."""
    return [line for line in capsys.readouterr().err.splitlines() if line and "photo/s" not in line]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kinds", ["bgg", "gbg", "bgb", "bbb"])
def test_the_good_ones_are_done_and_the_bad_ones_listed(
    command: str, kinds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = write_photos(tmp_path, kinds)
    assert run(monkeypatch, command, *photos, "-o", tmp_path / "out") == 2
    good, bad = ([p for p, kind in zip(photos, kinds, strict=True) if kind == wanted] for wanted in "gb")
    written = {p.name for p in (tmp_path / "out").iterdir()} if good else set()
    assert written == {name.format(p.stem) for p in good for name in COMMANDS[command]}
    assert good or not (tmp_path / "out").exists()
    *listed, last = [line for line in lines_of(capsys) if "expected" in line]
    assert [line.split(": ")[0] for line in listed] == [str(p) for p in bad]
    assert all("expected a whole photo" in line for line in listed)
    assert last.startswith(f"portraiture: expected 3 photos to work, found {len(bad)} that failed")
    assert "do what each line says" in last


@pytest.mark.parametrize("command", COMMANDS)
def test_all_good_is_exit_0_without_a_list(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = write_photos(tmp_path, "ggg")
    assert run(monkeypatch, command, *photos, "-o", tmp_path / "out") == 0
    assert lines_of(capsys) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_one_bad_photo_alone_keeps_its_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (photo,) = write_photos(tmp_path, "b")
    assert run(monkeypatch, command, photo, "-o", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"portraiture: {photo}: expected a whole photo")
    assert not (tmp_path / "out").exists()


def test_maps_that_cannot_all_be_written_leave_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = write_photos(tmp_path, "gg")
    (tmp_path / "out/p0_coarse_depth.npy").mkdir(parents=True)  # in the way of the last of four files
    assert run(monkeypatch, "predict", *photos, "-o", tmp_path / "out") == 2
    (tmp_path / "out/p0_coarse_depth.npy").rmdir()
    assert {p.name for p in (tmp_path / "out").iterdir()} == {n.format("p1") for n in COMMANDS["predict"]}
    line = next(line for line in lines_of(capsys) if "expected to write here" in line)
    assert line.startswith(f"{photos[0]}: {tmp_path / 'out/p0_coarse_depth.npy'}: ")


def test_another_error_is_not_kept_for_the_end(tmp_path: Path) -> None:
    """A fault of ours must not look like a bad photo."""
    done: list[Path] = []

    def work(photo: Path) -> None:
        done.append(photo)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_photos([tmp_path / "a", tmp_path / "b"], work)
    assert done == [tmp_path / "a"]


def test_a_reason_of_several_lines_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work(photo: Path) -> None:
        raise InputError("expected one\nline")

    with pytest.raises(InputError, match="found 2 that failed"):
        over_photos([tmp_path / "a", tmp_path / "b"], work)
    assert lines_of(capsys) == [f"{tmp_path / name}: expected one line" for name in "ab"]


def test_failures_are_listed_in_the_order_of_the_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Processes of ``pairs`` fail in any order."""
    failures = Failures([tmp_path / name for name in "abc"])
    for name in "cab":
        failures.add(tmp_path / name, "bad")
    with pytest.raises(InputError, match="found 3 that failed"):
        failures.end()
    assert lines_of(capsys) == [f"{tmp_path / name}: bad" for name in "abc"]
