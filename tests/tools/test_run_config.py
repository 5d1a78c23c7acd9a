"""``run.toml``: a run's folder says what it was trained with, and trains the same again by ``--config``."""

import io
import json
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pytest
import torch

from portraiture.reference.errors import InputError
from portraiture.tools.cli import main
from portraiture.tools.run_config import read_options, write_config
from portraiture.training.tensor_files import load_tensors


def train(*arguments: object) -> tuple[int, str]:
    return run("train", *arguments)


def run(*arguments: object) -> tuple[int, str]:
    err, code = io.StringIO(), 0
    words = ["portraiture", *map(str, arguments)]
    with redirect_stdout(io.StringIO()), redirect_stderr(err), patch.object(sys, "argv", words):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, err.getvalue()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for k in range(8):
        photo = np.full((72, 80, 3), 60 + k, np.uint8)
        photo[20:, 30:50] = 200
        cv2.imwrite(str(folder / f"images/{k}.png"), photo)
        cv2.imwrite(str(folder / f"masks/{k}.png"), np.where(photo[..., 0] > 100, 255, 0).astype(np.uint8))
    return folder


def config(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "run.toml").read_text())


def test_a_run_is_repeated_by_its_configuration(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, again = tmp_path / "first", tmp_path / "again"
    (tmp_path / "ids.txt").write_text("3\n5\n")
    asked = ("coarse", "--recipe", "smoke", "--data", "folder=people:2", "--held-out", "ids.txt", "--device", "cpu")
    assert train(*asked, "-o", first)[0] == 0
    sheet = cv2.imread(str(first / "worst.png"))
    assert sheet is not None
    assert sheet.shape[0] == 2 * 200  # the two that are held out, a row each
    written = config(first)
    assert written["train"] == {
        "subject": "coarse", "recipe": "smoke", "data": [f"folder={people}:2"],
        "held_out": str(tmp_path / "ids.txt"), "device": "cpu",
    }  # fmt: skip
    assert written["versions"]["torch"] == torch.__version__.split("+")[0]
    (data,) = written["data"].values()
    assert (data["photos"], data["held_out"], len(data["sha256"])) == (8, 2, 64)
    monkeypatch.chdir(people)  # from anywhere
    assert train("--config", first, "-o", again)[0] == 0
    assert config(again)["train"] == written["train"]
    one, other = (load_tensors(run / "weights.safetensors")[0] for run in (first, again))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_run_lists_what_it_held_out_and_evaluate_judges_just_that(people: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("3\n5\n")
    asked = ("coarse", "--recipe", "smoke", "--data", f"folder={people}", "--held-out", tmp_path / "ids.txt")
    assert train(*asked, "-o", tmp_path / "a")[0] == 0
    listed = tmp_path / "a/held_out.txt"
    assert listed.read_text() == "people/3\npeople/5\n"
    judged = tmp_path / "judged.json"
    asked = ("segmentation", "--dataset", "folder", "--root", people, "--worst", 8, "--json", judged)
    code, said = run("evaluate", *asked, "--weights", tmp_path / "a")
    assert code == 0, said
    assert f"held out: as {listed} says" in said
    assert sorted(entry["id"] for entry in json.loads(judged.read_text())["worst"]) == ["3", "5"]


def test_options_on_the_command_line_count_more(people: Path, tmp_path: Path) -> None:
    assert train("coarse", "--recipe", "smoke", "--data", f"folder={people}", "-o", tmp_path / "a")[0] == 0
    assert train("perception", "--config", tmp_path / "a/run.toml", "-o", tmp_path / "b")[0] == 0
    assert [config(tmp_path / name)["train"]["subject"] for name in "ab"] == ["coarse", "perception"]


def test_the_digest_is_of_the_photos_and_labels(people: Path, tmp_path: Path) -> None:
    def digest(name: str) -> str:
        assert train("coarse", "--recipe", "smoke", "--data", f"folder={people}", "-o", tmp_path / name)[0] == 0
        (found,) = config(tmp_path / name)["data"].values()
        return str(found["sha256"])

    first = digest("a")
    assert digest("b") == first
    label = people / "masks/2.png"
    before = label.read_bytes()
    cv2.imwrite(str(label), np.zeros((72, 80), np.uint8))
    assert digest("c") != first
    label.write_bytes(before)
    assert digest("d") == first


def test_a_resumed_run_keeps_its_configuration(people: Path, tmp_path: Path) -> None:
    asked = ("coarse", "--recipe", "smoke", "--data", f"folder={people}", "-o", tmp_path / "a")
    assert train(*asked)[0] == 0
    before = (tmp_path / "a/run.toml").read_bytes()
    assert train(*asked, "--resume")[0] == 0
    assert (tmp_path / "a/run.toml").read_bytes() == before
    (tmp_path / "ids.txt").write_text("3\n")
    for changed in (("--held-out", tmp_path / "ids.txt"), ("--data", f"backgrounds={people / 'images'}")):
        code, said = train(*asked, "--resume", *changed)
        assert code == 2
        assert "expected the data that the run began with" in said


def test_odd_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    names = {"subject": 'a "quoted" \\ name', "recipe": "é 漢 😀\t[x]", "smaller": True, "patience": 3}
    write_config(tmp_path, names, {'odd "set"': {"photos": 1}})
    assert read_options(tmp_path) == names
    assert config(tmp_path)["data"] == {'odd "set"': {"photos": 1}}


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "expected a run.toml"), ("no toml", "expected the run.toml of a run"),
     ("[versions]\na = 1", "expected a table"),
     ("train = 3", "expected a table"), ("\udcff", "expected the run.toml of a run")],
)  # fmt: skip
def test_another_file_is_told(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "run.toml").write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match=said):
        read_options(tmp_path)


def test_an_unknown_option_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('[train]\nsubject = "coarse"\nspeed = 3\n')
    code, said = train("--config", tmp_path, "-o", tmp_path / "a")
    assert code == 2
    assert "expected options of train, found speed" in said
    assert len(said.strip().splitlines()) == 1
