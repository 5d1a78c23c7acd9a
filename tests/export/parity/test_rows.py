"""What a row says: its verdict, its words, and its plain values, by differences made by hand."""

import json
import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from portraiture.export.compare import Difference
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Comparison, Link, Row, Status, counts, first_failure, judge, of_one_photo
from portraiture.export.parity.subjects import Subject, pipeline_groups, pipeline_kind, subject_of
from portraiture.export.tolerance import Tolerance

SIZE = Size(128, 96)
GATE = Tolerance("rounding", max_abs=0.1, min_psnr_db=20.0)
GOOD, FAIR = Difference(True, 0.01, 0.001, 60.0, 55.0), Difference(True, 0.05, 0.01, 40.0, 35.0, 0.9)
BAD = Difference(True, 0.5, 0.1, 10.0, 5.0)
NAN = Difference(False, math.inf, math.inf, -math.inf, -math.inf)


def file(name: str = "perception", precision: Precision = Precision.FP32, entry: str = "") -> ModelFile:
    return ModelFile(name, Target.TFLITE, precision, SIZE, f"tflite/{name}.tflite", entry)


def test_a_row_of_several_photos_says_which_was_the_worst() -> None:
    row = judge(Link.FILE, "x", "mask", {0: GOOD, 4: FAIR, 7: GOOD}, GATE, "measured here")
    assert (row.status, row.difference, row.worst, row.photos) == (Status.PASSED, FAIR, 4, 3)
    assert row.every == (GOOD, FAIR, GOOD)
    assert (row.tolerance, row.reason, row.gate, row.note) == (str(GATE), "rounding", GATE, "measured here")
    assert row.subject == Subject("x")
    one = judge(Link.FILE, subject_of(file()), "mask", {4: GOOD}, GATE)
    assert (one.worst, one.photos, one.note) == (None, 1, "")
    assert one.subject.file == file()


def test_one_photo_that_fails_fails_the_row() -> None:
    row = judge(Link.FILE, "x", "mask", {0: GOOD, 1: BAD}, GATE)
    assert (row.status, row.difference) == (Status.FAILED, BAD)
    row = judge(Link.FILE, "x", "mask", {0: NAN, 1: BAD}, GATE)
    assert (row.difference, row.note) == (NAN, "NaN or infinity in the output")
    assert judge(Link.FILE, "x", "mask", {0: NAN}, GATE, "n").note == "n; NaN or infinity in the output"


def test_a_row_as_plain_values() -> None:
    row = judge(Link.PIPELINE, "x", "portrait", {0: GOOD, 1: FAIR}, GATE, "n")
    plain = {
        "link": "exported pipeline against Python pipeline", "subject": "x", "output": "portrait", "status": "passed",
        "tolerance": "max error <= 0.1, PSNR >= 20 dB", "reason": "rounding", "photos": 2, "note": "n",
        "max_abs": 0.05, "mean_abs": 0.01, "psnr_db": 40.0, "tile_psnr_db": 35.0, "iou": 0.9,
    }  # fmt: skip
    assert row.to_json() == plain
    assert row.to_json(["a.jpg", "b.jpg"]) == {**plain, "worst": "b.jpg"}
    single = judge(Link.FILE, "x", "mask", {0: replace(GOOD, psnr_db=math.inf)}, GATE)
    found = json.loads(json.dumps(single.to_json(["a.jpg"]), allow_nan=False))
    assert "worst" not in found
    assert "iou" not in found
    assert (found["psnr_db"], found["tile_psnr_db"]) == ("inf", 55.0)


def test_rows_without_figures_say_what_they_would_have_been_held_to() -> None:
    for make, status in ((Row.not_run, "not run"), (Row.failed, "failed")):
        row = make(Link.FILTER, "x", "why", "portrait", GATE)
        assert row.to_json() == {
            "link": "RNN filter against CRF reference", "subject": "x", "output": "portrait", "status": status,
            "tolerance": str(GATE), "reason": "rounding", "photos": 0, "note": "why",
        }  # fmt: skip
        bare = make(Link.FILTER, Subject("y"), "why")
        assert (bare.output, bare.tolerance, bare.reason, str(bare.subject)) == ("-", "-", "-", "y")


def test_cases_of_one_photo_are_no_photos() -> None:
    row = judge(Link.FILE, "x", "mask", {0: GOOD, 1: FAIR}, GATE, "n")
    found = of_one_photo(row, "worst on noise", dict)
    assert (found.photos, found.worst, found.note) == (1, None, "n; worst on noise")
    assert of_one_photo(replace(row, note=""), "worst on noise", dict).note == "worst on noise"
    assert found.feeds is dict


def test_the_first_failure_is_one_that_is_explained() -> None:
    passed, bad = judge(Link.FILE, "good", "mask", {0: GOOD}, GATE, "n"), judge(Link.FILE, "a", "mask", {0: BAD}, GATE)
    explained = replace(bad, subject=Subject("b"), note="upside down")
    assert first_failure([passed, bad, explained]) == "b mask: upside down"
    assert first_failure([passed, bad]) == "a mask: outside its gate"
    assert first_failure([passed]) == ""


def test_every_status_is_counted() -> None:
    rows = [judge(Link.FILE, "x", "mask", {0: d}, GATE) for d in (GOOD, BAD, GOOD)]
    assert counts(rows) == {Status.PASSED: 2, Status.FAILED: 1, Status.NOT_RUN: 0}


def test_what_was_compared_cannot_be_changed_afterwards() -> None:
    comparison = Comparison(Link.FILE, Subject("x"), "mask", 0, np.zeros(1), np.zeros(1), BAD, GATE)
    assert not comparison.passed
    assert replace(comparison, difference=GOOD).passed
    for thing, name in ((comparison, "difference"), (judge(Link.FILE, "x", "m", {0: GOOD}, GATE), "status"),
                        (GOOD, "iou"), (GATE, "max_abs"), (Subject("x"), "name")):  # fmt: skip
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, None)


def test_pipelines_need_both_their_models() -> None:
    files = [file("perception"), file("filter"), file("coarse"), file("portrait"), file("perception", Precision.FP16)]
    groups = {str(subject): sorted(group) for subject, group in pipeline_groups(files).items()}
    assert groups == {
        "pipeline tflite fp32 128x96": ["filter", "perception"],
        "portrait pipeline tflite fp32 128x96": ["portrait"],
    }
    subjects = list(pipeline_groups(files))
    assert [s.file and s.file.name for s in subjects] == ["perception", "portrait"]
    assert pipeline_groups([file("filter")]) == {}


def test_names_of_subjects() -> None:
    assert str(subject_of(file())) == "perception tflite fp32 128x96"
    assert str(subject_of(file(entry="perception_128x96"))) == "perception tflite fp32 128x96 in perception.tflite"
    assert str(Subject("x").run_by("TensorFlow")) == "x by TensorFlow"
    assert str(Subject("x").run_by("")) == "x"
    assert (pipeline_kind(file("portrait")), pipeline_kind(file("filter"))) == ("portrait pipeline", "pipeline")
