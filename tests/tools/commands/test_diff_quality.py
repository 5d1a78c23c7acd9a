"""``portraiture diff --dataset``: the masks' quality of both bundles, and the rule that judges it."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.allowed import Allowed, parse_allowed
from portraiture.export.bundle.any_release import open_any_release
from portraiture.export.bundle.findings import Section, Verdict
from portraiture.export.difference.pairs import Pair, pairs
from portraiture.reference.errors import OptionError
from portraiture.reference.metrics import boundary_f, iou
from portraiture.reference.photo.write import write_photo
from portraiture.tools.cli import main
from portraiture.tools.evaluate.difference import quality_findings
from portraiture.training.data.datasets import list_samples

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Three photos and masks of their bright pixels, which a network of four layers is as far from as from any."""
    root = tmp_path_factory.mktemp("mine")
    for part in ("images", "masks"):
        (root / part).mkdir()
    for k, rgb in enumerate((astronaut, astronaut[:, ::-1], 255 - astronaut)):
        small = np.ascontiguousarray(rgb[::4, ::4])
        write_photo(root / f"images/{k}.png", small)
        write_photo(root / f"masks/{k}.png", np.uint8(255) * (small.mean(2) > 100))
    return root


@pytest.fixture
def diff(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["portraiture", "diff", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        return int(stop.value.code or 0), f"{out}{err}"

    return run


def pair_of(two_bundles: Path) -> Pair:
    found = pairs(open_any_release(two_bundles / "old"), open_any_release(two_bundles / "new"))
    return next(p for p in found if "onnx fp32" in p.name)


def test_figures_are_those_of_the_masks_of_each_bundle(two_bundles: Path, folder: Path) -> None:
    from portraiture.export.pipeline.pipeline import Pipeline
    from portraiture.export.targets import open_file
    from portraiture.reference.photo.read import read_photo

    pair, samples = pair_of(two_bundles), list_samples("folder", folder)
    overlap, edge = quality_findings(pair, samples, Allowed())
    assert (overlap.section, overlap.what, edge.what) == (Section.QUALITY, "mean IoU", "boundary F at 2 px")
    for side, said in zip(pair.sides(), ((overlap.old, edge.old), (overlap.new, edge.new)), strict=True):
        runner = open_file(*side)
        pipeline = Pipeline(lambda *_, own=runner: own, [side[1].size])
        masks = [pipeline.perceive(read_photo(s.photo)).mask >= 0.5 for s in samples]
        truths = [read_photo(s.label)[..., 0] > 127 for s in samples if s.label is not None]
        assert f"{np.mean([iou(m, t) for m, t in zip(masks, truths, strict=True)]):.4f}" == said[0]
        assert f"{np.mean([boundary_f(m, t) for m, t in zip(masks, truths, strict=True)]):.4f}" == said[1]
    assert overlap.old != overlap.new
    assert overlap.verdict is Verdict.DIFFERS


def test_a_rule_judges_each_figure(two_bundles: Path, folder: Path) -> None:
    pair, samples = pair_of(two_bundles), list_samples("folder", folder)
    turned = replace(pair, old_root=pair.new_root, new_root=pair.old_root, old=pair.new, new=pair.old)
    verdicts = {}
    for name, own in (("there", pair), ("back", turned)):
        for rule in (0.0, 1.0):
            found = quality_findings(own, samples, Allowed(fall=rule))
            verdicts[name, rule] = [f.verdict for f in found]
    assert set(verdicts["there", 1.0] + verdicts["back", 1.0]) == {Verdict.ALLOWED}
    for one, other in zip(verdicts["there", 0.0], verdicts["back", 0.0], strict=True):
        assert {one, other} == {Verdict.WORSE, Verdict.ALLOWED}  # what one way is a fall is the other way a gain
    same = replace(pair, new=pair.old, new_root=pair.old_root)
    (equal,) = quality_findings(same, samples, Allowed(fall=0.0))
    assert equal.verdict is Verdict.SAME


def test_the_command_has_them_and_its_exit_code_follows(
    two_bundles: Path, folder: Path, tmp_path: Path, diff: Run
) -> None:
    given = (two_bundles / "old", two_bundles / "new", "--no-time", "--dataset", "folder", "--root", folder)
    code, said = diff(*given, "--split", "all", "--limit", 2, "--json", tmp_path / "diff.json")
    found = [f for f in json.loads((tmp_path / "diff.json").read_text())["findings"] if f["section"] == "quality"]
    assert code == 0, said
    assert len(found) == 8  # two figures of fp32 and fp16 in two formats
    assert all("2 photos" in f["note"] for f in found)
    code, said = diff(*given, "--split", "all", "--allow", "quality=-0")
    turned = diff(two_bundles / "new", two_bundles / "old", *given[2:], "--split", "all", "--allow", "quality=-0")
    assert 1 in (code, turned[0])
    assert "quality" in said + turned[1]


def test_options_that_lack_another_one_are_refused(two_bundles: Path, folder: Path, diff: Run) -> None:
    both = (two_bundles / "old", two_bundles / "new")
    for extra in (("--dataset", "folder"), ("--root", folder), ("--limit", 2), ("--allow", "quality=-0.01")):
        code, said = diff(*both, *extra)
        assert code == 2
        assert "--dataset" in said.splitlines()[-1]
    code, said = diff(*both, "--dataset", "folder", "--root", folder / "images")
    assert code == 2
    assert "expected" in said


def test_the_rule_is_a_share() -> None:
    assert parse_allowed(["quality=-0.01"]).fall == 0.01
    assert parse_allowed([]).fall is None
    for text in ("quality", "quality=1.5", "quality=+x", "quality=-1%"):
        with pytest.raises(OptionError, match=r"quality=-0\.01"):
            parse_allowed([text])
