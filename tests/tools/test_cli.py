"""The command line as users call it: results, messages, exit codes, nothing half-written."""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from portraiture.reference.files import NO_ROOM
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.cli import main

pytestmark = pytest.mark.slow


def in_a_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as users do; it loads PyTorch anew, which takes seconds."""
    command = [sys.executable, "-m", "portraiture.tools.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def portraiture(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command's entry point in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["portraiture", *map(str, arguments)]):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def one_line_error(done: subprocess.CompletedProcess[str]) -> str:
    """The message of a refused call: exit 2, one line on stderr, no traceback."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("portraiture:")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """The astronaut as a file."""
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    write_photo(path, astronaut)
    return path


def test_help_lists_the_commands_fast() -> None:
    done = in_a_process("--help")
    assert done.returncode == 0
    commands = ("render", "predict", "train", "evaluate", "export", "parity", "inspect", "doctor", "diff", "bench",
                "sensitivity")  # fmt: skip
    for name in commands:
        assert name in done.stdout
    code = (
        "import sys; import portraiture.tools.cli;"
        "heavy = {'torch', 'cv2', 'numpy', 'coremltools', 'litert_torch', 'pymatting'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_command_has_help() -> None:
    commands = ("render", "predict", "train", "evaluate", "export", "parity", "inspect", "doctor", "diff", "bench",
                "sensitivity")  # fmt: skip
    for name in commands:
        done = portraiture(name, "--help")
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout


def test_predict_and_render_are_the_same_through_every_runtime(photo: Path, bundle: Path, tmp_path: Path) -> None:
    """All three on the bundle's own size: torch has no such size, so tflite is the measure for coreml."""
    for runtime in ("tflite", "coreml", "onnx"):
        options = ("--runtime", runtime, "--bundle", bundle)
        assert portraiture("predict", photo, "-o", tmp_path / runtime, *options).returncode == 0
        done = portraiture("render", photo, "-o", tmp_path / runtime, *options)
        assert done.returncode == 0
        assert ("MIL interpreter, not Apple's" in done.stderr) == (runtime == "coreml" and sys.platform != "darwin")
    assert portraiture("predict", photo, "-o", tmp_path / "torch").returncode == 0
    names = {"astronaut_mask.png", "astronaut_depth.npy", "astronaut_coarse_mask.png", "astronaut_coarse_depth.npy"}
    assert {p.name for p in (tmp_path / "torch").iterdir()} == names
    depth = np.load(tmp_path / "torch" / "astronaut_depth.npy")
    assert (depth.dtype, depth.shape) == (np.float32, (512, 512))
    depths, pictures = {}, {}
    for runtime in ("tflite", "coreml", "onnx"):
        depths[runtime] = np.load(tmp_path / runtime / "astronaut_depth.npy")
        pictures[runtime] = read_photo(tmp_path / runtime / "astronaut_portrait.png").astype(int)
    for runtime in ("coreml", "onnx"):
        np.testing.assert_allclose(depths[runtime], depths["tflite"], atol=1e-4)
        assert np.abs(pictures[runtime] - pictures["tflite"]).max() <= 1


def test_crf_render_leaves_the_person_and_blurs_the_rest(photo: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    done = in_a_process("render", photo, "-o", tmp_path / "out.png", "--renderer", "crf")
    assert done.returncode == 0, done.stderr
    portrait = read_photo(tmp_path / "out.png")
    assert portrait.shape == astronaut.shape
    face, corner = np.s_[80:180, 190:260], np.s_[0:60, 440:510]
    assert np.abs(portrait[face].astype(int) - astronaut[face]).mean() < 2
    assert np.abs(portrait[corner].astype(int) - astronaut[corner]).mean() > 2


def test_a_large_photo_keeps_its_sharp_pixels_through_the_crf(tmp_path: Path, astronaut: np.ndarray) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
    write_photo(tmp_path / "large.png", large)
    for compositing in ("paper", "occlusion"):
        options = ("--renderer", "crf", "--compositing", compositing)
        assert portraiture("render", tmp_path / "large.png", "-o", tmp_path / "out", *options).returncode == 0
        picture = read_photo(tmp_path / "out" / "large_portrait.png")
        same = (picture == large).all(axis=2)
        assert picture.shape == large.shape
        assert 0.1 < same.mean() < 0.9


def test_lens_options_change_the_portrait(photo: Path, tmp_path: Path) -> None:
    def rendered(*options: object) -> np.ndarray:
        target = tmp_path / "out.png"
        assert portraiture("render", photo, "-o", target, "--renderer", "crf", *options).returncode == 0
        return read_photo(target)

    plain = rendered("--compositing", "occlusion")
    for options in (("--blades", 6, "--rotation", 10), ("--highlights", 3), ("--grain",), ("--matting", "knn")):
        assert (rendered("--compositing", "occlusion", *options) != plain).any(), options


def test_aperture_zero_returns_the_photo(photo: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    for renderer in ("rnn", "crf"):
        target = tmp_path / f"{renderer}.png"
        assert portraiture("render", photo, "-o", target, "--aperture", 0, "--renderer", renderer).returncode == 0
        np.testing.assert_array_equal(read_photo(target), astronaut)


def _write_bad(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.jpg"
    if kind == "text":
        path.write_text("this is not a photo\n" * 100)
    elif kind == "tiny":
        cv2.imwrite(str(path), np.zeros((1, 1, 3), np.uint8))
    elif kind == "truncated":
        noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
        cv2.imwrite(str(path), noise)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["missing", "text", "tiny", "truncated", "empty", "folder"])
def test_bad_photos_get_one_line_and_exit_2(kind: str, tmp_path: Path) -> None:
    path = _write_bad(kind, tmp_path)
    message = one_line_error(portraiture("render", path, "-o", tmp_path / "out.png"))
    assert path.name in message
    assert "expected" in message
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("kind", ["sixteen_bit", "exif", "cmyk", "grey"])
def test_unusual_photos_work(kind: str, tmp_path: Path, astronaut: np.ndarray) -> None:
    path = tmp_path / f"{kind}.{'png' if kind == 'sixteen_bit' else 'jpg'}"
    if kind == "sixteen_bit":
        cv2.imwrite(str(path), astronaut[..., ::-1].astype(np.uint16) * 257)
    elif kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright, the file lies on its side
        Image.fromarray(np.rot90(astronaut[:, 100:400]).copy()).save(path, exif=exif, quality=95)
    elif kind == "cmyk":
        Image.fromarray(astronaut).convert("CMYK").save(path, quality=95)
    else:
        Image.fromarray(astronaut).convert("L").save(path, quality=95)
    done = portraiture("predict", path, "-o", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    mask = cv2.imread(str(tmp_path / "maps" / f"{kind}_mask.png"), cv2.IMREAD_UNCHANGED)
    expected = (512, 300) if kind == "exif" else (512, 512)
    assert mask.shape == expected
    face = mask[60:200, 110:170] if kind == "exif" else mask[60:200, 190:270]
    assert face.mean() > 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--runtime", "tflite"), "--bundle"),
        (("--bundle", "nowhere"), "--runtime"),
        (("--runtime", "tflite", "--bundle", "nowhere"), "manifest.json"),
        (("--focus", "9999,0"), "inside the photo"),
        (("--focus", "middle"), "X,Y"),
        (("--mask", "nowhere.png"), "nowhere.png"),
        (("--mode", "selfie"), "crf"),
        (("--compositing", "occlusion"), "crf"),
        (("--renderer", "crf", "--blades", "6"), "occlusion"),
    ],
)
def test_conflicting_options_are_refused(photo: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    message = one_line_error(portraiture("render", photo, "-o", tmp_path / "out.png", *arguments))
    assert said in message
    assert not (tmp_path / "out.png").exists()


def test_no_person_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    write_photo(path, np.full((300, 300, 3), 128, np.uint8))
    assert "no" in one_line_error(in_a_process("render", path, "-o", tmp_path / "out.png"))


def test_two_photos_of_one_name_are_refused(photo: Path, tmp_path: Path) -> None:
    message = one_line_error(portraiture("predict", photo, tmp_path / "astronaut.jpg", "-o", tmp_path / "maps"))
    assert "same files" in message


def test_inspect_prints_and_verifies(bundle: Path, tmp_path: Path) -> None:
    import shutil

    done = portraiture("inspect", bundle)
    assert done.returncode == 0, done.stderr
    assert "perception_128x96_fp16.tflite" in done.stdout
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    (copy / "MODEL_CARD.md").write_text("other")
    assert "MODEL_CARD.md" in one_line_error(portraiture("inspect", copy))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "onnxx"), "tflite"),
        (("--target", "onnx", "--precision", "palettized"), "fp32"),
        (("--precision", "fp8"), "fp16"),
        (("--size", "100x100"), "multiples of 32"),
        (("--model", "perceptoin"), "perception"),
        (("--checkpoint", "nowhere.safetensors"), "nowhere"),
    ],
)
def test_bad_export_options_are_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    message = one_line_error(portraiture("export", "-o", tmp_path / "bundle", *arguments))
    assert said in message
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_is_refused_before_any_work(bundle: Path, photo: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for arguments in (("parity", bundle, "-o", taken), ("export", "-o", taken), ("export", "-o", taken / "below")):
        assert f"expected a folder, found the file {taken}" in one_line_error(portraiture(*arguments))
    assert str(taken) in one_line_error(portraiture("render", photo, "-o", taken / "out.png"))
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("code", NO_ROOM)
def test_a_full_disk_is_one_line_whoever_meets_it(photo: Path, tmp_path: Path, code: int) -> None:
    full = OSError(code, os.strerror(code))  # of a write, which names no file
    with patch("portraiture.tools.open_pipeline.open_pipeline", side_effect=full):
        message = one_line_error(portraiture("render", photo, "-o", tmp_path / "p.png"))
    assert "expected room to write" in message
    assert os.strerror(code) in message


def test_the_bare_command_shows_its_help() -> None:
    done = in_a_process()
    assert done.stdout.startswith("Usage: ")
    assert len(done.stdout.splitlines()) > 10
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--frob"), "No such option"),
        (("parity",), "Missing argument 'BUNDLE'"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_usage_errors_are_one_line_that_names_the_help(arguments: tuple[str, ...], said: str) -> None:
    done = portraiture(*arguments)
    message = one_line_error(done)
    assert said in message
    assert message.endswith("--help")
    assert len(done.stderr.splitlines()) == 1


def test_a_changed_bundle_leaves_no_older_report_standing(bundle: Path, tmp_path: Path) -> None:
    copy, report = tmp_path / "bundle", tmp_path / "report"
    shutil.copytree(bundle, copy)
    report.mkdir()
    (report / "parity.xml").write_text("<testsuites>all passed</testsuites>")
    file = next((copy / "tflite").glob("filter*"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert "sha256" in one_line_error(portraiture("parity", copy, "-o", report))
    (row,) = json.loads((report / "parity.json").read_text())
    assert row["status"] == "failed"
    assert "sha256" in row["note"]
    case = ElementTree.parse(report / "parity.xml").getroot().find("testsuite/testcase/failure")
    assert case is not None
    assert "sha256" in (report / "report.html").read_text()
    (copy / "manifest.json").write_text("{")
    assert "manifest.json" in one_line_error(portraiture("parity", copy, "-o", report))
    assert "manifest.json" in (report / "report.html").read_text()


def test_an_altered_manifest_is_refused_by_every_command(bundle: Path, photo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["models"][0]["inputs"][0]["range"] = [0, 255]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    for arguments in (
        ("inspect", copy),
        ("parity", copy),
        ("parity", copy, "--device-results", tmp_path),
        ("predict", photo, "-o", tmp_path / "maps", "--runtime", "tflite", "--bundle", copy),
    ):
        assert "models.0.inputs.0.range" in one_line_error(portraiture(*arguments))


def test_bench_prints_every_stage_and_the_ratio(tmp_path: Path) -> None:
    import json

    done = portraiture("bench", "reference", "--repeats", 1, "--megapixels", 1.5, "--json", tmp_path / "bench.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert [t["render"] for t in figures["under_load"]] == ["RNN filter", "CRF"]
    assert all(t["ratio"] > 0 for t in figures["under_load"])
    assert "every core busy s" in done.stdout
    large = figures["large"]
    assert [t["compositing"] for t in large] == ["paper", "occlusion"]
    assert all(0 < t["peak_gib"] < 3 and t["seconds"] > 0 for t in large)
    stages = {s["stage"]: s for s in figures["stages"]}
    assert stages["full-body, whole"]["ours_s"] > 0
    for name in stages:
        assert name in done.stdout


def test_unknown_recipe_and_missing_data_are_refused(tmp_path: Path) -> None:
    assert "mobile" in one_line_error(portraiture("train", "perception", "--recipe", "x", "-o", tmp_path / "run"))
    message = one_line_error(portraiture("train", "perception", "--recipe", "smoke", "-o", tmp_path / "run"))
    assert "add one of shen2016, ccp, nyu and folder" in message


def test_hard_photos_come_from_a_file_of_evaluate(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text('{"mean_iou": 0.9}')
    for folder in ("shen", "ccp", "nyu"):
        (tmp_path / folder).mkdir()
    data = [
        a for n, f in (("shen2016", "shen"), ("ccp", "ccp"), ("nyu", "nyu")) for a in ("--data", f"{n}={tmp_path / f}")
    ]
    done = portraiture("train", "perception", "--recipe", "smoke", *data, "-o", tmp_path / "run",
                       "--hard", tmp_path / "figures.json")  # fmt: skip
    assert done.returncode == 2
    assert "--worst N --json" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_bench_reference_and_export_want_no_bundle(tmp_path: Path) -> None:
    for arguments in (("reference", "--bundle", tmp_path), ("export", "--bundle", tmp_path)):
        done = portraiture("bench", *arguments)
        assert done.returncode == 2
        assert "--bundle" in done.stderr
