"""The parity report: what is said of each row, and the page as a browser shows it."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Comparison, Link, Row, judge
from portraiture.export.parity.subjects import Subject, subject_of
from portraiture.export.tolerance import Tolerance
from portraiture.tools.report.gallery import Gallery
from portraiture.tools.report.histogram import error_counts
from portraiture.tools.report.html import html_report
from portraiture.tools.report.junit import junit_xml
from portraiture.tools.report.pictures import LONG_SIDE_PX, amplification, difference, picture

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
STRICT, LOOSE = Tolerance("rounding of float32", 1e-4), Tolerance("not seen by eye", min_psnr_db=40.0)
PERCEPTION = ModelFile("perception", Target.TFLITE, Precision.FP32, Size(64, 48), "tflite/perception_64x48_fp32.tflite")
SUBJECT, PIPELINE = Subject("perception <tflite> fp32 64x48", PERCEPTION), Subject("pipeline", PERCEPTION)


def pixels(data: str) -> np.ndarray:
    """The picture of a ``data:`` address."""
    import base64

    encoded = np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))


def comparison(
    link: Link, subject: Subject, output: str, photo: int, found: np.ndarray, expected: np.ndarray, gate: Tolerance
) -> Comparison:
    """As parity makes it."""
    return Comparison(link, subject, output, photo, found, expected, compare(found, expected), gate)


@pytest.fixture
def report(tmp_path: Path) -> tuple[Path, list[Row], Gallery, dict[str, np.ndarray]]:
    """A bundle's manifest, a row of each status, and two photos."""
    model = {
        "name": "perception", "target": "tflite", "precision": "fp32", "size": "64x48", "path": "a.tflite", "bytes": 1,
        "ops": {"ADD": 1}, "op_count": 1, "meaning": "", "inputs": [], "outputs": [],
    }  # fmt: skip
    manifest = {
        "contract_version": "1.0.0",
        "git_revision": "abc",
        "tools": {"torch": "2"},
        "resize": {},
        "compose": {},
    }
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text(
        json.dumps({**manifest, "models": [model], "files": {}, "weights": {}, "model_card": {}})
    )
    rng, gallery = np.random.default_rng(0), Gallery()
    photos = {f"{k}.jpg": rng.integers(0, 256, (64, 48, 3)).astype(np.uint8) for k in range(2)}
    masks, portraits = [], []
    for k in range(2):
        mask, portrait = rng.random((64, 48)), rng.random((64, 48, 3))
        masks.append((mask + 1e-6 * (k + 1), mask))
        portraits.append((portrait + 0.1, portrait))
        gallery.watch(comparison(Link.FILE, SUBJECT, "mask", k, *masks[-1], STRICT))
        gallery.watch(comparison(Link.PIPELINE, PIPELINE, "portrait", k, *portraits[-1], LOOSE))
    rows = [
        judge(Link.FILE, SUBJECT, "mask", {k: compare(*m) for k, m in enumerate(masks)}, STRICT),
        judge(Link.PIPELINE, PIPELINE, "portrait", {k: compare(*p) for k, p in enumerate(portraits)}, LOOSE),
        Row.not_run(Link.FILE, "all coreml", "runs on macOS only"),
    ]
    return bundle, rows, gallery, photos


def test_pictures_are_small_and_keep_their_colours() -> None:
    red = np.zeros((1000, 700, 3))
    red[..., 0] = 1
    small = pixels(picture(red))
    assert max(small.shape) == LONG_SIDE_PX
    assert np.abs(small.astype(int)[..., ::-1] - [255, 0, 0]).max() <= 3
    ramp = np.linspace(0, 1, 32)[None].repeat(8, 0)
    assert np.abs(pixels(picture(ramp)) / 255 - ramp).max() < 1 / 255
    assert pixels(picture(np.full((4, 4), np.nan))).max() == 0


def test_one_wrong_pixel_of_a_large_picture_is_seen() -> None:
    truth = np.zeros((1600, 1200))
    found = truth.copy()
    found[777, 333] = 1
    shown = difference(found, truth)
    assert shown.caption == "difference x 1"
    bright = pixels(shown.image).astype(int).sum(2)
    assert bright.max() > 2 * np.median(bright) + 100
    assert bright.argmax() == (777 // 5) * 240 + 333 // 5


@pytest.mark.parametrize(("error", "factor"), [(0.5, 1), (0.02, 10), (3e-6, 100_000), (0.0, 1)])
def test_differences_are_amplified_by_a_power_of_ten(error: float, factor: int) -> None:
    assert amplification(np.full((9, 9), error)) == factor


def test_errors_are_counted_by_size() -> None:
    counts = error_counts(np.array([0.0, 2e-9, 2e-4, 0.9, np.nan]), np.zeros(5))
    assert counts.sum() == 5
    assert counts[0] == 1
    assert counts[1] == 1
    assert counts[5 * 4 + 1] == 1
    assert counts[-1] == 2


def test_photos_beyond_the_first_are_counted_but_not_shown() -> None:
    gallery, same = Gallery(shown=1), np.zeros((4, 4))
    for k in range(3):
        gallery.watch(comparison(Link.FILE, SUBJECT, "mask", k, same, same, STRICT))
    assert gallery.counts[Link.FILE, SUBJECT, "mask"].sum() == 48
    assert list(gallery.strips) == [0]


def test_photos_that_fail_are_shown_up_to_a_number() -> None:
    gallery, same = Gallery(shown=2), np.zeros((4, 4))
    for output in ("mask", "depth"):
        for k in range(9):
            gallery.watch(comparison(Link.FILE, SUBJECT, output, k, same + (k > 4), same, STRICT))
    assert list(gallery.strips) == [0, 1, 5, 6]
    assert all(len(s) == 2 for s in gallery.strips.values())


def test_models_do_not_share_a_reference_picture() -> None:
    gallery = Gallery()
    for model, value in (("coarse", 0.2), ("perception", 0.8)):
        maps = np.full((4, 4), value)
        for target in (Target.TFLITE, Target.ONNX):
            file = ModelFile(model, target, Precision.FP32, Size(64, 64), f"{model}.{target.value}")
            gallery.watch(comparison(Link.FILE, subject_of(file), "mask", 0, maps, maps, STRICT))
    assert [s.title.split(":")[0] for s in gallery.strips[0].values()] == ["coarse", "perception"]
    shown = [pixels(s.reference.image).mean() / 255 for s in gallery.strips[0].values()]
    assert shown == pytest.approx([0.2, 0.8], abs=1 / 255)
    assert [len(s.shown) for s in gallery.strips[0].values()] == [2, 2]


def test_a_picture_says_when_another_engine_ran_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(PERCEPTION, target=Target.COREML)
    monkeypatch.setattr("portraiture.tools.report.gallery.engine_note", lambda file: "note" if file is other else "")
    gallery, maps = Gallery(), np.zeros((4, 4))
    for link, subject in (
        (Link.FILE, Subject("own", PERCEPTION)),
        (Link.FILE, Subject("other", other)),
        (Link.FILTER, Subject("no file")),
        (Link.DEVICE, Subject("on a device", other)),
    ):
        gallery.watch(comparison(link, subject, "mask", 0, maps, maps, STRICT))
    shown = [s.subject for strip in gallery.strips[0].values() for s in strip.shown]
    assert shown == ["own", "other (MIL interpreter)", "no file", "on a device"]


def test_junit_has_a_case_for_every_row(report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]]) -> None:
    bundle, rows, _, _ = report
    top = ElementTree.fromstring(junit_xml(bundle, rows))
    suites = {s.get("name"): s for s in top}
    assert suites[Link.FILE.value].get("tests") == "2"
    assert suites[Link.FILE.value].get("skipped") == suites[Link.PIPELINE.value].get("failures") == "1"
    failure = suites[Link.PIPELINE.value].find("testcase/failure")
    assert failure is not None
    assert re.fullmatch(
        r"expected PSNR >= 40 dB; found max error 1\.000e-01, PSNR 20\.00 dB", failure.get("message", "")
    )


def test_what_failed_before_it_gave_an_output_says_why_in_junit(tmp_path: Path) -> None:
    row = Row.failed(Link.FILE, SUBJECT, "a.tflite: expected a model, found 3 bytes; export it again")
    failure = ElementTree.fromstring(junit_xml(tmp_path, [row])).find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == failure.text == row.note


def test_the_page_is_whole_and_escaped(report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]]) -> None:
    text = html_report(*report)
    assert "perception &lt;tflite&gt; fp32" in text
    assert "not seen by eye" in text
    assert "runs on macOS only" in text
    assert text.count('<td class="name">1.jpg</td>') == 1  # the worse of two masks
    assert text.count("<svg") == 2  # rows that compared something
    assert text.count("<line") == 1  # a gate on the largest error
    assert text.count("<img") == 2 * (1 + 2 * 3)  # photos x (itself, strips x (reference, found, difference))
    assert not re.findall(r'(?:src|href)="(?!data:)', text)  # nothing from elsewhere


def test_a_browser_shows_every_picture_without_complaint(
    report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]], tmp_path: Path
) -> None:
    browser = next((b for b in BROWSERS if shutil.which(b)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    count = "[...document.images].filter(i => i.naturalWidth > 0).length"
    page = tmp_path / "report.html"
    page.write_text(html_report(*report).replace("</body>", f"<script>document.title = {count}</script></body>"))
    done = subprocess.run(
        [browser, "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=4000",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True, env=os.environ,
    )  # fmt: skip
    assert "<title>14</title>" in done.stdout
    assert "CONSOLE" not in done.stderr
