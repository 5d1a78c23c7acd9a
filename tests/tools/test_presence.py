"""What ``render`` and ``predict`` do where a mask shows nobody, or a person uncertainly; the measuring command."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.maps import Maps
from portraiture.reference.photo.folder import photos_in
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.reference.presence import Presence, nearest_depth
from portraiture.tools import cli
from portraiture.tools.evaluate import presence as presence_evaluation
from portraiture.tools.evaluate.presence import count_verdicts

SIDE = 96
RENDERERS = [
    ("--renderer", "rnn"),
    *(("--renderer", "crf", "--mode", mode) for mode in ("auto", "selfie", "full-body")),
    ("--renderer", "crf", "--compositing", "occlusion"),
]


class FakePipeline:
    """Takes its mask from the photo's red channel, and keeps the focus that it is asked to render with."""

    sizes = (Size(SIDE, SIDE),)

    def __init__(self) -> None:
        self.focus: float | None = None

    def offers(self, name: str) -> bool:
        return True

    def perceive(self, rgb: np.ndarray, model: str = "perception") -> Maps:
        mask = rgb[..., 0].astype(np.float32) / 255
        depth = np.linspace(0.2, 0.8, mask.size, dtype=np.float32).reshape(mask.shape)
        return Maps(mask, depth, rgb, mask, depth, Size(*mask.shape))

    def render(self, rgb: np.ndarray, maps: Maps, aperture: float, focus: float) -> np.ndarray:
        self.focus = focus
        return rgb / np.float32(255)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    fake = FakePipeline()
    monkeypatch.setattr("portraiture.tools.open_pipeline.open_pipeline", lambda *_: fake)
    return fake


def write_mask_photo(path: Path, value: float, side: int = 40) -> Path:
    """A photo whose mask, as ``FakePipeline`` sees it, is a square of one value; noise in the other channels."""
    photo = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    photo[..., 0] = 0
    photo[20 : 20 + side, 20 : 20 + side, 0] = round(255 * value)
    write_photo(path, photo)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code of the command, in this process."""
    monkeypatch.setattr(sys, "argv", ["portraiture", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.mark.parametrize("options", RENDERERS)
@pytest.mark.parametrize(("value", "side"), [(0, 40), (1, 1), (0.55, 40)])
def test_a_photo_of_nobody_is_refused_in_one_line(
    options: tuple[str, ...], value: float, side: int, pipeline: FakePipeline, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photo = write_mask_photo(tmp_path / "p.png", value, side)
    assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"portraiture: {photo}: expected a person, found none; give --focus X,Y or --mask FILE")
    assert "--anyway" in line
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("options", [options for options in RENDERERS if "selfie" not in options])
@pytest.mark.parametrize(("value", "side"), [(0, 40), (1, 1), (0.55, 40)])
def test_anyway_renders_a_photo_of_nobody(
    options: tuple[str, ...], value: float, side: int, pipeline: FakePipeline, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photo = write_mask_photo(tmp_path / "p.png", value, side)
    assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", "--anyway", *options) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{photo}: no person was found")
    portrait, rgb = (read_photo(path).astype(int) for path in (tmp_path / "out.png", photo))
    assert portrait.shape == rgb.shape
    if "crf" not in options:
        assert pipeline.focus == pytest.approx(nearest_depth(pipeline.perceive(read_photo(photo)).depth))
        assert pipeline.focus == pytest.approx(0.23, abs=0.005)
    else:
        near, far = (np.abs(portrait - rgb)[rows, 64:].mean() for rows in (np.s_[:3], np.s_[-20:]))
        assert near < 1 < far


def test_anyway_and_the_selfie_mode_contradict_each_other(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = write_mask_photo(tmp_path / "p.png", 1)
    options = ("--renderer", "crf", "--mode", "selfie", "--anyway")
    assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", *options) == 2
    assert "--anyway: expected --mode auto or full-body" in capsys.readouterr().err


def test_an_uncertain_person_is_rendered_with_one_line(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = write_mask_photo(tmp_path / "p.png", 0.75)
    assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{photo}: a person was found uncertainly (17")
    assert line.endswith("look at the result, or give --mask FILE")
    assert pipeline.focus is not None
    assert pipeline.focus < 0  # on the person
    assert (tmp_path / "out.png").exists()


def test_a_clear_person_is_rendered_without_a_word(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = write_mask_photo(tmp_path / "p.png", 1)
    for options in ((), ("--anyway",)):
        assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", *options) == 0
        assert capsys.readouterr().err == ""
        assert pipeline.focus is not None
        assert pipeline.focus < 0


def test_a_focus_or_a_mask_of_the_user_is_not_questioned(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = write_mask_photo(tmp_path / "p.png", 0)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[5, 5] = 255
    cv2.imwrite(str(tmp_path / "pixel.png"), mask)
    for options in (("--focus", "50,50"), ("--mask", tmp_path / "pixel.png")):
        assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", *options) == 0
        assert capsys.readouterr().err == ""
    cv2.imwrite(str(tmp_path / "none.png"), mask * 0)
    assert run(monkeypatch, "render", photo, "-o", tmp_path / "out.png", "--mask", tmp_path / "none.png") == 2
    assert "expected a person, found none" in capsys.readouterr().err


def test_in_a_batch_photos_of_nobody_are_listed_and_the_others_rendered(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [write_mask_photo(tmp_path / f"p{k}.png", value) for k, value in enumerate((0, 0.75, 1))]
    assert run(monkeypatch, "render", *photos, "-o", tmp_path / "out") == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["p1_portrait.png", "p2_portrait.png"]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith((str(tmp_path), "portraiture:"))]
    assert [line.split(": ")[1][:26] for line in lines[:2]] == [
        "a person was found uncerta",
        "expected a person, found n",
    ]
    assert "expected 3 photos to work, found 1 that failed" in lines[2]


@pytest.mark.parametrize(("value", "said"), [(0, "no person was found"), (0.75, "a person was found uncertainly")])
def test_predict_writes_its_maps_and_says_what_it_doubts(
    value: float, said: str, pipeline: FakePipeline, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photo = write_mask_photo(tmp_path / "p.png", value)
    assert run(monkeypatch, "predict", photo, "-o", tmp_path / "maps") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{photo}: {said} (")
    assert len(list((tmp_path / "maps").iterdir())) == 4
    write_mask_photo(photo, 1)
    assert run(monkeypatch, "predict", photo, "-o", tmp_path / "maps") == 0
    assert capsys.readouterr().err == ""


def test_verdicts_are_counted_and_the_unwanted_named(
    pipeline: FakePipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value, side in (("a", 0, 1), ("b", 1, 1), ("c", 0.75, 40), ("d", 1, 40)):
        write_mask_photo(tmp_path / f"{name}.png", value, side)
    counts = count_verdicts(photos_in(tmp_path, "--people"), pipeline, Presence.CLEAR)  # type: ignore[arg-type]
    assert counts == {"clear": 1, "uncertain": 1, "absent": 2, presence_evaluation.ANY_PIXEL: 3}
    named = [line for line in capsys.readouterr().err.splitlines() if line.startswith(str(tmp_path))]
    assert [line.split(" (")[0] for line in named] == [f"{tmp_path / 'd.png'}: clear"]


def test_the_measuring_command_prints_a_row_per_folder(
    pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(presence_evaluation, "open_pipeline", lambda *_: pipeline)
    for name, value in (("people", 1), ("lamps", 0)):
        (tmp_path / name).mkdir()
        write_mask_photo(tmp_path / name / "p.png", value)
    folders = ("--people", str(tmp_path / "people"), "--nobody", str(tmp_path / "lamps"))
    assert presence_evaluation.main(folders) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if str(tmp_path) in line]
    assert [[cell.strip() for cell in row.split("|")[2:-1]] for row in rows] == [
        ["people", "1", "1", "0", "0", "1"],
        ["nobody", "1", "0", "0", "1", "0"],
    ]
    write_mask_photo(tmp_path / "people" / "q.png", 0)
    write_mask_photo(tmp_path / "people" / "r.png", 1)
    assert presence_evaluation.main(("--people", str(tmp_path / "people"), "--every", "2")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"| {tmp_path / 'people'} | people | 2 | 2 | 0 | 0 | 2 |"
    assert presence_evaluation.main(("--people", str(tmp_path / "none"))) == 2
    assert "expected a folder of photos" in capsys.readouterr().err
