"""Files and folders appear whole or not at all, and leave nothing behind."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.files import LEFTOVERS, new_file, new_folder, read_bytes, write_json, write_text, write_whole


def test_a_file_is_written_with_the_rights_of_any_new_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", lambda file: file.write(b"abc"))
    (tmp_path / "b").write_bytes(b"abc")
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_writer_that_exchanges_the_file_keeps_the_rights(tmp_path: Path) -> None:
    with new_file(tmp_path / "a") as temporary:
        temporary.unlink()
        temporary.touch(mode=0o600)  # as safetensors does
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o400


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")

    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=r"a\.json: expected to write here, found: No space left on device; check"):
        write_whole(tmp_path / "a.json", full)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_what_is_half_written_is_hidden_and_found_as_a_leftover(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.json") as file, new_folder(tmp_path / "pair") as folder:
        assert sorted(tmp_path.glob(LEFTOVERS)) == sorted([file, folder])
        assert sorted(tmp_path.iterdir()) == sorted([file, folder])  # nothing under its name yet
        file.write_text("1")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "pair"]


def test_two_writers_of_one_name_do_not_meet(tmp_path: Path) -> None:
    with new_file(tmp_path / "a") as first, new_file(tmp_path / "a") as second:
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"  # the outer block ends last


def test_text_is_utf_8_and_json_has_sorted_keys(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "größe\n")
    assert (tmp_path / "a").read_bytes() == "größe\n".encode()
    write_json(tmp_path / "b", {"z": [1, None], "a": "ö"})
    assert list(json.loads((tmp_path / "b").read_text()).items()) == [("a", "ö"), ("z", [1, None])]
    assert (tmp_path / "b").read_text().endswith("\n")


@pytest.mark.parametrize("where", ["absent/a.txt", "file/a.txt"])
def test_no_folder_to_write_in_is_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"a\.txt: expected to write here, found: .*; check the folder"):
        write_text(tmp_path / where, "x")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def stop(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "deep/pair") as folder:
        stop(folder)
    assert not list((tmp_path / "deep").iterdir())
    with new_folder(tmp_path / "deep/pair") as folder:
        (folder / "whole").touch()
    assert [p.name for p in (tmp_path / "deep/pair").iterdir()] == ["whole"]


def test_the_second_of_two_folders_gives_way(tmp_path: Path) -> None:
    with new_folder(tmp_path / "pair") as folder:
        (folder / "mine").touch()
        (tmp_path / "pair").mkdir()
        (tmp_path / "pair" / "theirs").touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["pair", "theirs"]


def test_a_file_in_a_folders_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pair").touch()
    with (
        pytest.raises(InputError, match=r"pair: expected to write here, found: .*; check"),
        new_folder(tmp_path / "pair"),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["pair"]


def test_reading_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a map, found a folder; name a file inside it"):
        read_bytes(tmp_path, "a map")
    with pytest.raises(InputError, match="expected a map, found no such file; check the path"):
        read_bytes(tmp_path / "absent", "a map")


def test_a_name_that_is_too_long_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shorten the name"):
        write_text(tmp_path / ("n" * 300), "text")
