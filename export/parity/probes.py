"""First link on the probes: a file that is right on a photo and wrong at the ends of its inputs' ranges fails."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from portraiture.export.compare import Difference, compare
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.rows import Link, Row, judge, of_one_photo
from portraiture.export.parity.subjects import engine_note, subject_of
from portraiture.export.pipeline.planned import on_probes
from portraiture.export.pipeline.probes import probes_of
from portraiture.export.pipeline.rounding import fair
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import open_file
from portraiture.export.tolerances import probe_tolerance
from portraiture.reference.errors import PortraitureError


def probe_rows(root: Path, file: ModelFile, truth: Truth) -> Iterator[Row]:
    """First link for one file on the probes of its model: one row per output.

    Args:
        root: folder of the bundle.
        file: one of its files.
        truth: the float64 networks that the files are held against.
    """
    subject, probes = subject_of(file), probes_of(file.name)
    found: dict[str, dict[int, Difference]] = {}
    try:
        runner = open_file(root, file)
        for index, probe in enumerate(probes):
            feeds, expected = truth.on_probe(file.name, file.size, probe)
            for name, value in runner.run(feeds).items():
                found.setdefault(name, {})[index] = compare(value, expected[name])
    except PortraitureError as error:
        yield Row.failed(Link.FILE, subject, str(error))
        return
    for name, differences in found.items():
        gate = probe_tolerance(file.name, file.target, file.precision, name, truth.shipped, file.budget_db, truth.look)
        gate = fair(gate, truth, file, name, differences.values())
        gate = gate if file.plan is None else on_probes(gate, truth, file, name, differences.values())
        row = judge(Link.FILE, subject, f"{name} on {len(probes)} probes", differences, gate, engine_note(file))
        worst = probes[max(differences, key=lambda k: gate.badness(differences[k]))]
        yield of_one_photo(row, f"worst on {worst.name}", partial(truth.feeds_on, file.name, file.size, worst))
