"""``--weights``: every command runs a team's own weights, from a run or from any checkpoint, and says what it took."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.reference.photo.write import write_photo
from portraiture.tools.cli import main
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn
from portraiture.training.models.spn import PaperSpn
from portraiture.training.tensor_files import save_tensors
from portraiture.training.weights import load_filter, load_perception

pytestmark = pytest.mark.slow

State = dict[str, Tensor]


def call(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["portraiture", *map(str, arguments)]):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def done(*arguments: object) -> tuple[str, str]:
    code, out, err = call(*arguments)
    assert code == 0, err
    return out, err


def refused(*arguments: object) -> str:
    code, _, err = call(*arguments)
    assert code == 2, err
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if line.startswith("portraiture:")]
    return line


def shifted(state: State, name: str, by: float) -> State:
    """The weights with one bias shifted, so that every pixel of an output changes."""
    return {**state, name: state[name] + by}


@pytest.fixture(scope="module")
def states() -> dict[str, State]:
    """Perception by the shipped weights, and with masks that find more and find less."""
    shipped = load_perception().state_dict()
    return {
        "shipped": shipped,
        "more": shifted(shipped, "merge.bias", 2.0),
        "less": shifted(shipped, "merge.bias", -2.0),
    }


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, states: dict[str, State]) -> Path:
    """A team's checkpoint: raw weights that find less, an average that finds more, and what else is in such files."""
    path = tmp_path_factory.mktemp("team") / "last.ckpt"
    whole = {
        "epoch": 7, "optimizer_states": [{"state": {0: torch.ones(2)}}],
        "state_dict": {f"model._orig_mod.{n}": v.half() for n, v in states["less"].items() if "tracked" not in n},
        "ema": {f"module.{n}": v for n, v in states["more"].items()},
    }  # fmt: skip
    torch.save(whole, path)
    return path


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("photo") / "me.png"
    write_photo(path, astronaut)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A folder of photos and masks: the astronaut, cut twice."""
    root = tmp_path_factory.mktemp("folder")
    for name in ("images", "masks"):
        (root / name).mkdir()
    for k in range(2):
        write_photo(root / "images" / f"{k}.png", np.ascontiguousarray(astronaut[:, 40 * k :]))
        mask = np.zeros(astronaut.shape[:2], np.uint8)
        cv2.ellipse(mask, (226, 330), (200, 330), 0, 0, 360, 255, -1)
        write_photo(root / "masks" / f"{k}.png", np.ascontiguousarray(mask[:, 40 * k :]))
    return root


def area(maps: Path) -> float:
    return float((cv2.imread(str(maps / "me_mask.png"), cv2.IMREAD_UNCHANGED) >= 128).mean())


def test_predict_runs_the_average_or_the_raw_weights_and_says_which(photo: Path, team: Path, tmp_path: Path) -> None:
    done("predict", photo, "-o", tmp_path / "shipped")
    _, said = done("predict", photo, "-o", tmp_path / "more", "--weights", team)
    assert f"weights: {team}: MobilePerception, averaged (EMA) weights, 'ema.' before each name" in said
    assert "(--which raw takes the others)" in said
    _, said = done("predict", photo, "-o", tmp_path / "less", "--weights", team, "--which", "raw")
    assert f"{team}: MobilePerception, raw weights, 'state_dict.model.' before each name" in said
    less, shipped, more = (area(tmp_path / name) for name in ("less", "shipped", "more"))
    assert less < shipped - 0.003
    assert shipped + 0.003 < more


def test_render_takes_a_run_and_a_filter(photo: Path, states: dict[str, State], tmp_path: Path) -> None:
    run = tmp_path / "run"
    save_tensors(run / "weights.safetensors", states["more"], {"model": "MobilePerception", "recipe": "mine"})
    torch.save({f"module.{n}": v for n, v in load_filter().state_dict().items()}, tmp_path / "filter.pth")
    done("render", photo, "-o", tmp_path / "shipped.png")
    _, said = done("render", photo, "-o", tmp_path / "own.png", "--weights", run, "--weights", tmp_path / "filter.pth")
    assert "weights.safetensors: MobilePerception, averaged (EMA) weights" in said
    assert "filter.pth: RnnFilter, weights" in said
    shipped, own = (cv2.imread(str(tmp_path / name)) for name in ("shipped.png", "own.png"))
    assert (shipped != own).any()


def test_export_and_parity_hold_the_teams_weights(states: dict[str, State], tmp_path: Path) -> None:
    team = tmp_path / "team.pth"
    torch.save({"state_dict_ema": states["shipped"], "state_dict": states["less"]}, team)
    small = ("--target", "onnx", "--precision", "fp32", "--size", "64x64", "--model", "coarse")
    _, said = done("export", "-o", tmp_path / "b", "--weights", team, *small)
    assert "averaged (EMA) weights" in said
    done("parity", tmp_path / "b", "--weights", team)
    done("parity", tmp_path / "b", "--checkpoint", team)
    assert "exported from other perception weights" in refused("parity", tmp_path / "b")


def test_evaluate_judges_a_run_or_a_file(folder: Path, team: Path, tmp_path: Path) -> None:
    asked = ("evaluate", "segmentation", "--dataset", "folder", "--root", folder, "--split", "all")

    def figures(*options: object) -> dict[str, float]:
        done(*asked, *options, "--json", tmp_path / "f.json")
        found: dict[str, float] = json.loads((tmp_path / "f.json").read_text())
        return found

    shipped, more, less = figures(), figures("--weights", team), figures("--weights", team, "--which", "raw")
    assert len({f["mean_iou"] for f in (shipped, more, less)}) == 3
    assert {f["mean_iou_coarse"] for f in (shipped, more)} == {shipped["mean_iou_coarse"]}  # its bias is after that
    out, _ = done(*asked, "--compare", "--weights", f"team={team}")
    (row,) = [line.split("|") for line in out.splitlines() if line.startswith("| team")]
    assert float(row[3]) == pytest.approx(100 * more["mean_iou"], abs=0.006)


@pytest.mark.parametrize("build", [MobileCoarse, Fcn, PaperSpn])
def test_evaluate_judges_networks_that_no_pipeline_is_made_of(folder: Path, tmp_path: Path, build: type) -> None:
    torch.manual_seed(0)
    torch.save({"model_ema": build().state_dict()}, tmp_path / "w.pth")
    asked = ("evaluate", "segmentation", "--dataset", "folder", "--root", folder, "--split", "all", "--limit", 1)
    out, _ = done(*asked, "--weights", tmp_path / "w.pth")
    assert "mean_iou " in out
    found = refused("render", folder / "images" / "0.png", "-o", tmp_path / "p.png", "--weights", tmp_path / "w.pth")
    assert f"these are weights of {build.__name__}" in found


def test_pairs_take_the_teams_maps(photo: Path, team: Path, tmp_path: Path) -> None:
    asked = ("pairs", "--photos", photo.parent, "--size", "96x96", "--settings", 1, "--workers", 1)
    for name, options in (("more", ()), ("less", ("--which", "raw"))):
        done(*asked, "-o", tmp_path / name, "--weights", team, *options)
    masks = [
        cv2.imread(str(tmp_path / name / "photo_me" / "mask.png"), cv2.IMREAD_UNCHANGED) for name in ("more", "less")
    ]
    assert masks[0].mean() > masks[1].mean() + 1
    assert "as its pairs were begun, found" in refused(
        *asked, "-o", tmp_path / "more", "--weights", team, "--which", "raw"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("render", "PHOTO", "-o", "p.png", "--weights", "TEAM", "--runtime", "tflite", "--bundle", "b"),
            "--runtime torch",
        ),
        (("render", "PHOTO", "-o", "p.png", "--weights", "TEAM", "--weights", "TEAM"), "one file of MobilePerception"),
        (("render", "PHOTO", "-o", "p.png", "--which", "raw"), "expected --weights with it"),
        (("render", "PHOTO", "-o", "p.png", "--weights", "nowhere.pth"), "nowhere.pth"),
        (("export", "-o", "b", "--weights", "TEAM", "--checkpoint", "TEAM"), "one file of MobilePerception"),
        (("pairs", "--photos", ".", "-o", "p", "--weights", "FILTER"), "these are weights of RnnFilter"),
        (("parity", "b", "--weights", "FOLDER"), "expected the folder of a run"),
        (("bench", "runtime", "--bundle", "b", "--weights", "TEAM"), "expected no --bundle"),
        (("evaluate", "segmentation", "--dataset", "folder", "--root", "FOLDER", "--weights", "a=TEAM"), "--compare"),
        (("predict", "PHOTO", "-o", "maps", "--weights", "FILTER"), "these are weights of RnnFilter"),
        (
            ("render", "PHOTO", "-o", "p.png", "--renderer", "crf", "--weights", "FILTER"),
            "these are weights of RnnFilter",
        ),
        (
            ("evaluate", "segmentation", "--dataset", "folder", "--root", "FOLDER", "--weights", "FILTER"),
            "found RnnFilter",
        ),
        (
            ("evaluate", "segmentation", "--dataset", "folder", "--root", "FOLDER", "--which", "raw"),
            "expected --weights",
        ),
        (
            (
                "evaluate",
                "filter",
                "--dataset",
                "pairs",
                "--root",
                "FOLDER",
                "--weights",
                "FILTER",
                "--runtime",
                "tflite",
            ),
            "torch",
        ),
        (("evaluate", "render", "--dataset", "simulated", "--weights", "TEAM"), "expected none"),
    ],
)
def test_what_does_not_go_together_is_refused(
    photo: Path, team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(load_filter().state_dict(), tmp_path / "filter.pth")
    places = {"PHOTO": photo, "TEAM": team, "FILTER": tmp_path / "filter.pth", "FOLDER": photo.parent}
    assert said in refused(*(places.get(a, a) for a in arguments))
