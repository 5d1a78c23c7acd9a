"""The first and the third link of parity: each gives rows, and runs nothing before they are asked for."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from portraiture.export.compare import Difference, compare
from portraiture.export.contract import MASK, Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Comparison, Link, Row, Watch, judge, unwatched
from portraiture.export.parity.subjects import (
    TENSORFLOW,
    Subject,
    engine_note,
    pipeline_groups,
    pipeline_kind,
    subject_of,
)
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.rounding import fair
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Runner
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.tflite.tensorflow_runner import has_tensorflow, open_tensorflow
from portraiture.export.tolerances import file_tolerance, pipeline_tolerance
from portraiture.reference.errors import InputError, PortraitureError
from portraiture.reference.lens.radii import APERTURE_PAPER

Step = tuple[str, Iterable[Row]]
"""What runs, in words, and the rows that it gives; nothing runs before they are asked for."""


def file_rows(
    root: Path,
    file: ModelFile,
    truth: Truth,
    photos: list[np.ndarray],
    watch: Watch = unwatched,
    tensorflow: bool = False,
) -> Iterator[Row]:
    """First link for one file: one row per output.

    Args:
        root: folder of the bundle.
        file: one of its files.
        truth: the float64 networks that the files are held against.
        photos: HxWx3 uint8.
        watch: called with each comparison.
        tensorflow: run it by TensorFlow's interpreter instead of the format's default runtime.
    """
    subject = subject_of(file).run_by(TENSORFLOW if tensorflow else "")
    try:
        runner: Runner = open_tensorflow(root, file) if tensorflow else open_file(root, file)
        found: dict[str, dict[int, Difference]] = {s.name: {} for s in runner.contract.outputs}
        for index, photo in enumerate(photos):
            feeds = truth.feeds(file.name, file.size, photo)
            expected = truth.expected(file.name, file.size, photo)
            for name, value in runner.run(feeds).items():
                difference = compare(value, expected[name], as_mask=name == MASK.name)
                gate = file_tolerance(
                    file.name, file.target, file.precision, name, truth.shipped, file.budget_db, truth.look
                )
                found[name][index] = difference
                watch(Comparison(Link.FILE, subject, name, index, value, expected[name], difference, gate))
    except PortraitureError as error:
        yield Row.failed(Link.FILE, subject, str(error))
        return
    yield from _judged(file, subject, found, truth)


def known_rows(file: ModelFile, known: Mapping[str, Difference], truth: Truth) -> Iterator[Row]:
    """First link for one file whose differences are known for one photo: the rows that running it would give.

    Args:
        file: the file.
        known: the difference of each output of the contract, by name.
        truth: of the networks that the file was held against.

    Raises:
        InputError: an output is missing, or there is one more.
    """
    names = [s.name for s in model_contract(file.name).outputs]
    if sorted(known) != sorted(names):
        raise InputError(f"{file.path}: expected known figures of {', '.join(names)}, found {', '.join(sorted(known))};"
                         " leave the file out, and parity runs it")  # fmt: skip
    return _judged(file, subject_of(file), {name: {0: known[name]} for name in names}, truth)


def _judged(
    file: ModelFile, subject: Subject, found: Mapping[str, Mapping[int, Difference]], truth: Truth
) -> Iterator[Row]:
    for name, differences in found.items():
        tolerance = file_tolerance(
            file.name, file.target, file.precision, name, truth.shipped, file.budget_db, truth.look
        )
        tolerance = fair(tolerance, truth, file, name, differences.values())
        yield judge(Link.FILE, subject, name, differences, tolerance, engine_note(file))


def exported_pipeline(root: Path, group: Mapping[str, ModelFile], size: Size, tensorflow: bool = False) -> Pipeline:
    """The pipeline of a bundle's files of one target, precision and size.

    Args:
        root: folder of the bundle.
        group: its files by model, as ``pipeline_groups`` gives them.
        size: of the files, height and width in pixels.
        tensorflow: run them by TensorFlow's interpreter instead of the format's default runtime.
    """
    return Pipeline(lambda name, _: (open_tensorflow if tensorflow else open_file)(root, group[name]), [size])


def pipeline_rows(
    root: Path,
    files: list[ModelFile],
    truth: Truth,
    photos: list[np.ndarray],
    watch: Watch = unwatched,
    tensorflow: bool = False,
) -> Iterator[Row]:
    """Third link: one row per pipeline.

    Args:
        root: folder of the bundle.
        files: its files, of any format; those that make no whole pipeline are left out.
        truth: the float64 networks that the files are held against.
        photos: HxWx3 uint8.
        watch: called with each comparison.
        tensorflow: run them by TensorFlow's interpreter instead of the format's default runtime.
    """
    for subject, group in pipeline_groups(files).items():
        subject = subject.run_by(TENSORFLOW if tensorflow else "")
        file = next(iter(group.values()))
        tolerance = pipeline_tolerance(pipeline_kind(file), file.target, file.precision, truth.shipped, truth.look)
        found = dict[int, Difference]()
        exported = exported_pipeline(root, group, file.size, tensorflow)
        try:
            for index, photo in enumerate(photos):
                if file.name == "portrait":
                    picture = exported.render_fused(photo, APERTURE_PAPER)
                else:
                    picture = exported.render(photo, exported.perceive(photo), APERTURE_PAPER)
                expected = truth.portrait(file.size, photo, fused=file.name == "portrait")
                found[index] = compare(picture, expected)
                watch(Comparison(Link.PIPELINE, subject, "portrait", index, picture, expected, found[index], tolerance))
        except PortraitureError as error:
            yield Row.failed(Link.PIPELINE, subject, str(error), "portrait", tolerance)
            continue
        yield judge(Link.PIPELINE, subject, "portrait", found, tolerance, engine_note(file))


def tensorflow_steps(
    root: Path, files: list[ModelFile], truth: Truth, photos: list[np.ndarray], watch: Watch = unwatched
) -> list[Step]:
    """First and third link of TFLite files by TensorFlow's interpreter; one row says so where it is not installed.

    Args:
        root: folder of the bundle.
        files: its files, of any format.
        truth: the float64 networks that the files are held against.
        photos: HxWx3 uint8.
        watch: called with each comparison.
    """
    files = [f for f in files if FORMATS[f.target].by_tensorflow]
    if files and not has_tensorflow():
        subject = Subject("all tflite").run_by(TENSORFLOW)
        why = "the tensorflow extra is not installed"
        return [(str(subject), [Row.not_run(Link.FILE, subject, why)])]
    steps: list[Step] = []
    for file in files:
        subject = subject_of(file).run_by(TENSORFLOW)
        steps.append((str(subject), file_rows(root, file, truth, photos, watch, tensorflow=True)))
    for subject, group in pipeline_groups(files).items():
        rows = pipeline_rows(root, list(group.values()), truth, photos, watch, tensorflow=True)
        steps.append((str(subject.run_by(TENSORFLOW)), rows))
    return steps
