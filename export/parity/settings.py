"""First link at every setting: a file that ignores aperture or focus fails, whatever its picture at the paper's."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from portraiture.export.compare import compare, compare_change
from portraiture.export.contract import PORTRAIT
from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Comparison, Link, Row, Watch, judge, of_one_photo, unwatched
from portraiture.export.parity.subjects import engine_note, subject_of
from portraiture.export.pipeline.rounding import fair
from portraiture.export.pipeline.settings import SETTINGS
from portraiture.export.pipeline.truth import Truth
from portraiture.export.plan_tolerance import plan_tolerance
from portraiture.export.runner import Runner
from portraiture.export.targets import open_file
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import change_tolerance, file_tolerance, use_tolerance
from portraiture.reference.errors import PortraitureError


def _gate(file: ModelFile, truth: Truth) -> Tolerance:
    """A plan was measured at the paper's setting alone: at others its portraits are held as those of int8 are."""
    if file.precision is Precision.PLAN:
        least = use_tolerance("portrait", file.target, Precision.INT8, PORTRAIT.name).min_psnr_db
        return plan_tolerance(file.budget_db, least or 0.0)
    return file_tolerance(file.name, file.target, file.precision, PORTRAIT.name, truth.shipped, look=truth.look)


def setting_rows(
    root: Path, file: ModelFile, truth: Truth, photo: np.ndarray, watch: Watch = unwatched
) -> Iterator[Row]:
    """First link for a file of filter or portrait at all ``SETTINGS``: its portraits, and how they change.

    Args:
        root: folder of the bundle.
        file: one of its files.
        truth: the float64 networks that the files are held against.
        photo: HxWx3 uint8.
        watch: called with each comparison.
    """
    subject = subject_of(file)
    gate = _gate(file, truth)
    portraits: list[tuple[np.ndarray, np.ndarray]] = []
    try:
        runner: Runner = open_file(root, file)
        for setting in SETTINGS:
            feeds, expected = truth.at_setting(file.name, file.size, photo, setting)
            portraits.append((runner.run(feeds)[PORTRAIT.name], expected[PORTRAIT.name]))
        found = {k: compare(*pair) for k, pair in enumerate(portraits)}
        changes = {k: compare_change(a, b, *portraits[0]) for k, (a, b) in enumerate(portraits) if k > 0}
    except PortraitureError as error:
        yield Row.failed(Link.FILE, subject, str(error))
        return
    gate = fair(gate, truth, file, PORTRAIT.name, found.values())
    output = f"{PORTRAIT.name} at {len(SETTINGS)} settings"
    shown = max(found, key=lambda k: gate.badness(found[k]))
    watch(Comparison(Link.FILE, subject, output, 0, *portraits[shown], found[shown], gate))
    change_gate = change_tolerance(file.name, file.target, file.precision, file.size, truth.shipped, truth.look)
    for name, differences, tolerance in ((output, found, gate), ("change between settings", changes, change_gate)):
        row = judge(Link.FILE, subject, name, differences, tolerance, engine_note(file))
        worst = SETTINGS[max(differences, key=lambda k: tolerance.badness(differences[k]))]
        yield of_one_photo(row, f"worst at {worst}", partial(truth.feeds_at, file.name, file.size, photo, worst))
