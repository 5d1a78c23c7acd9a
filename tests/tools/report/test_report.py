"""The parity report: what is said of each row, and the page as a browser shows it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Comparison, Link, Row, Status, judge
from portraiture.export.parity.subjects import Subject, subject_of
from portraiture.export.tolerance import Tolerance
from portraiture.reference.errors import InputError
from portraiture.tools.report.before import Before, read_before
from portraiture.tools.report.gallery import Gallery
from portraiture.tools.report.histogram import error_counts
from portraiture.tools.report.html import html_report, verdict_of
from portraiture.tools.report.junit import junit_xml
from portraiture.tools.report.matrix import matrix_of
from portraiture.tools.report.pictures import LONG_SIDE_PX, amplification, difference, picture

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
    assert shown == ["own", "other (note)", "no file", "on a device"]


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
    assert not re.findall(r'(?:src|href)="(?!data:|#row-)', text)  # nothing from elsewhere


def test_a_browser_shows_every_picture_without_complaint(
    report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]], page: Any, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(html_report(*report))
    page.open((tmp_path / "report.html").as_uri())
    assert page.value("[...document.images].filter(i => i.naturalWidth > 0).length") == 14 + 4  # each slider's own
    assert page.value("[...document.images].every(i => i.complete && i.naturalWidth)")
    assert not page.complaints


def test_rows_are_filtered_by_status_and_words(
    report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]], page: Any, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(html_report(*report))
    page.open((tmp_path / "report.html").as_uri())
    shown = (
        "[...document.querySelectorAll('.rows tbody tr')].filter(r => r.offsetHeight).map(r => r.cells[2].textContent)"
    )

    def press(status: str) -> Any:
        page.value(f"document.querySelector('button[data-status=\"{status}\"]').click()")
        return page.value(shown)

    assert page.value(shown) == ["passed", "not run", "failed"]
    assert press("failed") == ["failed"]
    assert page.value("document.querySelector('#shown').textContent") == "1 of 3 rows"
    assert page.value("[...document.querySelectorAll('section')].filter(s => s.offsetHeight).length") == 1
    page.value("[...document.querySelectorAll('.listed a')].pop().click()")  # a link to a hidden row shows all again
    page.until("document.querySelectorAll('.rows tr[hidden]').length === 0")
    assert press("not-run") == ["not run"]
    assert press("") == ["passed", "not run", "failed"]
    words = (
        "const w = document.querySelector('input[type=search]'); w.value = '{}'; w.dispatchEvent(new Event('input'))"
    )
    page.value(f"{{{words.format('MASK tflite')}}}")
    assert page.value(shown) == ["passed"]


def test_a_slider_lays_the_reference_over_what_was_found(
    report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]], page: Any, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(html_report(*report))
    page.open((tmp_path / "report.html").as_uri())
    over = "document.querySelector('.slide img + img')"
    assert page.value(f"{over}.src === document.querySelector('.reference img').src")
    assert page.value(f"{over}.style.clipPath") == "inset(0px 100% 0px 0px)"  # at first what was found is seen
    page.value("{const b = document.querySelector('.slide input'); b.value = 30; b.dispatchEvent(new Event('input'))}")
    assert page.value(f"{over}.style.clipPath") == "inset(0px 70% 0px 0px)"
    sizes = "[...document.querySelector('.slide').querySelectorAll('img')].map(i => i.getBoundingClientRect().width)"
    widths = page.value(sizes)
    assert widths[0] == widths[1] > 0


def test_names_with_markup_stay_text_in_a_browser(
    report: tuple[Path, list[Row], Gallery, dict[str, np.ndarray]], page: Any, tmp_path: Path
) -> None:
    bundle, rows, gallery, photos = report
    attack = "</script><script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    manifest = json.loads((bundle / "manifest.json").read_text())
    changed = {**manifest, "contract_version": attack, "git_revision": attack, "tools": {attack: attack}}
    (bundle / "manifest.json").write_text(json.dumps(changed))
    subject = Subject(attack, replace(PERCEPTION, name=attack))
    one = np.zeros((8, 8))
    gallery.watch(comparison(Link.FILE, subject, attack, 0, one, one + 1, STRICT))
    rows = [
        *rows,
        judge(Link.FILE, subject, attack, {0: compare(one, one + 1)}, STRICT),
        Row.not_run(Link.FILE, attack, attack),
    ]
    earlier = Before(attack, {})
    named = {f"{attack}{k}": photo for k, photo in enumerate(photos.values())}
    (tmp_path / "report.html").write_text(html_report(bundle, rows, gallery, named, earlier))
    page.open((tmp_path / "report.html").as_uri())
    assert page.value("document.title") == "Parity of bundle"
    assert page.value("document.scripts.length") == 1
    assert page.value("document.querySelectorAll('[onerror]').length") == 0
    assert attack in page.value("document.body.textContent")


class TestBefore:
    """An earlier report beside this one."""

    def rows(self, error: float) -> list[Row]:
        maps = np.zeros((8, 8))
        return [
            judge(Link.FILE, SUBJECT, "mask", {0: compare(maps + error, maps)}, LOOSE),
            judge(Link.FILE, SUBJECT, "depth", {0: compare(maps + 1e-4, maps)}, LOOSE),
        ]

    def written(self, folder: Path, rows: list[Row]) -> Path:
        folder.mkdir()
        (folder / "parity.json").write_text(json.dumps([r.to_json() for r in rows]))
        return folder

    def test_what_is_worse_new_or_gone_is_counted(self, tmp_path: Path) -> None:
        before = read_before(self.written(tmp_path / "v1", [*self.rows(1e-3), Row.not_run(Link.FILE, "gone", "why")]))
        worse, same = self.rows(2e-3)
        assert [before.is_worse(row) for row in (worse, same)] == [True, False]
        assert str(before.of(worse)) == "60.0 dB, passed"
        new = Row.not_run(Link.FILE, "new", "why")
        assert before.line([worse, same, new]) == (
            "compared with v1: 1 of 2 rows worse (failed, not run or 1 dB less), 1 new, 1 gone"
        )
        assert not before.is_worse(self.rows(1.1e-3)[0])  # 0.8 dB
        assert before.is_worse(replace(same, status=Status.NOT_RUN))

    def test_the_page_shows_it(self, tmp_path: Path, report: tuple[Path, list[Row], Gallery, Any]) -> None:
        bundle, _, gallery, photos = report
        before = read_before(self.written(tmp_path / "v1", self.rows(1e-3)[:1]))
        text = html_report(bundle, self.rows(2e-3), gallery, photos, before)
        assert "<td class=failed>60.0 dB, passed</td>" in text
        assert "<td>new</td>" in text
        assert "Compared with v1: 1 of 1 rows worse" in text

    def test_an_exact_row_has_no_number_in_json(self, tmp_path: Path) -> None:
        before = read_before(self.written(tmp_path / "v1", self.rows(0.0)))
        assert not before.is_worse(self.rows(0.0)[0])
        assert before.is_worse(self.rows(1e-3)[0])

    @pytest.mark.parametrize("text", ["", "{}", "[3]", '[{"link": "a"}]', '[{"link": 1, "subject": 2, "output": 3}]'])
    def test_other_files_are_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "parity.json").write_text(text)
        with pytest.raises(InputError, match=r"expected rows of a report of parity"):
            read_before(tmp_path)
        with pytest.raises(InputError, match=r"expected a report's parity.json, found no such file"):
            read_before(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ("pp", ("passed", "All 2 comparisons passed")),
        ("pn", ("not-run", "Nothing failed; 1 of 2 comparisons were not run")),
        ("fn", ("failed", "1 of 2 comparisons failed")),
    ],
)
def test_the_page_begins_with_the_verdict(statuses: str, said: tuple[str, str]) -> None:
    maps = np.zeros((4, 4))
    made = {
        "p": judge(Link.FILE, SUBJECT, "mask", {0: compare(maps, maps)}, STRICT),
        "f": judge(Link.FILE, SUBJECT, "mask", {0: compare(maps + 1, maps)}, STRICT),
        "n": Row.not_run(Link.FILE, "all coreml", "runs on macOS only"),
    }
    assert tuple(verdict_of([made[s] for s in statuses]).values()) == said


def test_the_matrix_has_the_worst_of_each_files_rows(report: tuple[Path, list[Row], Gallery, Any]) -> None:
    other = replace(PERCEPTION, precision=Precision.FP16)
    rows = [*report[1], Row.not_run(Link.FILE, Subject("half", other), "no runtime")]
    found = matrix_of(rows)
    assert found["columns"] == ["tflite fp32", "tflite fp16"]
    assert found["rows"] == [
        ("perception 64x48", [{"status": "passed", "text": "passed"}, {"status": "not run", "text": "1 not run"}]),
        ("pipeline 64x48", [{"status": "failed", "text": "1 failed"}, None]),
    ]
