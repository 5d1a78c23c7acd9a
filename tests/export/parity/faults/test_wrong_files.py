"""The table of planted faults: files that compute something else. The first link catches each and names its cause.

A fault stands between a sound file and the gate, in every format alike: what the file is given or what it gives is
changed, as a wrong file would. Faults in the bytes of files are in ``tests/export/diagnosis/test_mutations*.py`` and
``test_wrong_graphs.py``, those around the files in ``test_wrong_bundles.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.diagnosis.explain import explain
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.links import file_rows
from portraiture.export.parity.probes import probe_rows
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.parity.settings import setting_rows
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.targets import FORMATS
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

pytestmark = pytest.mark.slow

Arrays = dict[str, np.ndarray]

FP32, FP16 = Precision.FP32, Precision.FP16

ALL = tuple((target, precision) for target in BUILT_IN for precision in (FP32, FP16))


def unchanged(x: Any) -> Any:
    return x


@dataclass(frozen=True)
class Fault:
    """A file that is wrong: what it does to its inputs and outputs, and what the gate must say."""

    name: str
    said: str
    model: str = "perception"
    feeds: Callable[[Feeds], Feeds] = unchanged
    outputs: Callable[[Arrays, Feeds], Arrays] = lambda found, _: found
    formats: tuple[tuple[Target, Precision], ...] = ((Target.TFLITE, FP32),)


def of_rgb(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Feeds], Feeds]:
    return lambda feeds: feeds | {"rgb": change(np.asarray(feeds["rgb"]))}


def of_each(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays, Feeds], Arrays]:
    return lambda found, _: {name: change(np.array(value)) for name, value in found.items()}


def of_mask(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays, Feeds], Arrays]:
    return lambda found, _: found | {"mask": change(np.array(found["mask"]))}


def at(*place: slice | int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(x: np.ndarray) -> np.ndarray:
        x[place] = value
        return x

    return change


def inverted_rim(x: np.ndarray) -> np.ndarray:
    inner = x[2:-2, 2:-2].copy()
    x = 1 - x
    x[2:-2, 2:-2] = inner
    return x


def inverted_tile(x: np.ndarray) -> np.ndarray:
    x[32:64, 32:64] = 1 - x[32:64, 32:64]
    return x


def without_odd(x: np.ndarray) -> np.ndarray:
    x[1::2] = 0
    x[:, 1::2] = 0
    return x


def half_pixel(x: np.ndarray) -> np.ndarray:
    moved = x.copy()
    moved[1:] = (x[1:] + x[:-1]) / 2
    return moved


def one_pixel(x: np.ndarray) -> np.ndarray:
    moved = x.copy()
    moved[:, :-1] = x[:, 1:]
    return moved


def blended(share: float) -> Callable[[Arrays, Feeds], Arrays]:
    def change(found: Arrays, feeds: Feeds) -> Arrays:
        return found | {"portrait": share * found["portrait"] + (1 - share) * np.asarray(feeds["rgb"])}

    return change


def swapped_names(found: Arrays, _: Feeds) -> Arrays:
    return found | {"mask": found["depth"], "depth": found["mask"]}


def scalar(name: str, value: Callable[[float], float]) -> Callable[[Feeds], Feeds]:
    return lambda feeds: feeds | {name: value(float(feeds[name]))}


FLOAT_PHOTO = tuple((target, precision) for target, precision in ALL if target is not Target.COREML)
"""Core ML takes the photo as 8-bit codes; its own scale is harmed in ``test_mutations.py``."""

ONE_EACH = ((Target.TFLITE, FP32), (Target.COREML, FP16), (Target.ONNX, FP16))

FAULTS = (
    Fault("scale 1/256", "divides rgb by 256, not by 255", feeds=of_rgb(lambda x: x * 255 / 256), formats=FLOAT_PHOTO),
    Fault("scale 1/256 of the filter", "divides rgb by 256, not by 255", "filter",
          of_rgb(lambda x: x * 255 / 256), formats=FLOAT_PHOTO),
    Fault("no scale", "the scale 1/255 is missing", feeds=of_rgb(lambda x: x * 255)),
    Fault("swapped channels", "reads the channels as B G R", feeds=of_rgb(lambda x: x[..., ::-1].copy()),
          formats=ONE_EACH),
    # the filter treats each colour alike: to read B G R and to give it is one fault
    Fault("swapped channels of a portrait", "the channels as B G R", "filter",
          outputs=of_each(lambda x: x[..., ::-1])),
    Fault("upside down", "rows are upside down in the file's inputs and outputs",
          feeds=of_rgb(lambda x: x[::-1].copy()), outputs=of_each(lambda x: x[::-1])),
    Fault("mirrored", "columns are mirrored in the file's outputs", outputs=of_each(lambda x: x[:, ::-1])),
    Fault("swapped names", "two outputs carry each other's name", outputs=swapped_names, formats=ONE_EACH),
    Fault("turned round", "an output is turned round", outputs=of_each(lambda x: 1 - x)),
    Fault("half a blend", "50% of the portrait and 50% of the photo", "filter", outputs=blended(0.5), formats=ALL),
    Fault("a tenth of a blend", "90% of the portrait and 10% of the photo", "filter", outputs=blended(0.9),
          formats=((Target.TFLITE, FP32), (Target.ONNX, FP16))),
    # fp16 arithmetic rounds on top of it: 10 or 11 %
    Fault("a tenth of a blend, rounded", "% of the portrait and 1", "filter", outputs=blended(0.9),
          formats=((Target.COREML, FP16),)),
    Fault("half a blend of the whole model", "50% of the portrait and 50% of the photo", "portrait",
          outputs=blended(0.5), formats=ONE_EACH),
    Fault("does nothing", "ignores", "filter", outputs=blended(0.0), formats=ALL),
    Fault("aperture x 0.8", "takes aperture times 0.80", "filter", scalar("aperture", lambda a: 0.8 * a), formats=ALL),
    Fault("aperture x 0.4 of the whole model", "takes aperture times 0.40", "portrait",
          scalar("aperture", lambda a: 0.4 * a), formats=((Target.TFLITE, FP32),)),
    # times 0.4 the largest disk has one pixel at 128x96: in fp16 that is the photo
    Fault("aperture x 0.6 of the whole model", "takes aperture times 0.60", "portrait",
          scalar("aperture", lambda a: 0.6 * a), formats=((Target.COREML, FP16), (Target.ONNX, FP16))),
    Fault("aperture frozen", "ignores aperture", "filter", scalar("aperture", lambda _: APERTURE_PAPER),
          formats=ONE_EACH),
    Fault("focus frozen", "ignores focus", "filter", scalar("focus", lambda _: FOCUS_ON_PERSON), formats=ONE_EACH),
    Fault("half a pixel", "moved down by 0.5 pixel", outputs=of_mask(half_pixel), formats=ONE_EACH),
    Fault("a pixel", "moved left by 1 pixel", "filter", outputs=of_each(one_pixel)),
    Fault("NaN in a pixel", "1 of 12288 values are NaN or infinite, the first at row 5, column 7",
          outputs=of_mask(at(5, 7, value=np.nan)), formats=ONE_EACH),
    Fault("a wrong pixel", "only rows 40 to 40, columns 41 to 41 are wrong", outputs=of_mask(at(40, 41, value=0.5)),
          formats=ONE_EACH),
    Fault("inverted rim", "only the 2 pixels at the rim are wrong", outputs=of_mask(inverted_rim), formats=ONE_EACH),
    Fault("inverted tile", "only rows 32 to 63, columns 32 to 63 are wrong", outputs=of_mask(inverted_tile),
          formats=ONE_EACH),
    Fault("odd rows and columns zero", "only odd rows and columns are wrong", outputs=of_mask(without_odd),
          formats=ONE_EACH),
    Fault("all zero", "is 0 everywhere", outputs=of_mask(lambda x: 0 * x)),
    Fault("a weaker mask", "x + ", outputs=of_mask(lambda x: 0.98 * x), formats=ONE_EACH),
    Fault("a lighter portrait", "+ 0.02", "filter", outputs=of_each(lambda x: x + 0.02)),
)  # fmt: skip

CASES = [
    pytest.param(fault, target, precision, id=f"{fault.name}-{target.value}-{precision.value}")
    for fault in FAULTS
    for target, precision in fault.formats
]


def test_there_are_forty_at_least_over_all_formats() -> None:
    assert len(CASES) >= 40
    assert {target for fault in FAULTS for target, _ in fault.formats} == set(BUILT_IN)


def file_of(bundle: Path, name: str, target: Target, precision: Precision) -> ModelFile:
    files = model_files(read_manifest(bundle))
    return next(f for f in files if (f.name, f.target, f.precision) == (name, target, precision))


def rows_of(bundle: Path, file: ModelFile, truth: Truth, photo: np.ndarray) -> list[Row]:
    """The first link's rows of a file."""
    rows = [*file_rows(bundle, file, truth, [photo]), *probe_rows(bundle, file, truth)]
    return [*rows, *setting_rows(bundle, file, truth, photo)] if file.name != "perception" else rows


def plant(monkeypatch: pytest.MonkeyPatch, fault: Fault, target: Target) -> None:
    """Make every file of a format and of the fault's model a wrong one."""
    honest = FORMATS[target].open

    def wrong(path: Path, file: ModelFile) -> Any:
        runner = honest(path, file)
        if file.name != fault.model:
            return runner

        class Wrong:
            contract = runner.contract

            def run(self, feeds: Feeds) -> Arrays:
                return fault.outputs(dict(runner.run(fault.feeds(dict(feeds)))), feeds)

        return Wrong()

    monkeypatch.setitem(FORMATS, target, replace(FORMATS[target], open=wrong))


@pytest.mark.parametrize(("fault", "target", "precision"), CASES)
def test_a_wrong_file_is_caught_and_its_cause_named(
    bundle: Path,
    truth: Truth,
    astronaut: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    target: Target,
    precision: Precision,
) -> None:
    file = file_of(bundle, fault.model, target, precision)
    plant(monkeypatch, fault, target)
    rows = explain(bundle, rows_of(bundle, file, truth, astronaut), truth, [astronaut])
    failed = [row for row in rows if row.status is Status.FAILED]
    assert failed
    assert {row.link for row in failed} == {Link.FILE}
    assert fault.said in failed[0].note, [row.note for row in failed]


@pytest.mark.parametrize(("target", "precision"), ALL)
def test_control_the_sound_file_passes(
    bundle: Path, truth: Truth, astronaut: np.ndarray, target: Target, precision: Precision
) -> None:
    for name in ("perception", "filter", "portrait"):
        rows = rows_of(bundle, file_of(bundle, name, target, precision), truth, astronaut)
        assert [str(row.subject) for row in rows if row.status is not Status.PASSED] == []
