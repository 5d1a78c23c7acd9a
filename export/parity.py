"""The parity gate of a bundle: three links, each judged by the one comparison and the one tolerance table.

1. each exported file against the PyTorch network in float64, at the model's size;
2. the RNN filter against the CRF reference, on the same maps;
3. the whole exported pipeline against the whole Python pipeline, at the photo's size.

A runtime that cannot run here is reported as not run, never as passed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from portraiture.export.compare import Difference, compare
from portraiture.export.contract import MASK, Precision, Size, Target
from portraiture.export.goldens import INPUTS, golden_feeds, read_golden, read_index, sample_photo, sampled
from portraiture.export.manifest import ModelFile, model_files, read_manifest, sha256, verify
from portraiture.export.manifest_check import check_manifest
from portraiture.export.networks import Checkpoints
from portraiture.export.pipeline import Pipeline
from portraiture.export.resize import nearest_size
from portraiture.export.runtimes.base import Runner
from portraiture.export.runtimes.coreml_runner import Engine, engine_here
from portraiture.export.runtimes.open import open_file
from portraiture.export.runtimes.tensorflow_runner import has_tensorflow, open_tensorflow
from portraiture.export.tolerances import FILTER_AGAINST_CRF, GOLDEN, file_tolerance, pipeline_tolerance
from portraiture.export.truth import Truth
from portraiture.export.verdict import Comparison, Link, Row, Status, Watch, judge, unwatched
from portraiture.reference.errors import InputError, PortraitureError
from portraiture.reference.lens import APERTURE_PAPER

BY_TENSORFLOW = " by TensorFlow"


def subject_of(file: ModelFile) -> str:
    """How a file is named in the table."""
    subject = f"{file.name} {file.target.value} {file.precision.value} {file.size}"
    return f"{subject} in {Path(file.path).name}" if file.entry else subject


def pipeline_subject(file: ModelFile) -> str:
    """How the pipeline that a file is part of is named in the table; ``portrait`` is one by itself."""
    name = "portrait pipeline" if file.name == "portrait" else "pipeline"
    subject = f"{name} {file.target.value} {file.precision.value} {file.size}"
    return f"{subject} in {Path(file.path).name}" if file.entry else subject


def engine_note(file: ModelFile) -> str:
    """What a Core ML figure does and does not show here."""
    if file.target is not Target.COREML or engine_here() is not Engine.MIL:
        return ""
    arithmetic = "fp32" if file.precision is Precision.FP32 else "fp16 emulated"
    return f"MIL interpreter, {arithmetic}, not Apple's Core ML"


def check_golden_truth(root: Path, checkpoints: Checkpoints) -> None:
    """The bundle's goldens must be what these weights compute; otherwise the truth itself is another one.

    Raises:
        InputError: the bundle was exported from other weights.
    """
    recorded = read_manifest(root)["weights"]
    for name, path in (("perception", checkpoints.perception), ("filter", checkpoints.filter)):
        if not path.is_file():
            raise InputError(f"{path}: expected {name} weights (.safetensors), found no file;"
                             " give the checkpoint that was exported")  # fmt: skip
        if sha256(path) != recorded.get(name):
            raise InputError(f"{root}: exported from other {name} weights than {path};"
                             " give parity the checkpoint that was exported")  # fmt: skip


def file_rows(
    root: Path,
    file: ModelFile,
    truth: Truth,
    photos: list[np.ndarray],
    watch: Watch = unwatched,
    tensorflow: bool = False,
) -> Iterator[Row]:
    """First link for one file: a row an output; by TensorFlow's interpreter where asked for."""
    subject = subject_of(file) + (BY_TENSORFLOW if tensorflow else "")
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
        yield Row(Link.FILE, subject, "-", Status.FAILED, None, "-", "-", 0, str(error))
        return
    for name, differences in found.items():
        tolerance = file_tolerance(file.name, file.target, file.precision, name)
        yield judge(Link.FILE, subject, name, differences, tolerance, engine_note(file))


def fitting(photos: list[np.ndarray], size: Size, sizes: list[Size]) -> dict[int, np.ndarray]:
    """The photos of the orientation that a size is meant for, by their index; without one, all that there are."""
    found = {k: p for k, p in enumerate(photos) if nearest_size(p.shape[0], p.shape[1], sizes) == size}
    return found or dict(enumerate(photos))


def filter_rows(truth: Truth, size: Size, photos: Mapping[int, np.ndarray], watch: Watch = unwatched) -> Iterator[Row]:
    """Second link: the float64 filter against the CRF reference on the same maps; photos by their index."""
    from portraiture.reference.render import Mode, RenderSettings, render

    found: dict[int, Difference] = {}
    subject = f"filter torch fp64 {size}"
    for index, photo in photos.items():
        pipeline = truth.pipeline(size)
        maps = pipeline.perceive(photo)
        mask, depth = (np.asarray(m, dtype=np.float64) for m in (maps.model_mask, maps.model_depth))
        if not (mask >= 0.5).any():
            continue
        settings = RenderSettings(mode=Mode.FULL_BODY, aperture=APERTURE_PAPER)
        expected = render(maps.model_rgb / 255, mask, depth, settings)
        picture = pipeline.filter(maps, APERTURE_PAPER)
        found[index] = compare(picture, expected)
        watch(Comparison(Link.FILTER, subject, "portrait", index, picture, expected, found[index], FILTER_AGAINST_CRF))
    if not found:
        yield Row(Link.FILTER, subject, "portrait", Status.NOT_RUN, None, str(FILTER_AGAINST_CRF),
                  FILTER_AGAINST_CRF.reason, 0, "no photo with a person")  # fmt: skip
        return
    yield judge(Link.FILTER, subject, "portrait", found, FILTER_AGAINST_CRF)


def exported_pipeline(root: Path, group: Mapping[str, ModelFile], size: Size, tensorflow: bool = False) -> Pipeline:
    """The pipeline of a bundle's files of one target, precision and size, by model."""
    return Pipeline(lambda name, _: (open_tensorflow if tensorflow else open_file)(root, group[name]), [size])


def pipeline_groups(files: Iterable[ModelFile]) -> dict[str, dict[str, ModelFile]]:
    """The files of each pipeline by model, by its subject: perception and filter, or portrait alone."""
    groups: dict[str, dict[str, ModelFile]] = {}
    for file in files:
        if file.name in ("perception", "filter", "portrait"):
            groups.setdefault(pipeline_subject(file), {})[file.name] = file
    return {subject: group for subject, group in sorted(groups.items())
            if "portrait" in group or {"perception", "filter"} <= group.keys()}  # fmt: skip


def pipeline_rows(
    root: Path,
    files: list[ModelFile],
    truth: Truth,
    photos: list[np.ndarray],
    watch: Watch = unwatched,
    tensorflow: bool = False,
) -> Iterator[Row]:
    """Third link, for each pipeline of a bundle; by TensorFlow's interpreter where asked for."""
    for subject, group in pipeline_groups(files).items():
        subject += BY_TENSORFLOW if tensorflow else ""
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
            yield Row(Link.PIPELINE, subject, "portrait", Status.FAILED, None, str(tolerance), "-", 0, str(error))
            continue
        yield judge(Link.PIPELINE, subject, "portrait", found, tolerance, engine_note(file))


def tensorflow_rows(
    root: Path, files: list[ModelFile], truth: Truth, photos: list[np.ndarray], watch: Watch = unwatched
) -> Iterator[Row]:
    """First and third link of TFLite files by TensorFlow's interpreter; where it is not installed, a row says so."""
    files = [f for f in files if f.target is Target.TFLITE]
    if files and not has_tensorflow():
        yield Row(Link.FILE, "all tflite" + BY_TENSORFLOW, "-", Status.NOT_RUN, None, "-", "-", 0,
                  "the tensorflow extra is not installed")  # fmt: skip
        return
    for file in files:
        yield from file_rows(root, file, truth, photos, watch, tensorflow=True)
    yield from pipeline_rows(root, files, truth, photos, watch, tensorflow=True)


def golden_rows(root: Path, truth: Truth) -> Iterator[Row]:
    """The bundle's goldens against the float64 networks: they must be equal but for the order of sums."""
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


def run_parity(
    root: Path,
    photos: Iterable[np.ndarray] = (),
    checkpoints: Checkpoints | None = None,
    report: Callable[[str], None] | None = None,
    watch: Watch = unwatched,
) -> list[Row]:
    """All rows of a bundle.

    Args:
        root: the bundle; its checksums are verified first.
        photos: HxWx3 uint8; default the astronaut.
        checkpoints: the weights that were exported; default the shipped ones.
        report: called with each file's path before it is run.
        watch: called with each comparison.

    Raises:
        InputError: the bundle is not whole, or was exported from other weights.
    """
    checkpoints = checkpoints or Checkpoints()
    manifest = read_manifest(root)
    verify(root, manifest)
    check_manifest(root, manifest)
    check_golden_truth(root, checkpoints)
    files = model_files(manifest)
    chosen = list(photos) or [sample_photo()]
    truth = Truth(checkpoints)
    rows = list(golden_rows(root, truth))
    of_file: dict[str, list[Row]] = {}
    for file in sorted(files, key=lambda f: (f.name, f.size)):  # so that files of a model share what is remembered
        if report:
            report(file.path)
        of_file[subject_of(file)] = list(file_rows(root, file, truth, chosen, watch))
    rows += [row for file in files for row in of_file[subject_of(file)]]
    sizes = sorted({f.size for f in files})
    for size in sizes:
        if report:
            report(f"filter against the CRF reference at {size}")
        rows += filter_rows(truth, size, fitting(chosen, size, sizes), watch)
    if report:
        report("pipelines")
    rows += pipeline_rows(root, files, truth, chosen, watch)
    rows += tensorflow_rows(root, files, truth, chosen, watch)
    if engine_here() is Engine.MIL and any(f.target is Target.COREML for f in files):
        rows.append(Row(Link.FILE, "all coreml", "-", Status.NOT_RUN, None, "-", "-", 0,
                        "Apple's Core ML (compiler, ANE, fp16 rounding) runs on macOS only"))  # fmt: skip
    return rows
