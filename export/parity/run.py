"""The parity gate of a bundle: three links, each judged by the one comparison and the one tolerance table.

1. each exported file against the PyTorch network in float64, at the model's size;
2. the RNN filter against the CRF reference, on the same maps;
3. the whole exported pipeline against the whole Python pipeline, at the photo's size.

A runtime that cannot run here is reported as not run, never as passed.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from portraiture.export.bundle.check import check_manifest
from portraiture.export.bundle.checksums import verify
from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.coreml.runner import Engine, engine_here
from portraiture.export.formats import Target
from portraiture.export.networks.checkpoints import Checkpoints
from portraiture.export.parity.links import (
    check_golden_truth,
    file_rows,
    filter_rows,
    golden_rows,
    photos_for_size,
    pipeline_rows,
    tensorflow_rows,
)
from portraiture.export.parity.rows import Link, Row, Status, Watch, unwatched
from portraiture.export.parity.subjects import subject_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo


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
        rows += filter_rows(truth, size, photos_for_size(chosen, size, sizes), watch)
    if report:
        report("pipelines")
    rows += pipeline_rows(root, files, truth, chosen, watch)
    rows += tensorflow_rows(root, files, truth, chosen, watch)
    if engine_here() is Engine.MIL and any(f.target is Target.COREML for f in files):
        rows.append(Row(Link.FILE, "all coreml", "-", Status.NOT_RUN, None, "-", "-", 0,
                        "Apple's Core ML (compiler, ANE, fp16 rounding) runs on macOS only"))  # fmt: skip
    return rows
