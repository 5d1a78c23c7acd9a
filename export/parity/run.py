"""The parity gate of a bundle: three links, each judged by the one comparison and the one tolerance table.

1. each exported file against the PyTorch network in float64, at the model's size;
2. the RNN filter against the CRF reference, on the same maps;
3. the whole exported pipeline against the whole Python pipeline, at the photo's size.

A runtime that cannot run here is reported as not run, never as passed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import Difference
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.parity.filter_link import filter_rows, photos_for_size
from portraiture.export.parity.goldens import check_golden_truth, golden_rows
from portraiture.export.parity.inside import check_inside
from portraiture.export.parity.links import (
    Step,
    file_rows,
    known_rows,
    pipeline_rows,
    tensorflow_steps,
)
from portraiture.export.parity.probes import probe_rows
from portraiture.export.parity.rows import Link, Row, Watch, unwatched
from portraiture.export.parity.second_judge import second_steps
from portraiture.export.parity.settings import setting_rows
from portraiture.export.parity.subjects import pipeline_groups, subject_of
from portraiture.export.pipeline.settings import SETTINGS
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import InputError

Report = Callable[[str, int, int], None]
"""Called before each step: what runs now, how many steps are done, and of how many."""

Known = Mapping[str, Mapping[str, Difference]]
"""Differences of the sample photo that are known already: by path of a file, by output."""


def _silent(_what: str, _done: int, _of: int) -> None:
    """Reports nothing."""


def run_parity(
    root: Path,
    photos: Iterable[np.ndarray] = (),
    truth: Truth | None = None,
    report: Report = _silent,
    watch: Watch = unwatched,
    known: Known | None = None,
    second: bool = False,
) -> list[Row]:
    """All rows of a bundle.

    Args:
        root: the bundle; its checksums are verified first.
        photos: HxWx3 uint8; default the sample photo, the astronaut.
        truth: of the networks that were exported; default those of the shipped weights.
        report: called before each step.
        watch: called with each comparison.
        known: what the export's doctor found for the sample photo. A file of its own that is listed here gets its rows
            from these figures, is not run again and not watched; entries of shared files are always run.
        second: let the second judge run each file that has one, which converts its network once more.

    Raises:
        InputError: the bundle is not whole, or was exported from other weights; ``known`` comes with ``photos``.
    """
    bundle = open_bundle(root)
    truth = (truth or Truth(Networks())).of_manifest(bundle.manifest)
    check_golden_truth(bundle, truth.networks)
    check_inside(root, bundle.files, bundle.manifest["models"])
    absent = {f.target: why for f in bundle.files if (why := FORMATS[f.target].absent())}
    files, chosen, known = [f for f in bundle.files if f.target not in absent], list(photos), known or {}
    if chosen and known:
        raise InputError("parity: expected known figures for the sample photo alone, found photos; leave out either")
    is_known = not chosen and truth.shipped
    chosen = chosen or [sample_photo()]
    by_model = sorted(files, key=lambda f: (f.name, f.size))  # so that files of a model share what is remembered
    steps = [
        ("the goldens", golden_rows(root, bundle.files, truth)),
        *(_file_step(root, file, truth, chosen, watch, known) for file in by_model),
        *_filter_steps(files, truth, chosen, watch, is_known),
        *_pipeline_steps(root, files, truth, chosen, watch),
        *((f"{subject_of(f)} on probes", probe_rows(root, f, truth)) for f in by_model),
        *((f"{subject_of(f)} at {len(SETTINGS)} settings", setting_rows(root, f, truth, chosen[0], watch))
          for f in by_model if f.name in ("filter", "portrait")),
        *second_steps(root, files, truth, chosen[0], second),
    ]  # fmt: skip
    done: list[list[Row]] = []
    for what, lazy in steps:
        report(what, len(done), len(steps))
        done.append(list(lazy))
    place = {file: k for k, file in enumerate(by_model, 1)}
    in_order = [done[0], *(done[place[file]] for file in files), *done[1 + len(files) :]]
    rows = [row for own in in_order for row in own]
    for target in dict.fromkeys(f.target for f in bundle.files):
        if why := absent.get(target) or FORMATS[target].not_run_here():
            rows.append(Row.not_run(Link.FILE, f"all {target.value}", why))
    return rows


def _file_step(root: Path, file: ModelFile, truth: Truth, photos: list[np.ndarray], watch: Watch, known: Known) -> Step:
    is_known = file.path in known and not file.entry
    rows = known_rows(file, known[file.path], truth) if is_known else file_rows(root, file, truth, photos, watch)
    return str(subject_of(file)), rows


def _filter_steps(
    files: list[ModelFile], truth: Truth, photos: list[np.ndarray], watch: Watch, known: bool
) -> Iterator[Step]:
    """The filter at each size; on our network's maps where another stands in its place, which may be untrained."""
    checkpoints, sizes = truth.networks.checkpoints, sorted({f.size for f in files})
    of_filter = truth if checkpoints.own is None else Truth(Networks(replace(checkpoints, own=None)))
    for size in sizes:
        rows = filter_rows(of_filter, size, photos_for_size(photos, size, sizes), watch, known)
        yield f"filter against the CRF reference at {size}", rows


def _pipeline_steps(
    root: Path, files: list[ModelFile], truth: Truth, photos: list[np.ndarray], watch: Watch
) -> Iterator[Step]:
    """The pipelines, and what TensorFlow runs."""
    for subject, group in pipeline_groups(files).items():
        yield str(subject), pipeline_rows(root, list(group.values()), truth, photos, watch)
    yield from tensorflow_steps(root, files, truth, photos, watch)
