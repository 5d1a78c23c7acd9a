"""Baidu-style profiles, depth maps of a plain folder, and what is said when files do not belong together."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError, OptionError
from portraiture.training.data.datasets import Split, list_depths, list_samples
from portraiture.training.data.labels import check_label_size, read_depth, read_mask
from portraiture.training.data.layouts import Sample


def write(path: Path, image: np.ndarray | int = 0) -> None:
    """A picture, by default a flat grey one of 12x10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((12, 10), image, np.uint8) if isinstance(image, int) else image
    assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])


def refused(root: Path, dataset: str, *said: str, depths: bool = False) -> None:
    with pytest.raises(InputError) as error:
        (list_depths if depths else list_samples)(dataset, root)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(dataset)
    for part in ("expected", *said):
        assert part in message, message


def baidu(root: Path, *names: str) -> Path:
    for name in names:
        write(root / f"images/{name}.jpg", 90)
        write(root / f"profiles/{name}-profile.jpg", 200)
    return root


def rooms(root: Path, *names: str) -> Path:
    for name in names:
        write(root / f"images/{name}.jpg", 90)
        write(root / f"depths/{name}.png", 40)
    return root


def test_baidu_pairs_a_photo_with_its_profile(tmp_path: Path) -> None:
    found = list_samples("baidu", baidu(tmp_path, "b", "a"))
    assert [(s.id, s.photo.name, s.label.name) for s in found] == [
        ("a", "a.jpg", "a-profile.jpg"),
        ("b", "b.jpg", "b-profile.jpg"),
    ]


def test_a_baidu_profile_is_a_person_from_128_on(tmp_path: Path) -> None:
    steps = np.repeat(np.array([0, 120, 136, 255], np.uint8), 8)[None].repeat(16, axis=0)
    baidu(tmp_path, "a")
    write(tmp_path / "profiles/a-profile.jpg", steps)
    mask = read_mask(list_samples("baidu", tmp_path)[0].label)
    assert mask.shape == (16, 32)
    assert np.array_equal(mask, steps >= 128)
    write(tmp_path / "grey.png", np.array([[127, 128]], np.uint8))
    assert read_mask(tmp_path / "grey.png").tolist() == [[False, True]]


def test_baidu_misfits_are_named(tmp_path: Path) -> None:
    refused(tmp_path, "baidu", "images", "--root")
    (tmp_path / "images").mkdir()
    refused(tmp_path, "baidu", "profiles", "--root")
    (tmp_path / "profiles").mkdir()
    refused(tmp_path, "baidu", "photos, found none")
    baidu(tmp_path, "a", "b")
    (tmp_path / "profiles/b-profile.jpg").unlink()
    refused(tmp_path, "baidu", "1 photos have no label", "b-profile.jpg")
    baidu(tmp_path, "b")
    write(tmp_path / "profiles/c.jpg")
    refused(tmp_path, "baidu", "NAME-profile.jpg", "c.jpg", "rename")
    (tmp_path / "profiles/c.jpg").unlink()
    write(tmp_path / "images/d.png")
    refused(tmp_path, "baidu", "NAME.jpg", "d.png", "rename")


def test_hidden_files_are_no_photos(tmp_path: Path) -> None:
    baidu(tmp_path, "a")
    rooms(tmp_path, "a")
    (tmp_path / "images/.DS_Store").write_bytes(b"x")
    (tmp_path / "depths/.DS_Store").write_bytes(b"x")
    assert len(list_samples("baidu", tmp_path)) == len(list_depths("folder", tmp_path)) == 1


def test_a_folder_has_depths_beside_masks(tmp_path: Path) -> None:
    rooms(tmp_path, *(f"{k:02d}" for k in range(20)))
    found = list_depths("folder", tmp_path)
    assert [s.label.relative_to(tmp_path).as_posix() for s in found[:2]] == ["depths/00.png", "depths/01.png"]
    assert list_depths("folder", tmp_path, Split.VALIDATION) == found[17:]
    refused(tmp_path, "folder", "masks")  # the same name among the sets of masks
    for sample in found:
        write(tmp_path / "masks" / sample.label.name)
    assert list_samples("folder", tmp_path)[0].label == tmp_path / "masks/00.png"


def test_depth_sets_are_listed_where_another_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="one of nyu, folder"):
        list_depths("ccp", tmp_path)


def test_folder_misfits_are_named(tmp_path: Path) -> None:
    refused(tmp_path, "folder", "images", "--root", depths=True)
    rooms(tmp_path, "a", "b")
    (tmp_path / "depths/b.png").rename(tmp_path / "depths/c.png")
    refused(tmp_path, "folder", "1 photos have no label", "b.png", depths=True)
    rooms(tmp_path, "b", "c")
    write(tmp_path / "depths/b.jpg")
    refused(tmp_path, "folder", ".png", "b.jpg", depths=True)
    (tmp_path / "depths/b.jpg").unlink()
    write(tmp_path / "images/a.png")
    refused(tmp_path, "folder", "one file per stem", "a.jpg and a.png", depths=True)
    (tmp_path / "images/a.png").unlink()
    (tmp_path / "images/notes.txt").write_text("x")
    refused(tmp_path, "folder", "notes.txt", ".jpg", depths=True)


def test_two_masks_of_one_stem_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "images/a.jpg")
    write(tmp_path / "masks/a.png")
    write(tmp_path / "masks/a.bmp")
    refused(tmp_path, "folder", "one file per stem", "a.bmp and a.png")


def test_depths_of_16_bits_keep_their_order(tmp_path: Path) -> None:
    rooms(tmp_path, "a")
    write(tmp_path / "depths/a.png", np.array([[0, 255, 256, 65535]], np.uint16))
    assert read_depth(list_depths("folder", tmp_path)[0].label).tolist() == [[0, 255, 256, 65535]]


def test_a_label_of_another_size_is_named_with_both_sizes() -> None:
    sample = Sample("a", Path("images/a.jpg"), Path("masks/a.png"))
    check_label_size(sample, np.zeros((12, 10, 3)), np.zeros((12, 10)))
    for shape in ((10, 12), (12, 11), (6, 5)):
        with pytest.raises(InputError, match=rf"masks/a\.png: expected 12x10 .*a\.jpg, found {shape[0]}x{shape[1]}"):
            check_label_size(sample, np.zeros((12, 10, 3)), np.zeros(shape))
