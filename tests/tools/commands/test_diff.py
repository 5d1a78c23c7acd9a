"""``portraiture diff``: findings, exit codes, and the files that it writes."""

import json
import shutil
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from portraiture.export.bundle.checksums import checksums
from portraiture.reference.photo.write import write_photo
from portraiture.tools.cli import main

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def diff(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command: exit code, lines on stdout, and what it says at the end on stderr."""

    def run(*arguments: object) -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "argv", ["portraiture", "diff", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return int(stop.value.code or 0), out.splitlines(), err.strip().splitlines()[-1] if err.strip() else ""

    return run


def refused(found: tuple[int, list[str], str]) -> str:
    """The one line of a call with bad input."""
    code, out, said = found
    assert (code, out) == (2, [])
    assert said.startswith("portraiture: ")
    return said


@pytest.fixture
def old(two_bundles: Path) -> Path:
    """Read only."""
    return two_bundles / "old"


@pytest.fixture
def new(two_bundles: Path) -> Path:
    """Other weights in one layer; read only."""
    return two_bundles / "new"


@pytest.fixture
def change(old: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the old bundle, and of its manifest what is given; checksums are written anew."""

    def changed(remove: str = "", **keys: Any) -> Path:
        root = Path(shutil.copytree(old, tmp_path / "changed"))
        path = root / "manifest.json"
        manifest = json.loads(path.read_text()) | keys
        if remove:
            (root / remove).unlink()
            manifest["models"] = [m for m in manifest["models"] if m["path"] != remove]
        manifest["files"] = checksums(root)
        path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
        return root

    return changed


def bless(root: Path) -> None:
    """Write the checksums of a changed bundle anew."""
    path = root / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": checksums(root)}))


def test_equal_bundles_differ_in_nothing(diff: Run, old: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(old, tmp_path / "copy")
    code, out, _ = diff(old, copy, "--allow", "psnr=99dB", "--allow", "iou=1", "--allow", "ms=+0%")
    assert (code, out) == (0, ["nothing differs"])
    assert any("perception onnx fp16 64x64: all: same bytes" in line for line in diff(old, copy, "--all")[1])


def test_changed_weights_name_the_layer_and_show_in_the_outputs(diff: Run, old: Path, new: Path) -> None:
    code, out, _ = diff(old, new, "--no-time")
    assert code == 0
    text = "\n".join(out)
    for words in (
        "weights: perception onnx fp32 64x64: constants: 1 of 4 constants differ; most"
        " network.network.perception.network.3.weight: relative RMS",
        "weights: perception tflite fp16 64x64: constants: 1 of 4 constants differ; most"
        " OwnPerception_perception/Sequential_network/Conv2d_3 CONV_2D input 1",
        "outputs: perception tflite fp32 64x64: mask: max error",
        "weights: perception: ",  # of the manifest
    ):
        assert words in text
    assert "outputs: perception onnx fp32 64x64: depth" not in text  # its weights are as they were
    assert "speed" not in text
    assert out[-1].startswith("nothing is worse than allowed")


def test_named_rules_judge_the_outputs(diff: Run, old: Path, new: Path) -> None:
    code, out, said = diff(old, new, "--no-time", "--allow", "psnr=90dB")
    assert code == 1
    assert said.startswith("portraiture: 4 of ")
    assert said.count("mask") == 3
    assert out[-1].startswith("worse: outputs: perception")
    assert "(allowed: psnr at least 90 dB)" in out[-1]
    assert diff(old, new, "--no-time", "--allow", "psnr=20dB")[0] == 0
    assert diff(old, new, "--no-time", "--allow", "iou=1")[0] == 1
    assert diff(old, new, "--no-time", "--allow", "iou=0.5")[0] == 0


def test_the_worst_photo_counts(diff: Run, old: Path, new: Path, tmp_path: Path) -> None:
    def figure(*names: str) -> float:
        photos = [word for name in names for word in ("--photo", tmp_path / name)]
        diff(old, new, "--no-time", *photos, "--json", tmp_path / "d.json")
        findings = json.loads((tmp_path / "d.json").read_text())["findings"]
        note = next(f["note"] for f in findings if f["section"] == "outputs" and f["what"] == "mask")
        return float(note.split("PSNR ")[1].split(" dB")[0])

    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    for name, photo in (("black.png", noise * 0), ("noise.png", noise)):
        write_photo(tmp_path / name, photo)
    alone = figure("black.png"), figure("noise.png")
    assert alone[0] != alone[1]
    assert figure("black.png", "noise.png") == figure("noise.png", "black.png") == min(alone)


def test_times_are_measured_and_judged_where_named(diff: Run, old: Path, new: Path) -> None:
    code, out, _ = diff(old, new, "--repeats", 3)
    assert code == 0
    assert sum(line.startswith("measured: speed: ") and "times as long" in line for line in out) == 4
    assert diff(old, new, "--repeats", 3, "--allow", "ms=+1000000%")[0] == 0
    assert "--no-time" in refused(diff(old, new, "--no-time", "--allow", "ms=+5%"))


def test_a_removed_file_is_worse(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    root = change(remove="onnx/perception_64x64_fp16.onnx")
    code, out, said = diff(old, root)
    assert code == 1
    assert "worse: files: perception onnx fp16 64x64: removed" in out[-1]
    assert "perception onnx fp16 64x64 removed" in said
    assert diff(old, root, "--allow", "removed")[0] == 0
    assert diff(root, old)[0] == 0  # the other way round it was added


def test_a_changed_contract_is_worse(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    root = change(contract_version="6.0.0")
    code, out, _ = diff(old, root)
    assert code == 1
    assert "5.0.0 -> 6.0.0" in out[-1] or "-> 6.0.0" in out[-1]
    assert diff(old, root, "--allow", "contract")[0] == 0


def test_a_larger_file_is_worse(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    root = change()
    path = root / "onnx/perception_64x64_fp16.onnx"
    import onnx

    model = onnx.load(str(path))
    model.doc_string = "x" * path.stat().st_size
    onnx.save(model, str(path))
    bless(root)
    code, out, _ = diff(old, root, "--no-time", "--allow", "psnr=90dB")
    assert code == 1
    assert "perception onnx fp16 64x64: bytes" in out[-1]
    assert "perception onnx fp16 64x64: mask" not in "\n".join(out)  # it computes the same
    assert diff(old, root, "--no-time", "--allow", "bytes=+200%")[0] == 0


def test_an_older_manifest_without_newer_keys_is_compared(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    models = json.loads((old / "manifest.json").read_text())["models"]
    few = [{k: m[k] for k in ("name", "target", "precision", "size", "path")} for m in models]
    root = change(models=few, compose=None, tools=None, model_card=None, contract_version="1.0.0")
    code, out, _ = diff(root, old, "--no-time", "--allow", "contract")
    assert code == 0
    assert any("compose rule: k: nothing -> " in line for line in out)


def test_inputs_that_this_release_does_not_give_are_not_run(diff: Run, old: Path, new: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(new, tmp_path / "scaled"))
    manifest = json.loads((root / "manifest.json").read_text())
    for model in manifest["models"]:
        model["inputs"][0]["range"] = [0, 255]
    (root / "manifest.json").write_text(json.dumps(manifest))
    code, out, _ = diff(old, root, "--allow", "contract")
    assert code == 0
    assert sum("the new model's inputs.rgb.range is not this release's" in line for line in out) == 8
    assert diff(old, root, "--no-time", "--allow", "contract", "--allow", "psnr=20dB")[0] == 1  # nothing proves it


def test_a_new_file_that_does_not_run_is_worse(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    root = change()
    (root / "onnx/perception_64x64_fp16.onnx").write_bytes(bytes(6000))
    bless(root)
    code, out, _ = diff(old, root, "--no-time")
    assert code == 1
    assert "perception onnx fp16 64x64: all: runs -> does not run" in out[-1]


def test_nan_is_worse_whatever_is_allowed(diff: Run, old: Path, change: Callable[..., Path]) -> None:
    import onnx
    from onnx import numpy_helper

    root = change()
    path = root / "onnx/perception_64x64_fp32.onnx"
    model = onnx.load(str(path))
    bias = next(t for t in model.graph.initializer if t.name.endswith("3.bias"))
    bias.CopyFrom(numpy_helper.from_array(np.full(2, np.nan, np.float32), bias.name))
    onnx.save(model, str(path))
    bless(root)
    code, out, _ = diff(old, root, "--no-time", "--allow", "psnr=0")
    assert code == 1
    assert "NaN or infinity" in out[-1]


def test_the_files_that_it_writes(diff: Run, old: Path, new: Path, tmp_path: Path) -> None:
    files = tmp_path / "r/d.json", tmp_path / "r/d.xml", tmp_path / "r/d.html"
    options = [w for name, f in zip(("--json", "--junit", "--html"), files, strict=True) for w in (name, f)]
    assert diff(old, new, "--no-time", "--allow", "psnr=90dB", *options)[0] == 1
    found = json.loads(files[0].read_text())
    assert sorted(found["layers"]) == sorted(f"perception {t} {p} 64x64" for t in ("onnx", "tflite")
                                             for p in ("fp16", "fp32"))  # fmt: skip
    assert all(len(layers) == 4 for layers in found["layers"].values())
    assert "worse than allowed" in found["result"]
    top = ElementTree.parse(files[1]).getroot()
    assert [s.get("name") for s in top] == ["contract", "files", "weights", "outputs"]
    assert len(top.findall("testsuite/testcase")) == len(found["findings"])
    assert len(top.findall("testsuite/testcase/failure")) == 4
    assert sum(int(s.get("failures", 0)) for s in top) == 4
    page = files[2].read_text()
    assert page.count('<img src="data:image/png;base64,') == 4 * 2 * 3
    assert "Constants of perception onnx fp16 64x64 that differ" in page


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


def test_markup_in_names_is_text(diff: Run, old: Path, change: Callable[..., Path], tmp_path: Path) -> None:
    root = change(tools={"<script>alert(1)</script>": "\x1b[31m<b>\x00\ud800"}, git_revision="<marquee>")
    files = ["--html", tmp_path / "d.html", "--junit", tmp_path / "d.xml", "--json", tmp_path / "d.json"]
    code, out, _ = diff(old, root, *files)
    assert code == 0
    assert "\x1b" not in "\n".join(out)
    tags = _Tags()
    page = (tmp_path / "d.html").read_text()
    tags.feed(page)
    assert not {"script", "marquee"} & tags.found
    assert "&lt;script&gt;" in page
    assert any("<script>" in (c.get("name") or "") for c in ElementTree.parse(tmp_path / "d.xml").iter("testcase"))


def test_bad_input_is_one_line(diff: Run, old: Path, tmp_path: Path) -> None:
    assert "expected a bundle with manifest.json, found none" in refused(diff(old, tmp_path))
    assert "expected a bundle with manifest.json, found none" in refused(diff(tmp_path / "none", old))
    root = Path(shutil.copytree(old, tmp_path / "bad"))
    (root / "MODEL_CARD.md").write_text("other")
    assert "MODEL_CARD.md: its sha256 is not" in refused(diff(old, root))
    (root / "manifest.json").write_text("[]")
    assert "expected a manifest of a bundle" in refused(diff(root, old))
    (root / "manifest.json").write_text("{")
    assert "expected JSON" in refused(diff(root, old))
    assert "expected a rule such as" in refused(diff(old, old, "--allow", "speed=+5%"))
    assert "none.jpg" in refused(diff(old, old, "--photo", tmp_path / "none.jpg"))
