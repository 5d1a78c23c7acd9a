"""Print the table of the errors of sound files, which the gate's tolerances are multiples of.

``python -m portraiture.tools.evaluate.file_errors BUNDLE ... > export/measured_errors.csv`` runs every file of bundles
of the shipped weights on the gate's inputs. Run it when networks, converters or the gate's inputs change.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.contract import FilterLook, Size
from portraiture.export.measured_errors import (
    CHANGE,
    Key,
    MeasuredError,
    filter_key,
    of_look,
    second_key,
    worse,
    write_table,
)
from portraiture.export.networks.look import named_look
from portraiture.export.parity.rows import Link, Row
from portraiture.export.parity.run import run_parity
from portraiture.export.parity.second_judge import OF_THE_FILE
from portraiture.export.parity.subjects import pipeline_kind
from portraiture.export.targets import FORMATS
from portraiture.tools.evaluate.program import exit_code
from portraiture.tools.progress import steps


def key_of(row: Row, look: FilterLook = FilterLook.PAPER) -> Key | None:
    """Where a row's figure belongs in the table, of a bundle of a look; None where it belongs nowhere."""
    file = row.subject.file
    if row.link is Link.SECOND and file is not None and row.output.endswith(OF_THE_FILE):
        second = FORMATS[file.target].second
        output = second_key(row.output.removesuffix(OF_THE_FILE), second.value if second else "")
        return of_look(file.name, look), file.target.value, file.precision.value, output
    if row.link is Link.FILTER and row.output == "portrait":
        return filter_key(Size.parse(row.subject.name.split()[-1]), look)
    if file is None or row.subject.runtime or row.link not in (Link.FILE, Link.PIPELINE):
        return None
    name = file.name if row.link is Link.FILE else pipeline_kind(file)
    output = CHANGE if row.output.startswith(CHANGE) else row.output.split()[0]
    return of_look(name, look), file.target.value, file.precision.value, output


def errors_of(rows: Iterable[Row], look: FilterLook = FilterLook.PAPER) -> dict[Key, MeasuredError]:
    """The table's figures from the gate's rows."""
    found: dict[Key, MeasuredError] = {}
    for row in rows:
        if key := key_of(row, look):
            for difference in row.every:
                found[key] = worse(found.get(key), difference)
    return found


def main(bundles: Sequence[str]) -> int:
    """Measure and print; return the exit code."""

    def measure() -> None:
        errors: dict[Key, MeasuredError] = {}
        for bundle in bundles:
            with steps() as report:
                rows = run_parity(Path(bundle), report=report, second=True)
            for key, error in errors_of(rows, named_look(read_manifest(Path(bundle)))).items():
                errors[key] = worse(errors.get(key), error)
        print(write_table(errors))

    return exit_code("file_errors", measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
