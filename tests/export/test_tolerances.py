"""The table of tolerances against that of measured errors: a file may have three times the sound one's error."""

from dataclasses import replace

import pytest

from portraiture.export.compare import Difference
from portraiture.export.contract import MODELS, Size
from portraiture.export.formats import PRECISIONS, Precision, Target
from portraiture.export.measured_errors import CHANGE, MeasuredError, read_table
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import (
    FILTER_AGAINST_CRF,
    FILTER_GAIN,
    GOLDEN,
    change_tolerance,
    file_tolerance,
    filter_tolerance,
    pipeline_tolerance,
    probe_tolerance,
)

MEASURED = read_table()

EVERY = [(name, target, precision, spec.name) for name, contract in MODELS.items() for spec in contract.outputs
         for target, precisions in PRECISIONS.items() for precision in precisions]  # fmt: skip


def worse_by(error: MeasuredError, factor: float) -> Difference:
    """A sound file's figures, its errors taken times a factor."""
    steps_db = {1.0: 0.0, 2.0: 6.02, 4.0: 12.04, 10.0: 20.0}[factor]
    return Difference(True, error.max_abs * factor, 0.0, error.psnr_db - steps_db, error.tile_psnr_db - steps_db, 1.0)


@pytest.mark.parametrize(("name", "target", "precision", "output"), EVERY)
def test_every_output_of_every_file_was_measured_and_is_held_to_three_times_it(
    name: str, target: Target, precision: Precision, output: str
) -> None:
    error = MEASURED[name, target.value, precision.value, output]
    probe = probe_tolerance(name, target, precision, output)
    assert probe.passes(worse_by(error, 2.0))
    if precision is not Precision.FP32 or error.max_abs > 4e-6:  # below, other processors' kernels round alike
        assert not probe.passes(worse_by(error, 4.0))
    file = file_tolerance(name, target, precision, output)
    assert not file.passes(worse_by(error, 10.0)) or error.max_abs * 10 <= 1e-5
    assert file.max_abs is not None
    assert probe.max_abs is not None
    assert file.max_abs <= probe.max_abs


@pytest.mark.parametrize("figure", ["max_abs", "psnr_db", "tile_psnr_db"])
def test_each_figure_counts_by_itself(figure: str) -> None:
    key = "perception", Target.TFLITE, Precision.FP16, "mask"
    error = MEASURED["perception", "tflite", "fp16", "mask"]
    sound, wrong = worse_by(error, 1.0), worse_by(error, 4.0)
    gate = file_tolerance(*key)
    assert gate.passes(sound)
    assert not gate.passes(replace(sound, **{figure: getattr(wrong, figure)}))


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize(("model", "pipeline"), [("filter", "pipeline"), ("portrait", "portrait pipeline")])
def test_changes_and_pipelines_were_measured_too(model: str, pipeline: str, target: Target) -> None:
    for precision in PRECISIONS[target]:
        change = change_tolerance(model, target, precision)
        found = MEASURED[model, target.value, precision.value, CHANGE]
        assert change.min_psnr_db is not None
        assert found.psnr_db - 10 < change.min_psnr_db < found.psnr_db
        others = change_tolerance(model, target, precision, shipped=False).min_psnr_db
        assert others == {Precision.FP32: 94.0, Precision.FP16: 17.0 if target is Target.COREML else 60.0}.get(
            precision, 17.0
        )
        whole = pipeline_tolerance(pipeline, target, precision)
        error = MEASURED[pipeline, target.value, precision.value, "portrait"]
        assert whole.passes(worse_by(error, 2.0))
        assert not whole.passes(worse_by(error, 10.0)) or error.max_abs * 10 <= 1e-5


def test_what_is_of_use_holds_whatever_was_measured() -> None:
    """An upper end that no measurement moves: the ends of the scale that users are told."""
    for name, target, precision, output in EVERY:
        gate = file_tolerance(name, target, precision, output)
        if precision is Precision.FP32:
            assert gate.max_abs is not None
            assert gate.max_abs <= 1e-4
        else:
            assert gate.min_psnr_db is not None
            assert gate.min_psnr_db >= (40.0 if precision is Precision.FP16 else 30.0)
    assert GOLDEN.max_abs == 1e-6
    for precision in (Precision.FP16, Precision.INT8):
        assert (pipeline_tolerance("pipeline", Target.COREML, precision).min_psnr_db or 0) >= 35.0


def test_the_second_link_is_held_near_its_measured_figure() -> None:
    size = Size(512, 384)
    measured = MEASURED["filter", "CRF reference", str(size), "portrait"].psnr_db
    known = filter_tolerance(size, known=True).min_psnr_db
    assert known == pytest.approx(measured - 3)
    # the sample photo is a selfie: until 4.0.0 the filter was held to the whole-body picture (41.7 dB), which no user
    # was shown, and had 25.9 dB to the selfie that the reference shows
    assert known > 31
    assert filter_tolerance(size, known=False) == FILTER_AGAINST_CRF
    assert FILTER_AGAINST_CRF.min_psnr_db == 30.0
    assert FILTER_GAIN.min_psnr_db == 8.0


def test_masks_of_quantized_files_must_overlap_on_photos_and_not_on_probes() -> None:
    key = "perception", Target.TFLITE, Precision.INT8, "mask"
    apart = Difference(True, 0.0, 0.0, 99.0, 99.0, 0.9)
    assert not file_tolerance(*key).passes(apart)
    assert probe_tolerance(*key).passes(apart)
    assert not Tolerance("", min_iou=0.5).passes(replace(apart, iou=None))
