"""The links without a network: what stands for files and networks gives a few numbers, and says what it was asked."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from portraiture.export.bundle.goldens import INDEX, index_of
from portraiture.export.compare import Difference
from portraiture.export.contract import FilterLook, Size, model_contract
from portraiture.export.formats import Precision, Target
from portraiture.export.measured_errors import MeasuredError
from portraiture.export.model_file import ModelFile, file_path
from portraiture.export.networks.build import Checkpoints
from portraiture.export.parity import device, links, probes, run, settings
from portraiture.export.parity.device import device_rows, read_result
from portraiture.export.parity.filter_link import filter_rows, photos_for_size
from portraiture.export.parity.links import file_rows, known_rows, pipeline_rows, tensorflow_steps
from portraiture.export.parity.probes import probe_rows
from portraiture.export.parity.rows import Comparison, Link, Row, Status
from portraiture.export.parity.run import run_parity
from portraiture.export.parity.settings import setting_rows
from portraiture.export.pipeline.probes import probes_of
from portraiture.export.pipeline.settings import SETTINGS
from portraiture.export.sample_photo import sample_photo
from portraiture.reference.errors import InputError

SMALL, LARGE = Size(2, 3), Size(4, 2)
PHOTOS = [np.full((2, 3, 3), value, np.uint8) for value in (0, 51, 102)]


def file(name: str = "perception", size: Size = SMALL, target: Target = Target.TFLITE, entry: str = "") -> ModelFile:
    return ModelFile(name, target, Precision.FP32, size, file_path(name, target, Precision.FP32, size), entry)


def exact(name: str, level: float) -> dict[str, np.ndarray]:
    """What a model gives for a photo of this level: it, of its contract's names and shapes."""
    return {s.name: np.full((2, 3, 3) if s.name == "portrait" else (2, 3), level)
            for s in model_contract(name).outputs}  # fmt: skip


@dataclass
class FewNumbers:
    """Stands for the float64 networks: each output is the photo's level, plus aperture where there is one."""

    shipped: bool = True
    asked: list[Any] = field(default_factory=list)
    look: FilterLook = FilterLook.PAPER

    def feeds(self, name: str, size: Size, photo: np.ndarray) -> dict[str, Any]:
        return {"level": float(photo.flat[0]) / 255}

    def expected(self, name: str, size: Size, photo: np.ndarray) -> dict[str, np.ndarray]:
        return exact(name, float(photo.flat[0]) / 255)

    def feeds_at(self, name: str, size: Size, photo: np.ndarray, setting: Any) -> dict[str, Any]:
        return {"level": 10 * setting.aperture}

    def at_setting(self, name: str, size: Size, photo: np.ndarray, setting: Any) -> Any:
        feeds = self.feeds_at(name, size, photo, setting)
        return feeds, exact(name, feeds["level"])

    def feeds_on(self, name: str, size: Size, probe: Any) -> dict[str, Any]:
        return {"level": 0.25, "probe": probe.name}

    def on_probe(self, name: str, size: Size, probe: Any) -> Any:
        return self.feeds_on(name, size, probe), exact(name, 0.25)

    def portrait(self, size: Size, photo: np.ndarray, fused: bool = False) -> np.ndarray:
        self.asked.append((size, fused))
        return np.full(photo.shape, 0.75 if fused else 0.5)


Fault = Callable[[dict[str, np.ndarray], dict[str, Any]], dict[str, np.ndarray]]


def opened(monkeypatch: pytest.MonkeyPatch, module: Any, fault: Fault, name: str = "open_file") -> list[ModelFile]:
    """Make every file give what ``fault`` makes of the right outputs; the list tells which files were opened."""
    seen: list[ModelFile] = []

    def open_file(root: Path, file: ModelFile) -> Any:
        seen.append(file)
        given = lambda feeds: fault(exact(file.name, feeds["level"]), feeds)  # noqa: E731
        return SimpleNamespace(contract=model_contract(file.name), run=given)

    monkeypatch.setattr(module, name, open_file)
    return seen


def sound(found: dict[str, np.ndarray], _: dict[str, Any]) -> dict[str, np.ndarray]:
    return found


def wrong_where(level: float, by: float) -> Fault:
    """Adds to the mask's last value, and twice as much to the depth's, of the photo of this level alone."""

    def fault(found: dict[str, np.ndarray], feeds: dict[str, Any]) -> dict[str, np.ndarray]:
        if feeds["level"] == pytest.approx(level):
            found["mask"][-1, -1] += by
            found["depth"][-1, -1] += 2 * by
        return found

    return fault


def truth(shipped: bool = True) -> Any:
    return cast(Any, FewNumbers(shipped))


def test_a_file_has_a_row_for_each_output_and_the_worst_photo_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = opened(monkeypatch, links, wrong_where(0.2, 0.125))
    watched: list[Comparison] = []
    mask, depth = file_rows(Path(), file(), truth(), PHOTOS, watched.append)
    assert seen == [file()]
    assert (mask.output, depth.output) == ("mask", "depth")
    assert (mask.status, mask.worst, mask.photos, mask.link) == (Status.FAILED, 1, 3, Link.FILE)
    assert mask.difference is not None
    assert depth.difference is not None
    assert mask.difference.max_abs == pytest.approx(0.125)
    assert mask.difference.iou == 1.0  # 0.2 and 0.325: nobody is there
    assert (depth.difference.max_abs, depth.difference.iou) == (pytest.approx(0.25), None)
    assert [(c.output, c.photo, c.passed) for c in watched] == [
        ("mask", 0, True), ("depth", 0, True), ("mask", 1, False), ("depth", 1, False), ("mask", 2, True),
        ("depth", 2, True),
    ]  # fmt: skip
    assert watched[2].found[-1, -1] == pytest.approx(0.325)
    assert watched[2].expected[-1, -1] == pytest.approx(0.2)


def test_shipped_weights_are_held_to_what_was_measured_and_others_to_what_is_of_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(monkeypatch, links, wrong_where(0.2, 6e-5))  # measured: 1e-5 or less; of use: 1e-4
    assert {r.status for r in file_rows(Path(), file(), truth(), PHOTOS)} == {Status.FAILED}
    mask, depth = file_rows(Path(), file(), truth(shipped=False), PHOTOS)
    assert (mask.status, depth.status) == (Status.PASSED, Status.FAILED)  # depth: 1.2e-4


def test_tensorflow_runs_a_file_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = opened(monkeypatch, links, sound)
    other = opened(monkeypatch, links, sound, "open_tensorflow")
    rows = list(file_rows(Path(), file(), truth(), PHOTOS, tensorflow=True))
    assert (len(usual), len(other)) == (0, 1)
    assert {str(r.subject) for r in rows} == {"perception tflite fp32 2x3 by TensorFlow"}
    rows = list(file_rows(Path(), file(), truth(), PHOTOS))
    assert (len(usual), len(other)) == (1, 1)
    assert {str(r.subject) for r in rows} == {"perception tflite fp32 2x3"}


def refuse(*_: object) -> Any:
    raise InputError("a.tflite: expected a model, found none")


def test_a_file_that_does_not_open_is_one_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (links, probes, settings):
        monkeypatch.setattr(module, "open_file", refuse)
    for rows in (file_rows(Path(), file(), truth(), PHOTOS), probe_rows(Path(), file(), truth()),
                 setting_rows(Path(), file("filter"), truth(), PHOTOS[0])):  # fmt: skip
        (row,) = rows
        assert (row.status, row.note, row.link) == (Status.FAILED, "a.tflite: expected a model, found none", Link.FILE)


def weights(shipped: bool = True, own_db: float = 0.0) -> Any:
    """A truth of weights whose mask has ``own_db`` in PyTorch's fp16."""
    errors = {"mask": MeasuredError(0.1, own_db, own_db)}
    return cast(Any, SimpleNamespace(shipped=shipped, look=FilterLook.PAPER, remembered=lambda *_: errors))


def test_known_figures_of_other_weights_are_held_to_what_they_bear() -> None:
    """As the rows of a run are; else an export refuses what parity passes."""
    half = replace(file(), precision=Precision.FP16)
    known = {"mask": Difference(True, 8e-3, 1e-3, 58.6, 50.0, 1.0), "depth": Difference(True, 1e-5, 1e-6, 90.0, 80.0)}
    for own_db, status in ((58.6, Status.PASSED), (75.0, Status.FAILED)):
        mask, _ = known_rows(half, known, weights(shipped=False, own_db=own_db))
        assert mask.status is status


def test_known_figures_are_the_rows_of_a_run() -> None:
    near, far = Difference(True, 6e-5, 1e-5, 100.0, 90.0, 1.0), Difference(True, 0.1, 0.1, 20.0, 20.0)
    mask, depth = known_rows(file(), {"depth": far, "mask": near}, weights(shipped=False))
    assert (mask.output, mask.difference, mask.status) == ("mask", near, Status.PASSED)
    assert (depth.output, depth.difference, depth.status) == ("depth", far, Status.FAILED)
    assert next(iter(known_rows(file(), {"depth": far, "mask": near}, weights()))).status is Status.FAILED  # measured
    for names in (["mask"], ["mask", "depth", "portrait"], []):
        with pytest.raises(InputError, match="expected known figures of mask, depth, found"):
            known_rows(file(), dict.fromkeys(names, near), weights())


class Drawn:
    """Stands for the exported pipeline: its portraits are right but for ``by``."""

    def __init__(self, by: float) -> None:
        self.by = by

    def perceive(self, photo: np.ndarray) -> str:
        return "maps"

    def render(self, photo: np.ndarray, maps: str, aperture: float) -> np.ndarray:
        assert (maps, aperture) == ("maps", 0.016)
        return np.full(photo.shape, 0.5 + self.by)

    def render_fused(self, photo: np.ndarray, aperture: float) -> np.ndarray:
        assert aperture == 0.016
        return np.full(photo.shape, 0.75 + self.by)


@pytest.mark.parametrize("tensorflow", [False, True])
def test_pipelines_are_of_two_models_or_of_the_one(monkeypatch: pytest.MonkeyPatch, tensorflow: bool) -> None:
    made: list[tuple[list[str], Size, bool]] = []

    def pipeline(root: Path, group: dict[str, ModelFile], size: Size, by_tensorflow: bool = False) -> Drawn:
        made.append((sorted(group), size, by_tensorflow))
        return Drawn(0.1 if "portrait" in group else 0.0)

    monkeypatch.setattr(links, "exported_pipeline", pipeline)
    few, watched = truth(), list[Comparison]()
    files = [file("portrait"), file("perception"), file("filter"), file("coarse"), file("filter", LARGE)]
    two, one = pipeline_rows(Path(), files, few, PHOTOS, watched.append, tensorflow)
    assert made == [(["filter", "perception"], SMALL, tensorflow), (["portrait"], SMALL, tensorflow)]
    by = " by TensorFlow" if tensorflow else ""
    assert (str(two.subject), two.status) == (f"pipeline tflite fp32 2x3{by}", Status.PASSED)
    assert (str(one.subject), one.status) == (f"portrait pipeline tflite fp32 2x3{by}", Status.FAILED)
    assert (two.photos, two.output, two.link) == (3, "portrait", Link.PIPELINE)
    assert few.asked == [(SMALL, False)] * 3 + [(SMALL, True)] * 3
    assert [c.photo for c in watched] == [0, 1, 2, 0, 1, 2]


def test_a_pipeline_that_does_not_open_fails_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drawn, "render", refuse)
    monkeypatch.setattr(links, "exported_pipeline", lambda *_: Drawn(0.0))
    two, one = pipeline_rows(Path(), [file("portrait"), file("perception"), file("filter")], truth(), PHOTOS)
    assert (two.status, two.output, two.note) == (Status.FAILED, "portrait", "a.tflite: expected a model, found none")
    assert two.tolerance != "-"
    assert one.status is Status.PASSED


def test_an_exported_pipeline_opens_the_files_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = opened(monkeypatch, links, sound)
    other = opened(monkeypatch, links, sound, "open_tensorflow")
    group = {name: file(name) for name in ("perception", "filter")}
    links.exported_pipeline(Path(), group, SMALL).runner("filter", SMALL)
    assert (usual, other) == ([file("filter")], [])
    links.exported_pipeline(Path(), group, SMALL, tensorflow=True).runner("perception", SMALL)
    assert (usual, other) == ([file("filter")], [file("perception")])


def test_tensorflow_runs_tflite_files_and_their_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file("perception"), file("filter"), file("perception", target=Target.ONNX)]
    monkeypatch.setattr(links, "has_tensorflow", lambda: False)
    ((what, rows),) = tensorflow_steps(Path(), files, truth(), PHOTOS)
    (row,) = rows
    assert (what, str(row.subject), row.status) == ("all tflite by TensorFlow",) * 2 + (Status.NOT_RUN,)
    assert "tensorflow extra is not installed" in row.note
    assert tensorflow_steps(Path(), files[2:], truth(), PHOTOS) == []
    monkeypatch.setattr(links, "has_tensorflow", lambda: True)
    seen = opened(monkeypatch, links, sound, "open_tensorflow")
    monkeypatch.setattr(links, "exported_pipeline", lambda *_: Drawn(0.0))
    steps = tensorflow_steps(Path(), files, truth(), PHOTOS)
    names = ["perception tflite fp32 2x3", "filter tflite fp32 2x3", "pipeline tflite fp32 2x3"]
    assert [what for what, _ in steps] == [f"{name} by TensorFlow" for name in names]
    assert seen == []  # nothing runs before its rows are asked for
    found = [row for _, rows in steps for row in rows]
    assert seen == files[:2]
    assert {r.status for r in found} == {Status.PASSED}
    assert {str(r.subject) for r in found} == {f"{name} by TensorFlow" for name in names}


def test_probes_are_cases_of_no_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    all_probes = probes_of("perception")

    def fault(found: dict[str, np.ndarray], feeds: dict[str, Any]) -> dict[str, np.ndarray]:
        found["mask"][0, 0] += 0.25 * (feeds["probe"] == all_probes[2].name)
        return found

    opened(monkeypatch, probes, fault)
    mask, depth = probe_rows(Path(), file(), truth())
    assert (mask.output, mask.status) == (f"mask on {len(all_probes)} probes", Status.FAILED)
    assert (mask.note, mask.photos, mask.worst) == (f"worst on {all_probes[2].name}", 1, None)
    assert mask.difference is not None
    assert mask.difference.max_abs == 0.25
    assert mask.feeds is not None
    assert mask.feeds()["probe"] == all_probes[2].name
    assert depth.status is Status.PASSED
    assert len(mask.every) == len(all_probes)


def test_settings_are_compared_one_by_one_and_by_what_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apertures 0.016, 0, 0.008, 0.024, 0.032, 0.04: ten times them is the level, and the change from the first."""
    watched: list[Comparison] = []

    def fault(found: dict[str, np.ndarray], feeds: dict[str, Any]) -> dict[str, np.ndarray]:
        worse = feeds["level"] == pytest.approx(0.32)
        return {"portrait": found["portrait"] + (0.016 if worse else 0.0)}

    opened(monkeypatch, settings, fault)
    portraits, changes = setting_rows(Path(), file("filter"), truth(), PHOTOS[0], watched.append)
    assert portraits.difference is not None
    assert changes.difference is not None
    assert portraits.difference.max_abs == pytest.approx(0.016)
    # it should change by 0.16 and changes by 0.176: a tenth too much is 20 dB
    assert changes.difference.psnr_db == pytest.approx(20)
    assert (portraits.status, changes.status) == (Status.FAILED, Status.FAILED)
    assert (len(portraits.every), len(changes.every)) == (6, 5)
    for row in (portraits, changes):
        assert row.note == "worst at aperture 0.032, focus the person"
        assert row.feeds is not None
        assert row.feeds() == {"level": pytest.approx(0.32)}
        assert (row.photos, row.worst) == (1, None)
    (shown,) = watched
    assert shown.output == f"portrait at {len(SETTINGS)} settings"
    assert shown.expected.flat[0] == pytest.approx(0.32)


class Looked:
    """Stands for the float64 pipeline at one size: half the picture is a person, and the filter gives the photo."""

    def __init__(self, person: bool) -> None:
        self.person = person

    def perceive(self, photo: np.ndarray) -> Any:
        mask, depth = np.zeros(photo.shape[:2]), np.ones(photo.shape[:2])
        if self.person:
            mask[:, :16] = 1
        frame = SimpleNamespace(aperture=lambda aperture: 8 * aperture)
        return SimpleNamespace(
            model_rgb=photo, model_mask=mask, model_depth=np.where(mask > 0, 0.2, depth), frame=frame
        )

    def filter(self, maps: Any, aperture: float) -> np.ndarray:
        assert aperture == 0.016
        return np.asarray(maps.model_rgb / 255)


def test_the_filter_is_asked_for_a_gain_where_the_reference_blurs() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    networks = SimpleNamespace(checkpoints=Checkpoints())

    def looked(person: bool) -> Any:
        return SimpleNamespace(pipeline=lambda size: Looked(person), look=FilterLook.PAPER, networks=networks)

    noisy = looked(person=True)
    watched: list[Comparison] = []
    against, gain = filter_rows(noisy, Size(32, 32), {3: stripes}, watched.append)
    assert (against.status, gain.status) == (Status.FAILED, Status.FAILED)
    assert gain.difference is not None
    assert gain.difference.psnr_db == pytest.approx(0)  # the photo itself gains nothing
    (shown,) = watched
    assert (shown.photo, shown.output, shown.link) == (3, "portrait", Link.FILTER)
    np.testing.assert_array_equal(shown.found[0, :4, 0], [1, 0, 1, 0])
    np.testing.assert_allclose(shown.expected[:, 28, :], 0.5, atol=0.2)  # blurred, in 0..1
    flat = np.full((32, 32, 3), 51, np.uint8)
    against, gain = filter_rows(noisy, Size(32, 32), {0: flat})
    assert (against.status, gain.status) == (Status.PASSED, Status.NOT_RUN)
    assert "hardly blurs" in gain.note
    (row,) = filter_rows(looked(person=False), Size(32, 32), {0: stripes})
    assert (row.status, row.note) == (Status.NOT_RUN, "no photo with a person")


def test_each_size_is_shown_its_own_photos_alone() -> None:
    upright, across = np.zeros((8, 6, 3), np.uint8), np.zeros((6, 8, 3), np.uint8)
    tall, wide = Size(128, 96), Size(96, 128)
    for size, own in ((tall, [0, 2]), (wide, [1])):
        assert list(photos_for_size([upright, across, upright], size, [wide, tall])) == own


FILES = [file("filter"), file("perception"), file("perception", LARGE), file("perception", target=Target.COREML)]


@dataclass
class Steps:
    """What a run of parity called, in order, and what it reported."""

    called: list[tuple[Any, ...]] = field(default_factory=list)
    reported: list[tuple[str, int, int]] = field(default_factory=list)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Each step of a run gives one row that is named after it."""
    found = Steps()

    def row(name: str) -> Row:
        return Row.not_run(Link.FILE, name, "")

    def lazily(name: str, *what: Any) -> Iterator[Row]:
        found.called.append((name, *what))
        yield row(" ".join(map(str, (name, *what))))

    bundle = SimpleNamespace(files=FILES, root=Path(), manifest={"models": []})
    monkeypatch.setattr(run, "open_bundle", lambda root: bundle)
    for name in ("check_golden_truth", "check_inside"):
        monkeypatch.setattr(run, name, lambda *_: None)
    monkeypatch.setattr(run, "golden_rows", lambda *_: lazily("goldens"))
    monkeypatch.setattr(run, "file_rows", lambda root, f, t, photos, w: lazily("file", f.path, len(photos)))
    monkeypatch.setattr(run, "known_rows", lambda f, known, truth: lazily("known", f.path, truth.shipped))
    monkeypatch.setattr(run, "filter_rows", lambda t, size, photos, w, known: lazily("filter", size, known))
    monkeypatch.setattr(run, "pipeline_rows", lambda root, fs, t, photos, w: lazily("pipeline", len(fs), len(photos)))
    monkeypatch.setattr(run, "tensorflow_steps", lambda *_: iter([("by TensorFlow", lazily("tensorflow"))]))
    monkeypatch.setattr(run, "probe_rows", lambda root, f, t: lazily("probes", f.path))
    monkeypatch.setattr(run, "setting_rows", lambda root, f, t, photo, w: lazily("settings", f.path, photo.shape[0]))
    return found


def few_weights(shipped: bool = True) -> Any:
    networks = SimpleNamespace(checkpoints=Checkpoints())
    few = SimpleNamespace(shipped=shipped, look=FilterLook.PAPER, networks=networks)
    few.of_manifest = lambda manifest: few
    return few


PATHS = [f.path for f in FILES]


def test_a_run_takes_files_by_model_and_gives_them_by_manifest(steps: Steps) -> None:
    def report(what: str, done: int, of: int) -> None:
        assert len(steps.called) == done  # a step is reported before it runs
        steps.reported.append((what, done, of))

    rows = run_parity(Path(), truth=few_weights(), report=report)
    sample = sample_photo().shape[0]
    first = ["goldens", *(f"file {path} 1" for path in PATHS)]
    rest = [
        "filter 2x3 True", "filter 4x2 True", "pipeline 2 1", "tensorflow",
        f"probes {PATHS[0]}", f"probes {PATHS[1]}", f"probes {PATHS[3]}", f"probes {PATHS[2]}",
        f"settings {PATHS[0]} {sample}", "all coreml",
    ]  # fmt: skip
    assert [str(r.subject) for r in rows] == first + rest
    by_model = [PATHS[0], PATHS[1], PATHS[3], PATHS[2]]
    assert [what[1] for what in steps.called if what[0] == "file"] == by_model
    assert [done for _, done, _ in steps.reported] == list(range(14))
    assert {of for _, _, of in steps.reported} == {14}
    assert steps.reported[0][0] == "the goldens"
    assert steps.reported[1][0] == "filter tflite fp32 2x3"
    assert steps.reported[5][0] == "filter against the CRF reference at 2x3"
    assert steps.reported[-1][0] == f"filter tflite fp32 2x3 at {len(SETTINGS)} settings"


def test_a_run_on_photos_knows_no_figure(steps: Steps) -> None:
    rows = [str(r.subject) for r in run_parity(Path(), PHOTOS, few_weights())]
    assert f"file {PATHS[0]} 3" in rows
    assert {"filter 2x3 False", "filter 4x2 False", "pipeline 2 3", f"settings {PATHS[0]} 2"} <= set(rows)
    assert "filter 2x3 False" in [str(r.subject) for r in run_parity(Path(), truth=few_weights(shipped=False))]


def test_known_figures_stand_for_a_run_of_the_file(steps: Steps) -> None:
    known = {PATHS[1]: dict[str, Difference]()}
    rows = [str(r.subject) for r in run_parity(Path(), truth=few_weights(), known=known)]
    assert rows[1:4] == [f"file {PATHS[0]} 1", f"known {PATHS[1]} True", f"file {PATHS[2]} 1"]
    with pytest.raises(InputError, match="known figures for the sample photo alone, found photos"):
        run_parity(Path(), PHOTOS, few_weights(), known=known)
    assert run_parity(Path(), PHOTOS, few_weights(), known={})


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Goldens of a bundle of two files, and what a good device wrote of the second."""
    files = [file("filter"), file("perception")]
    monkeypatch.setattr(device, "open_bundle", lambda root: SimpleNamespace(files=files))
    index = index_of(files)
    (tmp_path / "goldens").mkdir()
    (tmp_path / INDEX).write_text(json.dumps(index))
    for entry in index["arrays"].values():
        values = np.full(entry["shape"], 0.5).astype(entry["dtype"])
        (tmp_path / "goldens" / entry["file"]).write_bytes(values.tobytes())
    folder = tmp_path / "results"
    own = folder / "tflite/perception_2x3_fp32"
    own.mkdir(parents=True)
    for name in ("mask", "depth"):
        (own / f"{name}.bin").write_bytes(np.full((2, 3), 0.5, "<f4").tobytes())
    return folder


def test_what_a_device_wrote_is_held_to_the_goldens(results: Path) -> None:
    watched: list[Comparison] = []
    missing, mask, depth = device_rows(results.parent, results, watched.append)
    assert (missing.status, missing.link, str(missing.subject)) == (
        Status.FAILED, Link.DEVICE, "filter tflite fp32 2x3"
    )  # fmt: skip
    assert missing.note.endswith("or give --allow-missing 'tflite/filter_2x3_fp32'")
    assert (mask.status, mask.output, depth.status, depth.output) == (Status.PASSED, "mask", Status.PASSED, "depth")
    assert mask.difference == Difference(True, 0.0, 0.0, math.inf, math.inf, 1.0)
    assert depth.difference == Difference(True, 0.0, 0.0, math.inf, math.inf, None)
    assert [(c.output, c.photo) for c in watched] == [("mask", 0), ("depth", 0)]
    assert (mask.photos, mask.worst) == (1, None)
    path = results / "tflite/perception_2x3_fp32/mask.bin"
    path.write_bytes(np.array([[0.5] * 3, [0.5, 0.5, 0.6]], "<f4").tobytes())
    _, mask, depth = device_rows(results.parent, results)
    assert (mask.status, depth.status) == (Status.FAILED, Status.PASSED)
    assert mask.difference is not None
    assert mask.difference.max_abs == pytest.approx(0.1)


@pytest.mark.parametrize(("pattern", "status"), [("tflite/*", Status.NOT_RUN), ("onnx/*", Status.FAILED)])
def test_results_may_be_missing_where_a_pattern_says_so(results: Path, pattern: str, status: Status) -> None:
    missing, *_ = device_rows(results.parent, results, allow_missing=["none", pattern])
    assert missing.status is status
    assert "no results in" in missing.note


def test_a_device_that_wrote_nothing_is_told_the_first_path(results: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = r"expected results such as tflite/filter_2x3_fp32/portrait\.bin, found none"
    with pytest.raises(InputError, match=said):
        device_rows(results.parent, tmp_path / "empty")
    with pytest.raises(InputError, match="--device-results: expected a folder, found none at"):
        device_rows(results.parent, tmp_path / "nowhere")


@pytest.mark.parametrize("count", [0, 6, 10, 23, 25, 48])
def test_a_result_of_another_length_says_both_that_fit(tmp_path: Path, count: int) -> None:
    path = tmp_path / "mask.bin"
    path.write_bytes(bytes(count))
    said = rf"expected \(2, 3\), 24 bytes of float32 or 12 bytes of float16, found {count} bytes"
    with pytest.raises(InputError, match=said):
        read_result(path, (2, 3))
    path.write_bytes(np.arange(6, dtype="<f2").tobytes())
    assert read_result(path, (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    path.write_bytes(np.arange(6, dtype="<f4").tobytes())
    assert read_result(path, (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    path.unlink()
    with pytest.raises(InputError, match=r"mask\.bin: expected an output of \(2, 3\), found none"):
        read_result(path, (2, 3))
