"""One export: from a spec to a bundle in its place."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.bundle.signature import check_private, sign
from portraiture.export.diagnosis.explain import cause_of, explain, sentence
from portraiture.export.diagnosis.locate import locate
from portraiture.export.doctor.outputs import WrongFile, check_computation
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.parity.rows import Row, Status, first_failure
from portraiture.export.parity.run import Known, run_parity
from portraiture.export.pipeline.rounding import fair_for
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.writing.finish import finish
from portraiture.export.writing.in_place import replacing
from portraiture.export.writing.models import Report, silent, write_models
from portraiture.export.writing.planned import check_plan
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import GateError
from portraiture.reference.files import write_json

Show = Callable[[Sequence[Row]], None]
"""Called with the rows of the gate, whether they pass or not."""


@dataclass(frozen=True)
class Export:
    """What an export gave.

    Attributes:
        files: the models of the bundle, in the manifest's order.
        rows: of the gate, all of them passed or not run; empty without a gate.
        write_s, gate_s: seconds that writing took, each file run and compared, and what the gate took after it.
    """

    files: tuple[ModelFile, ...]
    rows: tuple[Row, ...]
    write_s: float
    gate_s: float


def show_nothing(_: Sequence[Row]) -> None:
    """Shows no rows."""


def export_bundle(
    spec: BundleSpec,
    output: Path,
    gate: bool = True,
    report: Report = silent,
    show: Show = show_nothing,
    processes: int | None = None,
    key: Path | None = None,
) -> Export:
    """Write a bundle, judge it, and put it in its place; before that, what was there is left as it was.

    Args:
        spec: what to export.
        output: the bundle's folder; new, empty, or an earlier bundle.
        gate: run the parity gate. Each file is compared with its network without it too.
        report: called before each step.
        show: called with the gate's rows.
        processes: most processes that write files; default one per core.
        key: of the signature that the manifest gets; None leaves it unsigned.

    Raises:
        GateError: a file or a row is refused; the message says why.
        InputError: ``output`` holds other files, weights or a photo cannot be read, or a plan is of other weights.
        ExportError: a file cannot be written.
    """
    if key is not None:
        check_private(key)
    truth = Truth(Networks(spec.checkpoints))
    check_plan(spec, truth.networks)
    started = time.perf_counter()
    with replacing(output) as folder:
        try:
            written = write_models(spec, folder, truth, report, processes)
            finish(folder, spec, written.entries, truth)
            files = tuple(model_files(read_manifest(folder)))
            if not gate:
                _check_shared(folder, files, truth)
        except WrongFile as refused:
            raise GateError(f"{refused}; {_why(folder, refused.file, truth)}; {output} is left as it was") from refused
        finished = time.perf_counter()
        rows = _gate(folder, output, truth, written.known, report, show) if gate else ()
        if key is not None:
            sign(folder, key)
    return Export(files, rows, finished - started, time.perf_counter() - finished)


def _check_shared(folder: Path, files: Sequence[ModelFile], truth: Truth) -> None:
    """Run the entries of merged files, which the gate does otherwise.

    Raises:
        WrongFile: an entry computes something else than its network.
    """
    photo = sample_photo()
    for file in (f for f in files if f.entry):
        feeds, expected = truth.feeds(file.name, file.size, photo), truth.expected(file.name, file.size, photo)
        check_computation(folder, file, feeds, expected, fair_for(truth, file))


def _why(folder: Path, file: ModelFile, truth: Truth) -> str:
    """The cause of a wrong file where one can be proven, else the first layer that diverges."""
    feeds = truth.feeds(file.name, file.size, sample_photo())
    try:
        cause = cause_of(folder, file, truth.networks, feeds)
        return cause or sentence(locate(folder, file, truth.networks, feeds))
    except Exception as error:  # the file may be anything: what is known of it is said all the same
        return f"why, cannot be said ({error})"


def _gate(folder: Path, output: Path, truth: Truth, known: Known, report: Report, show: Show) -> tuple[Row, ...]:
    """The rows of a finished bundle, written into its manifest.

    Raises:
        GateError: a row failed.
    """
    rows = run_parity(folder, (), truth, lambda what, done, of: report(f"checking {what}", done, of), known=known)
    failed = [row for row in rows if row.status is Status.FAILED]
    if failed:
        rows = explain(folder, rows, truth, [sample_photo()])
    show(rows)
    if failed:
        raise GateError(f"{len(failed)} parity rows failed: {output} is left as it was; {first_failure(rows)}")
    write_json(folder / MANIFEST, {**read_manifest(folder), "parity": [r.to_json() for r in rows]})
    return tuple(rows)
