"""Writes and examines every model file of an export."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraiture.export.compare import Difference
from portraiture.export.describe import describe
from portraiture.export.doctor.devices.examine import devices_for, examine_for
from portraiture.export.doctor.devices.summary import line, refuse_cut
from portraiture.export.doctor.examine import examine, examine_network
from portraiture.export.doctor.operations import most_operations
from portraiture.export.formats import LAYOUT, ROUTES, Precision, Route
from portraiture.export.model_file import ModelFile, bytes_of, conversion, counted
from portraiture.export.onnx_tf.write import write_onnx_tf
from portraiture.export.pipeline.planned import kinds_in
from portraiture.export.pipeline.rounding import fair_for
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import FORMATS, check_installed
from portraiture.export.writing.calibration import tflite_samples
from portraiture.export.writing.packaging import package
from portraiture.export.writing.refusals import own_refusals
from portraiture.export.writing.spec import BundleSpec
from portraiture.export.writing.workers import in_processes

Report = Callable[[str, int, int], None]
"""Called before each step: what runs now, how many steps are done, and of how many."""

Job = tuple[ModelFile, ...]
"""The files in one format and size that share conversions."""


@dataclass(frozen=True)
class WrittenFile:
    """One file that was written and examined.

    Attributes:
        entry: of the manifest.
        differences: from the float64 network on the sample photo, by output.
    """

    entry: dict[str, Any]
    differences: dict[str, Difference]


@dataclass(frozen=True)
class Written:
    """The models of a bundle.

    Attributes:
        entries: of the manifest, one per model.
        known: by path of a file of its own, its differences from the float64 network on the sample photo, by output.
    """

    entries: list[dict[str, Any]]
    known: dict[str, dict[str, Difference]]


def silent(_what: str, _done: int, _of: int) -> None:
    """Reports nothing."""


def convert(
    spec: BundleSpec,
    file: ModelFile,
    root: Path,
    conversions: Path,
    truth: Truth,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Write one model file.

    Args:
        spec: what is exported.
        file: one of its files.
        root: the bundle.
        conversions: where the format's float32 conversions lie or are put, if it makes its precisions from them.
        truth: of the networks that are exported.
        report: called with what the route has to say.

    Returns:
        The module of the network by the name of a value in the file, where the file's own names do not tell.

    Raises:
        ExportError: the converter does not take a network that is not ours.
    """
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    network = truth.networks.get(file.name, LAYOUT[file.target])
    float32 = conversion(conversions, file.name, file.size)
    if route_of(spec, file) is Route.ONNX_TF and not float32.is_file():
        write_onnx_tf(file.name, truth, file.size, float32, report)
    static = file.precision is Precision.INT8_STATIC
    samples = tflite_samples(file.name, file.size, spec.calibration, truth) if static else []
    kinds = None if file.plan is None else kinds_in(file, network)
    with own_refusals(file, network):
        return FORMATS[file.target].write(network, file.size, file.precision, path, conversions, samples, kinds)


def route_of(spec: BundleSpec, file: ModelFile) -> Route | None:
    """The route by which a file is written; None where its format has one way alone."""
    return spec.route if spec.route in ROUTES.get(file.target, ()) else None


def write_job(
    spec: BundleSpec, root: Path, truth: Truth, files: Job, say: Callable[[str, bool], None]
) -> list[WrittenFile]:
    """Write and examine the files that share a conversion.

    Args:
        spec: what is exported.
        root: the bundle.
        truth: of the networks that are exported.
        files: one or more, the finest precision first.
        say: called with a line, and whether a file begins with it.

    Raises:
        GateError: the doctor refuses a file.
    """
    photo, written = sample_photo(), []
    with tempfile.TemporaryDirectory(prefix=".conversions.", dir=root) as conversions:
        for file in files:
            name, size = file.name, file.size
            say(f"writing {file.path}", True)
            modules = convert(spec, file, root, Path(conversions), truth, lambda line: say(line, False))
            feeds, expected = truth.feeds(name, size, photo), truth.expected(name, size, photo)
            network = truth.networks.get(name)
            with own_refusals(file, network):
                differences = examine(
                    root,
                    file,
                    network,
                    feeds,
                    expected,
                    modules,
                    spec.route,
                    lambda line: say(line, False),
                    fair_for(truth, file),
                )
                _look(spec, root, file, modules, lambda line: say(line, False))
            written.append(WrittenFile(_entry(spec, root, file), differences))
    return written


def _look(spec: BundleSpec, root: Path, file: ModelFile, modules: dict[str, str], note: Callable[[str], None]) -> None:
    """Note each device that does not take a file whole.

    Raises:
        GateError: one does not, and the export is strict.
    """
    for verdict in examine_for(root, file, devices_for(file.target, spec.devices)):
        if spec.strict:
            refuse_cut(verdict, modules)
        elif not verdict.is_whole:
            note(line(verdict, modules))


def _entry(spec: BundleSpec, root: Path, file: ModelFile) -> dict[str, Any]:
    """What the manifest says of a written file."""
    counts = counted(FORMATS[file.target].operations(root / file.path))
    by_another_route = route_of(spec, file) not in (None, Route.LITERT)
    return {
        "name": file.name,
        "target": file.target.value,
        "precision": file.precision.value,
        "size": str(file.size),
        "path": file.path,
        "bytes": bytes_of(root / file.path),
        "ops": counts,
        "op_count": sum(counts.values()),
        "needs": FORMATS[file.target].needs(root / file.path),
        **describe(file.name, file.target, file.size),
        **({"route": spec.route.value} if by_another_route else {}),
    }


def jobs_of(files: Sequence[ModelFile]) -> list[Job]:
    """The files of each model, format and size together, in the order in which they are listed.

    A format that joins conversions has all models of a size in one job.
    """
    jobs: dict[object, list[ModelFile]] = {}
    for file in files:
        own = "" if FORMATS[file.target].joins else file.name
        jobs.setdefault((file.target, file.size, own), []).append(file)
    return [tuple(job) for job in jobs.values()]


def _cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cost(job: Job) -> float:
    """How long a job takes beside others, in no unit: it grows with the operations."""
    form, names = FORMATS[job[0].target], {file.name for file in job}
    converted = names - {"portrait"} if form.joins else names
    return sum(most_operations(name, job[0].size) for name in converted) * form.slowness


def _examine_networks(files: Sequence[ModelFile], truth: Truth) -> None:
    """Check each network, and compute what its files are held to.

    Raises:
        GateError: the doctor refuses a network.
    """
    photo = sample_photo()
    for name, size in dict.fromkeys((f.name, f.size) for f in files):
        own = [f for f in files if (f.name, f.size) == (name, size)]
        examine_network(truth.networks.get(name), own, truth.feeds(name, size, photo))
        truth.expected(name, size, photo)
        for layout in {LAYOUT[f.target] for f in own}:
            truth.networks.get(name, layout)


def write_models(
    spec: BundleSpec, root: Path, truth: Truth, report: Report = silent, processes: int | None = None
) -> Written:
    """Write and examine all model files.

    Args:
        spec: what to write.
        root: the new bundle.
        truth: of the spec's checkpoints.
        report: called before each file is written, and with what its route has to say.
        processes: most processes that write; default one per core. With one format alone, this process writes.

    Raises:
        GateError: the doctor refuses a network or a file.
        InputError: the packages of a format are not installed.
    """
    files, done = spec.files(), 0
    check_installed(spec.targets)

    def examined() -> tuple[BundleSpec, Path, Truth]:
        _examine_networks(files, truth)
        return spec, root, truth

    def say(line: str, begins: bool) -> None:
        nonlocal done
        report(line, done, len(files))
        done += begins

    jobs = jobs_of(files)
    # a team's own code may not travel to other processes
    count = min(processes or _cores(), len(jobs)) if spec.checkpoints.own is None else 1
    if count > 1 and len({f.target for f in files}) > 1:
        found = in_processes(write_job, examined, sorted(jobs, key=_cost, reverse=True), count, say)
    else:
        context = examined()
        found = [write_job(*context, job, say) for job in jobs]
    by_path = {w.entry["path"]: w for job in found for w in job}
    in_order = [by_path[f.path] for f in files]
    entries = package(root, [w.entry for w in in_order], spec.packaging)
    return Written(entries, {w.entry["path"]: w.differences for w in in_order})
