"""The photos of a folder, and some of them evenly spread."""

from pathlib import Path

import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.photo.folder import PHOTO_SUFFIXES, photos_in, spread
from portraiture.reference.photo.read import FORMATS


def test_photos_are_sorted_and_all_else_left_out(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.bmp", "c.Tiff", ".hidden.jpg", "notes.txt", "raw.nef", "no-suffix"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    assert [p.name for p in photos_in(tmp_path, "--photos")] == ["a.bmp", "b.JPG", "c.Tiff"]


def test_a_link_to_nothing_is_listed_so_that_reading_it_tells(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "absent.jpg")
    assert [p.name for p in photos_in(tmp_path, "--photos")] == ["a.jpg"]


def test_a_folder_without_photos_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(
        InputError, match=r"^--photos: expected photos \(.jpg .* found none; name a folder that has some"
    ):
        photos_in(tmp_path, "--photos")
    for absent in (tmp_path / "absent", tmp_path / "notes.txt"):
        with pytest.raises(InputError, match=r"^--calibrate: expected a folder of photos, found none at .*; check"):
            photos_in(absent, "--calibrate")


def test_every_format_that_is_read_has_an_ending() -> None:
    from PIL import Image

    from portraiture.reference.photo.iso import register_heif

    Image.init()
    register_heif()
    endings = {Image.registered_extensions().get(suffix) for suffix in PHOTO_SUFFIXES}
    assert endings == set(FORMATS)


@pytest.mark.parametrize(("count", "limit"), [(72, 40), (72, 25), (10, 9), (3, 2), (5, 5), (1000, 7)])
def test_a_limit_takes_so_many_of_the_whole_list(count: int, limit: int) -> None:
    taken = spread(range(count), limit)
    assert len(taken) == limit
    gaps = [b - a for a, b in zip(taken, [*taken[1:], count], strict=True)]
    assert max(gaps) - min(gaps) <= 1  # with no gap at the end: 40 of 72 are not ids 0 to 39


def test_all_are_taken_where_there_are_no_more() -> None:
    assert spread([1, 2], None) == spread([1, 2], 2) == spread([1, 2], 9) == [1, 2]
    assert spread([], 3) == []
