"""The three links of parity: each gives rows, and runs nothing before they are asked for."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from portraiture.export.bundle.checksums import sha256
from portraiture.export.bundle.goldens import INPUTS, golden_feeds, read_golden, read_index, sampled
from portraiture.export.bundle.open import Bundle
from portraiture.export.compare import Difference, compare, compare_change
from portraiture.export.contract import MASK, Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.checkpoints import Checkpoints
from portraiture.export.parity.rows import Comparison, Link, Row, Watch, judge, unwatched
from portraiture.export.parity.subjects import TENSORFLOW, Subject, engine_note, pipeline_groups, subject_of
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.resize import nearest_size
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Runner
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.tflite.tensorflow_runner import has_tensorflow, open_tensorflow
from portraiture.export.tolerances import (
    FILTER_AGAINST_CRF,
    FILTER_GAIN,
    GAIN_BELOW_DB,
    GOLDEN,
    file_tolerance,
    pipeline_tolerance,
)
from portraiture.reference.arrays import person_pixels
from portraiture.reference.errors import InputError, PortraitureError
from portraiture.reference.lens.radii import APERTURE_PAPER

GAIN = "gain over the photo itself"

Step = tuple[str, Iterable[Row]]
"""What runs, in words, and the rows that it gives; nothing runs before they are asked for."""


def check_golden_truth(bundle: Bundle, checkpoints: Checkpoints) -> None:
    """Refuse weights that the bundle was not exported from: its files would be held against other networks.

    Raises:
        InputError: the bundle was exported from other weights.
    """
    recorded = bundle.manifest["weights"]
    for name, path in (("perception", checkpoints.perception), ("filter", checkpoints.filter)):
        if not path.is_file():
            raise InputError(f"{path}: expected {name} weights (.safetensors), found no file;"
                             " give the checkpoint that was exported")  # fmt: skip
        if sha256(path) != recorded.get(name):
            raise InputError(f"{bundle.root}: exported from other {name} weights than {path};"
                             " give parity the checkpoint that was exported")  # fmt: skip


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
                gate = file_tolerance(file.name, file.target, file.precision, name)
                found[name][index] = difference
                watch(Comparison(Link.FILE, subject, name, index, value, expected[name], difference, gate))
    except PortraitureError as error:
        yield Row.failed(Link.FILE, subject, str(error))
        return
    yield from _judged(file, subject, found)


def known_rows(file: ModelFile, known: Mapping[str, Difference]) -> Iterator[Row]:
    """First link for one file whose differences are known for one photo: the rows that running it would give.

    Args:
        file: the file.
        known: the difference of each output of the contract, by name.

    Raises:
        InputError: an output is missing, or there is one more.
    """
    names = [s.name for s in model_contract(file.name).outputs]
    if sorted(known) != sorted(names):
        raise InputError(f"{file.path}: expected known figures of {', '.join(names)}, found {', '.join(sorted(known))};"
                         " leave the file out, and parity runs it")  # fmt: skip
    return _judged(file, subject_of(file), {name: {0: known[name]} for name in names})


def _judged(file: ModelFile, subject: Subject, found: Mapping[str, Mapping[int, Difference]]) -> Iterator[Row]:
    for name, differences in found.items():
        tolerance = file_tolerance(file.name, file.target, file.precision, name)
        yield judge(Link.FILE, subject, name, differences, tolerance, engine_note(file))


def photos_for_size(photos: list[np.ndarray], size: Size, sizes: list[Size]) -> dict[int, np.ndarray]:
    """The photos by index that a pipeline of several sizes would bring to this size; all photos where there is none.

    Args:
        photos: HxWx3 uint8.
        size: one of the sizes, height and width in pixels.
        sizes: all sizes of the bundle.
    """
    found = {k: p for k, p in enumerate(photos) if nearest_size(p.shape[0], p.shape[1], sizes) == size}
    return found or dict(enumerate(photos))


def filter_rows(truth: Truth, size: Size, photos: Mapping[int, np.ndarray], watch: Watch = unwatched) -> Iterator[Row]:
    """Second link: the float64 filter against the CRF reference on the same maps. A photo without a person is left out.

    Args:
        truth: the float64 networks.
        size: of the filter, height and width in pixels.
        photos: HxWx3 uint8 by index.
        watch: called with each comparison.
    """
    from portraiture.reference.render import render
    from portraiture.reference.settings import Mode, RenderSettings

    found, gains = dict[int, Difference](), dict[int, Difference]()
    subject = Subject(f"filter torch fp64 {size}")
    for index, photo in photos.items():
        pipeline = truth.pipeline(size)
        maps = pipeline.perceive(photo)
        mask, depth = (np.asarray(m, dtype=np.float64) for m in (maps.model_mask, maps.model_depth))
        if not person_pixels(mask).any():
            continue
        settings = RenderSettings(mode=Mode.FULL_BODY, aperture=APERTURE_PAPER)
        expected = render(maps.model_rgb / 255, mask, depth, settings)
        picture = pipeline.filter(maps, APERTURE_PAPER)
        found[index] = compare(picture, expected)
        itself = maps.model_rgb / 255
        if compare(itself, expected).psnr_db < GAIN_BELOW_DB:
            gains[index] = compare_change(picture, expected, itself, itself)
        watch(Comparison(Link.FILTER, subject, "portrait", index, picture, expected, found[index], FILTER_AGAINST_CRF))
    if not found:
        yield Row.not_run(Link.FILTER, subject, "no photo with a person", "portrait", FILTER_AGAINST_CRF)
        return
    yield judge(Link.FILTER, subject, "portrait", found, FILTER_AGAINST_CRF)
    if gains:
        yield judge(Link.FILTER, subject, GAIN, gains, FILTER_GAIN)
    else:
        yield Row.not_run(Link.FILTER, subject, "the reference hardly blurs at this size", GAIN, FILTER_GAIN)


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
        tolerance, found = pipeline_tolerance(file.precision), dict[int, Difference]()
        exported = exported_pipeline(root, group, file.size, tensorflow)
        try:
            for index, photo in enumerate(photos):
                if file.name == "portrait":
                    picture = exported.render_fused(photo, APERTURE_PAPER)
                else:
                    picture = exported.render(photo, exported.perceive(photo), APERTURE_PAPER)
                expected = truth.portrait(file.size, photo)
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


def golden_rows(root: Path, truth: Truth) -> Iterator[Row]:
    """The bundle's goldens against the float64 networks: equal except for the order in which sums are taken."""
    index = read_index(root)
    size = Size.parse(index["size"])
    feeds = golden_feeds({name: read_golden(root, index, name) for name in INPUTS})
    outputs = {**truth.outputs("perception", size, {"rgb": feeds["rgb"]}), **truth.outputs("filter", size, feeds)}
    for name, value in outputs.items():
        yield judge(
            Link.FILE,
            f"goldens fp64 {size}",
            name,
            {0: compare(read_golden(root, index, name), sampled(value))},
            GOLDEN,
        )
