"""Scenes of photos: seeded, valid for the simulator, and refused in one line where a folder is missing."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat
from skimage import data

from portraiture.reference.errors import InputError
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, all_in_focus, scene_mask, simulate
from portraiture.tools.evaluate import photo_scenes as module
from portraiture.tools.evaluate.photo_scenes import Scene, list_photos, photo_scenes

SHAPE = (80, 60)


def _write_person(folder: Path, names: tuple[str, str], mask_name: str, key: str, rng: np.random.Generator) -> None:
    """The astronaut, so that the network finds somebody, with noise; her mask is an oval for head and one for body."""
    photo = data.astronaut()[:, 40:400].astype(np.float64)
    photo = np.clip(photo + rng.normal(0, 4, photo.shape), 0, 255).astype(np.uint8)[..., ::-1]
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    head, body = np.hypot((x - 180) / 65, (y - 110) / 100), np.hypot((x - 180) / 125, (y - 430) / 220)
    person = np.minimum(head, body) < 1
    (folder / names[1]).mkdir(parents=True, exist_ok=True)
    (folder / names[0].split("/")[0]).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / names[0]), photo)
    savemat(folder / names[1] / mask_name, {key: person.astype(np.uint8)})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small folders in the layouts of the four datasets."""
    root = tmp_path_factory.mktemp("datasets")
    rng = np.random.default_rng(0)
    for i in range(8):  # of which the last two of each set are held out
        _write_person(root / "ccp", (f"photos/{i:04}.jpg", "pixel-level"), f"{i:04}.mat", "groundtruth", rng)
        folders = (f"images_data_crop/{i:05}.jpg", "images_mask")
        _write_person(root / "shen2016", folders, f"{i:05}_mask.mat", "mask", rng)
    for folder in ("bsds500", "nyu/nyu_images"):
        (root / folder).mkdir(parents=True)
        for i in range(3):
            coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
            cv2.imwrite(str(root / folder / f"{i}.jpg"), cv2.resize(coarse, (160, 120)))
    return root


@pytest.fixture(scope="module")
def scenes(root: Path) -> list[Scene]:
    """Four scenes: two of each set of people, one of them with lights."""
    return list(photo_scenes(*list_photos(root), 4, 7, SHAPE))


def test_equal_seeds_give_equal_scenes(root: Path, scenes: list[Scene]) -> None:
    again = list(photo_scenes(*list_photos(root), 3, 7, SHAPE))
    other = list(photo_scenes(*list_photos(root), 1, 8, SHAPE))
    for (ours, _), (theirs, _) in zip(scenes, again, strict=False):
        assert [layer.depth for layer in ours] == [layer.depth for layer in theirs]
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.rgb, b.rgb)
            np.testing.assert_array_equal(a.alpha, b.alpha)
    assert [layer.depth for layer in scenes[0][0]] != [layer.depth for layer in other[0][0]]


def test_layers_are_valid_for_the_simulator(scenes: list[Scene]) -> None:
    for layers, person in scenes:
        depths = [layer.depth for layer in layers]
        assert depths == sorted(depths, reverse=True)
        assert depths[0] == 1.0
        assert (layers[0].alpha == 1).all()
        assert (person, depths[person]) == (len(layers) - 1, PERSON_DEPTH)
        assert 2 <= len(layers) - 2 <= 4
        assert all(0.45 <= depth <= 0.9 for depth in depths[1:-1])
        assert {layer.alpha.shape for layer in layers} == {SHAPE}
        assert 0.1 < scene_mask(layers, person).mean() < 0.6
        assert np.isfinite(simulate(layers, PERSON_DEPTH, 0.016)).all()


def test_half_the_scenes_have_lights_that_a_photo_clips(scenes: list[Scene]) -> None:
    assert [layers[0].rgb.max() > 1 for layers, _ in scenes] == [True, True, False, False]


def test_the_person_carries_no_old_background(scenes: list[Scene]) -> None:
    """The soft edge has the hue of the person, red over blue, and not that of the old background, blue over red."""
    for layers, person in scenes:
        edge = (layers[person].alpha > 0.2) & (layers[person].alpha < 0.8)
        if edge.any():
            red, _, blue = layers[person].rgb[edge].mean(axis=0)
            assert red > blue
        assert all_in_focus(layers).shape == (*SHAPE, 3)


def test_a_near_duplicate_of_a_trained_room_is_no_background(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, before = list_photos(root)
    (room,) = [p for p in before if p.parent.name == "nyu_images"]
    monkeypatch.setattr(module, "in_training", lambda: frozenset({("nyu", room.stem)}))
    _, after = list_photos(root)
    assert set(before) - set(after) == {room}


def test_a_missing_folder_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "ccp").symlink_to(root / "ccp")
    with pytest.raises(InputError, match="found no shen2016, bsds500, nyu"):
        list_photos(tmp_path)


def _evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portraiture.tools.cli", "evaluate", "render", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dataset", "simulated-photos"), "--root"),
        (("--dataset", "simulated-photos", "--root", "nowhere"), "nowhere"),
        (("--dataset", "simulated", "--root", "."), "procedural"),
    ],
)
def test_a_wrong_root_ends_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = _evaluate(*arguments)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2
    assert len(lines) == 1
    assert lines[0].startswith("portraiture:")
    assert said in lines[0]


@pytest.mark.slow
def test_the_command_writes_table_sheet_and_figures(root: Path, tmp_path: Path) -> None:
    sheet, figures = tmp_path / "sheet.png", tmp_path / "figures.json"
    done = _evaluate(
        "--dataset", "simulated-photos", "--root", root, "--scenes", 1, "--sheet", sheet, "--json", figures
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("| occlusion |")
    assert figures.is_file()
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[1] > 9 * 375
