"""``portraiture pairs`` from the command line."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.cli import group
from portraiture.training.rendered.files import list_pairs, read_settings


def run(*options: object) -> None:
    group.main(["pairs", *map(str, options)], standalone_mode=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos with masks and maps."""
    for name in ("photos", "masks", "maps"):
        (tmp_path / name).mkdir()
    for k in range(2):
        add_photo(tmp_path, k)
    return tmp_path


def add_photo(folder: Path, k: int) -> None:
    """A photo with its mask and maps."""
    rgb = np.random.default_rng(k).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    mask = np.zeros((80, 60), np.uint8)
    mask[30:, 20:40] = 255
    cv2.imwrite(str(folder / f"photos/{k}.png"), rgb)
    cv2.imwrite(str(folder / f"masks/{k}.png"), mask)
    cv2.imwrite(str(folder / f"maps/{k}_mask.png"), mask)
    np.save(folder / f"maps/{k}_depth.npy", np.linspace(0, 1, 4800, dtype=np.float32).reshape(80, 60))


def test_renders_all_photos_then_finds_them_there(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--photos", photos / "photos", "--masks", photos / "masks", "--maps", photos / "maps", "--size", "64x48")
    run(*options, "-o", photos / "out", "--settings", 2, "--workers", 2)
    assert "2 pairs written, 0 were there" in capsys.readouterr().out
    assert [p.name for p in list_pairs(photos / "out")] == ["photo_0", "photo_1"]
    assert len(read_settings(photos / "out/photo_0")) == 2
    run(*options, "-o", photos / "out", "--settings", 2, "--workers", 2)
    assert "0 pairs written, 2 were there" in capsys.readouterr().out
    with pytest.raises(OptionError, match="expected settings 2"):
        run(*options, "-o", photos / "out", "--settings", 3)


@pytest.mark.parametrize("bad", [(0,), (1,), (0, 2)])
def test_photos_that_fail_are_listed_after_the_others(
    photos: Path, capsys: pytest.CaptureFixture[str], bad: tuple[int, ...]
) -> None:
    add_photo(photos, 2)
    for k in bad:
        (photos / f"photos/{k}.png").write_bytes(b"")
    options = ("--photos", photos / "photos", "--maps", photos / "maps", "--size", "64x48", "--workers", 1)
    with pytest.raises(
        InputError, match=rf"expected 3 photos to work, found {len(bad)} that failed .*those photos again"
    ):
        run(*options, "-o", photos / "out", "--grid")
    assert [p.name for p in list_pairs(photos / "out")] == [f"photo_{k}" for k in range(3) if k not in bad]
    assert all(len(read_settings(pair)) == 13 for pair in list_pairs(photos / "out"))
    assert sorted(p.name for p in (photos / "out").iterdir() if p.name != "pairs.json") == [
        f"photo_{k}" for k in range(3) if k not in bad
    ]
    listed = [line for line in capsys.readouterr().err.splitlines() if "photos/" in line]
    assert [line.split(": expected a JPEG")[0] for line in listed] == [str(photos / f"photos/{k}.png") for k in bad]


def test_all_photos_bad_writes_no_pair_and_lists_each(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(2):
        (photos / f"photos/{k}.png").write_bytes(b"no photo")
    options = ("--photos", photos / "photos", "--maps", photos / "maps", "--size", "64x48", "--workers", 1)
    with pytest.raises(InputError, match="expected 2 photos to work, found 2 that failed"):
        run(*options, "-o", photos / "out")
    assert [p.name for p in (photos / "out").iterdir()] == ["pairs.json"]
    assert len([line for line in capsys.readouterr().err.splitlines() if "expected a JPEG" in line]) == 2


def test_one_bad_photo_alone_is_one_line(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "photos/1.png").unlink()
    (photos / "photos/0.png").write_bytes(b"no photo")
    options = ("--photos", photos / "photos", "--maps", photos / "maps", "--size", "64x48", "--workers", 1)
    with pytest.raises(InputError, match=r"^\S*0\.png: expected a JPEG"):
        run(*options, "-o", photos / "out")
    assert "expected" not in capsys.readouterr().err


def test_a_photo_without_maps_leaves_the_others(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "maps/1_depth.npy").unlink()
    options = ("--photos", photos / "photos", "--maps", photos / "maps", "--size", "64x48", "--workers", 1)
    with pytest.raises(InputError, match="expected 2 photos to work, found 1 that failed"):
        run(*options, "-o", photos / "out")
    assert [p.name for p in list_pairs(photos / "out")] == ["photo_0"]
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "expected a map" in line]
    assert line.startswith(f"{photos / 'photos/1.png'}: ")
    assert "1_depth.npy" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dataset", "ccp", "--masks", "x"), "--masks: expected no --dataset"),
        (("--maps", "x", "--perception", "y"), "--weights: expected no --maps"),
        (("--scheduler", "tcp://a:1", "--workers", 2), "--workers: expected no --scheduler"),
        (("--size", "500"), "--size: expected HxW"),
    ],
)
def test_options_that_conflict_raise(tmp_path: Path, options: tuple[object, ...], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        run("--photos", tmp_path, "-o", tmp_path / "out", *options)


def test_a_folder_without_photos_or_maps_raises(photos: Path) -> None:
    with pytest.raises(InputError, match="expected a folder of photos, found none"):
        run("--photos", photos / "out", "--maps", photos / "maps", "-o", photos / "out")
    for k in range(2):
        (photos / f"maps/{k}_depth.npy").unlink()
    with pytest.raises(InputError, match=r"0_depth\.npy, found none"):
        run("--photos", photos / "photos", "--maps", photos / "maps", "-o", photos / "out")


def test_weights_that_do_not_fit_are_told_before_any_photo(photos: Path) -> None:
    (photos / "w.safetensors").write_bytes(b"none")
    with pytest.raises(InputError, match=r"w\.safetensors"):
        run("--photos", photos / "photos", "--perception", photos / "w.safetensors", "-o", photos / "out")
    assert not (photos / "out").exists()
