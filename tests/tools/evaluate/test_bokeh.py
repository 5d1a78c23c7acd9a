"""The renderers against a camera: a simulated camera, its lens traced by many pinholes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.thin_lens import ThinLens
from portraiture.reference.photo.write import write_photo
from portraiture.reference.srgb import to_srgb
from portraiture.tools.commands.evaluate import command
from portraiture.tools.evaluate.bokeh import evaluate_bokeh, read_scene

SHAPE = (120, 180)
FOCAL_MM, SENSOR_MM = 50.0, (22.5, 15.0)
DISTANCES = (6.0, 2.5, 1.2)
"""Of wall, box and person in metres; the person is in focus."""


def layers(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Linear colour HxWx3 and cover HxW of wall with lights, box and person, far to near, each whole."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wall = np.repeat(rng.uniform(0.02, 0.25, (15, 20, 3)), 8, 0).repeat(9, 1)
    for _ in range(12):  # bright, and not clipped: 1 is white
        cv2.circle(wall, (int(rng.integers(10, 170)), int(rng.integers(8, 45))), 1, (1.0, 0.9, 0.7), -1)
    box = np.full((*SHAPE, 3), (0.1, 0.25, 0.5)) * (0.6 + 0.4 * ((x // 6 + y // 6) % 2))[..., None]
    person = np.full((*SHAPE, 3), (0.7, 0.12, 0.08)) * (0.5 + 0.5 * ((x // 4) % 2))[..., None]
    on_box = ((x > 15) & (x < 75) & (y > 50)).astype(float)
    on_person = ((((x - 110) / 26.0) ** 2 + ((y - 95) / 52.0) ** 2) < 1).astype(float)
    return [(wall, np.ones(SHAPE)), (box, on_box), (person, on_person)]


def through_pinholes(drawn: list[tuple[np.ndarray, np.ndarray]], radii_px: list[float], count: int = 200) -> np.ndarray:
    """The mean of what pinholes all over a round aperture see: each shifts a layer by its own share of the radius."""
    steps = np.arange(count) + 0.5  # a sunflower's seeds: evenly over the disk
    r, turn = np.sqrt(steps / count), steps * np.pi * (3 - np.sqrt(5))
    total = np.zeros((*SHAPE, 3))
    for u, v in zip(r * np.cos(turn), r * np.sin(turn), strict=True):
        seen = np.zeros((*SHAPE, 3))
        for (colour, cover), radius in zip(drawn, radii_px, strict=True):
            shift = np.array([[1, 0, u * radius], [0, 1, v * radius]])
            both = np.dstack([colour * cover[..., None], cover])
            moved = cv2.warpAffine(both, shift, SHAPE[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen = moved[..., :3] + (1 - moved[..., 3:]) * seen
        total += seen / count
    return np.asarray(total)


def write_scene(folder: Path, seed: int, f_numbers: tuple[float, ...] = (1.8, 4.0)) -> None:
    """A scene as a camera would give it; circles of confusion by the textbook's formula, worked out here."""
    folder.mkdir(parents=True)
    drawn = layers(seed)
    write_photo(folder / "photo.png", _coded(through_pinholes(drawn, [0, 0, 0], 1)))
    metres = np.full(SHAPE, DISTANCES[0])
    for (_, cover), distance in zip(drawn[1:], DISTANCES[1:], strict=True):
        metres[cover > 0.5] = distance
    np.save(folder / "depth.npy", metres)
    about = {"focal_mm": FOCAL_MM, "sensor_mm": SENSOR_MM, "focus_m": DISTANCES[2]}
    (folder / "scene.json").write_text(json.dumps(about))
    for n in f_numbers:
        f, s0 = FOCAL_MM / 1000, DISTANCES[2]
        circles_mm = [1000 * f * f / n * abs(s - s0) / (s * (s0 - f)) for s in DISTANCES]
        radii = [c / 2 * SHAPE[1] / SENSOR_MM[0] for c in circles_mm]
        write_photo(folder / f"f{n:g}.png", _coded(through_pinholes(drawn, radii)))


def _coded(linear: np.ndarray) -> np.ndarray:
    return np.rint(to_srgb(np.clip(linear, 0, 1)) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bokeh")
    for seed, f_numbers in enumerate(((1.8, 4.0), (1.8,))):
        write_scene(folder / f"scene_{seed}", seed, f_numbers)
    return folder


def test_what_a_lens_does_is_nearer_to_the_shots_than_equation_10(root: Path) -> None:
    scores = evaluate_bokeh(root, None)
    assert list(scores) == [f"f/{n} {name}" for n in ("1.8", "4") for name in ("photo", "equation (10)", "occlusion")]
    for n in ("1.8", "4"):
        photo, paper, lens = (scores[f"f/{n} {name}"] for name in ("photo", "equation (10)", "occlusion"))
        assert paper["psnr_db"] > photo["psnr_db"] + 3
        assert lens["psnr_db"] > paper["psnr_db"] + 3
        assert lens["edge_psnr_db"] > paper["edge_psnr_db"] + 3
        assert abs(lens["light"] - 1) < 0.02  # the light of the lamps is kept
        assert abs(paper["light"] - 1) < 0.05  # but not by coded values
        assert lens["scenes"] == {"1.8": 2, "4": 1}[n]
    assert scores["f/1.8 photo"]["psnr_db"] < scores["f/4 photo"]["psnr_db"]


def test_a_wrong_lens_is_far_from_the_shots(root: Path, tmp_path: Path) -> None:
    found = []
    for name, focal_mm in (("right", FOCAL_MM), ("long", 1.4 * FOCAL_MM), ("short", 0.7 * FOCAL_MM)):
        folder = tmp_path / name / "scene"
        folder.mkdir(parents=True)
        for path in (root / "scene_1").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        about = json.loads((folder / "scene.json").read_text())
        (folder / "scene.json").write_text(json.dumps({**about, "focal_mm": focal_mm}))
        found.append(evaluate_bokeh(tmp_path / name, None)["f/1.8 occlusion"]["psnr_db"])
    assert found[0] > found[1] + 2
    assert found[0] > found[2] + 2


def test_depth_may_be_millimetres_in_a_png(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    write_scene(folder, 0, (4.0,))
    metres = np.load(folder / "depth.npy")
    (folder / "depth.npy").unlink()
    cv2.imwrite(str(folder / "depth.png"), np.rint(metres * 1000).astype(np.uint16))
    scene = read_scene(folder)
    assert np.array_equal(scene.metres, metres)
    assert scene.lens == {4.0: ThinLens(4.0, FOCAL_MM, SENSOR_MM)}


def test_the_command_prints_a_table(root: Path, tmp_path: Path) -> None:
    arguments = [
        "render",
        "--dataset",
        "bokeh",
        "--root",
        str(root),
        "--limit",
        "1",
        "--json",
        str(tmp_path / "a.json"),
    ]
    done = CliRunner().invoke(command, arguments)
    assert done.exception is None
    assert "| f/1.8 occlusion | 1 |" in done.output
    assert json.loads((tmp_path / "a.json").read_text())["scores"]["f/4 photo"]["scenes"] == 1
    for wrong in (arguments[:3], [*arguments, "--scenes", "2"]):
        assert isinstance(CliRunner().invoke(command, wrong).exception, OptionError)


def test_bad_scenes_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "scene"
    write_scene(folder, 0, (4.0,))
    sound = {p.name: p.read_bytes() for p in folder.iterdir()}

    def refused(name: str, content: bytes | None, match: str) -> None:
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=match):
            evaluate_bokeh(tmp_path / "root", None)
        (folder / name).write_bytes(sound.get(name, b""))

    refused("scene.json", b"{}", "expected JSON with focal_mm, focus_m, sensor_mm")
    refused("scene.json", b"[", "expected JSON with")
    for about, match in (
        ({"focal_mm": "x"}, "expected numbers of a lens"), ({"sensor_mm": 3}, "expected numbers of a lens"),
        ({"focal_mm": 0}, "expected numbers of a lens"), ({"focus_m": -1}, "expected focus_m above 0"),
        ({"focus_m": 0.3}, "expected a part of the scene in focus, found nothing"),
        ({"focal_mm": 1}, "expected a part of the scene in focus, found all of it"),
    ):  # fmt: skip
        refused("scene.json", json.dumps({**json.loads(sound["scene.json"]), **about}).encode(), match)
    refused("photo.png", None, "expected one photo")
    refused("f4.png", None, "expected shots such as")
    refused("depth.npy", b"text", "expected an array of numbers")
    refused("depth.npy", None, "expected distances, found no such file")
    small = np.zeros((20, 20, 3), np.uint8)
    write_photo(tmp_path / "small.png", small)
    refused("f4.png", (tmp_path / "small.png").read_bytes(), "expected the photo's shape")
    np.save(tmp_path / "hole.npy", np.zeros(SHAPE))
    refused("depth.npy", (tmp_path / "hole.npy").read_bytes(), "expected distances above 0")
    with pytest.raises(InputError, match="expected a folder of scenes"):
        evaluate_bokeh(folder, None)
