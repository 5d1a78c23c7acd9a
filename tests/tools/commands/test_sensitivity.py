"""``portraiture sensitivity`` and ``export --plan``: from a budget to a plan to the files that hold it."""

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.plan import Kind, read_plan
from portraiture.reference.errors import OptionError
from portraiture.tools.cli import main
from portraiture.tools.commands.sensitivity import parse_budget

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def portraiture(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line: exit code, stdout, and the last line of stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["portraiture", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return int(stop.value.code or 0), out, err.strip().splitlines()[-1] if err.strip() else ""

    return run


@pytest.mark.slow
def test_from_a_budget_to_a_plan_to_files(portraiture: Run, tmp_path: Path, quick_source: str) -> None:
    source, plan_file = tmp_path / "quick_sensitive.py", tmp_path / "plans/plan.toml"
    source.write_text(quick_source)
    own = ("--network", f"{source}:build", "--target", "onnx", "--size", "64x64")
    code, out, _ = portraiture("sensitivity", *own, "--budget", "50dB", "--write", plan_file, "--kinds", "int8",
                               "--picture", tmp_path / "layers.png", "--json", tmp_path / "layers.json")  # fmt: skip
    assert code == 0
    assert "perception.network.3" in out
    assert f"{plan_file}: " in out
    plan, text = read_plan(plan_file), tomllib.loads(plan_file.read_text())
    assert plan.budget_db == 50.0
    assert Kind.INT8 in dict(plan.layers).values()
    figures = json.loads((tmp_path / "layers.json").read_text())
    assert min(figures["worst_db"]["onnx"].values()) >= 50.0
    measured = text["measured"]["onnx"]
    assert measured["bytes"] == figures["bytes"]["onnx"]
    assert measured["mask"] == pytest.approx(figures["worst_db"]["onnx"]["mask"], abs=0.06)
    picture = cv2.imread(str(tmp_path / "layers.png"))
    assert picture is not None
    assert picture.shape[1] == 1000
    assert len({tuple(colour) for colour in picture.reshape(-1, 3)[::7].tolist()}) > 3

    bundle = tmp_path / "bundle"
    export = ("export", "-o", bundle, *own, "--model", "perception", "--no-gate")
    code, out, _ = portraiture(*export, "--plan", plan_file)
    assert code == 0, out
    manifest = read_manifest(bundle)
    assert [m["path"] for m in manifest["models"]] == ["onnx/perception_64x64_plan.onnx"]
    assert manifest["plan"] == plan.to_json()

    source.write_text(quick_source.replace("manual_seed(5)", "manual_seed(6)"))
    other = tmp_path / "quick_other.py"
    other.write_text(source.read_text())
    code, _, said = portraiture(*export, "--plan", plan_file, "--network", f"{other}:build")
    assert code == 2
    assert "expected a plan for these perception weights" in said
    assert [m["path"] for m in read_manifest(bundle)["models"]] == ["onnx/perception_64x64_plan.onnx"]


def test_options_that_lack_another_one_are_refused(portraiture: Run, tmp_path: Path) -> None:
    for given in (("--budget", "45dB"), ("--write", tmp_path / "plan.toml")):
        code, _, said = portraiture("sensitivity", *given)
        assert code == 2
        assert "expected --write FILE with it" in said
    code, _, said = portraiture("export", "-o", tmp_path / "b", "--precision", "plan")
    assert code == 2
    assert "--plan FILE" in said
    code, _, said = portraiture("sensitivity", "--kinds", "int7")
    assert code == 2
    assert "unknown --kinds 'int7'" in said


@pytest.mark.parametrize(("text", "db"), [("45dB", 45.0), ("45", 45.0), ("52.5 db", 52.5)])
def test_a_budget_is_in_decibels(text: str, db: float) -> None:
    assert parse_budget(text) == db


@pytest.mark.parametrize("text", ["", "loud", "-3dB", "0", "201dB", "45 %", "1e3"])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="expected decibels such as 45dB"):
        parse_budget(text)
