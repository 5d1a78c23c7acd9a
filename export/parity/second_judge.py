"""A second judge of fp16 arithmetic: the same network in fp16 by another format's runtime.

Off macOS an interpreter of ours runs Core ML's files and emulates fp16. Apple's runtime of Core AI runs there too: what
it makes of the network in fp16 is held to the gate of the Core ML file, and the file's outputs to what it makes.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from portraiture.export.compare import compare
from portraiture.export.contract import MASK
from portraiture.export.formats import LAYOUT, SUFFIX, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.links import Step
from portraiture.export.parity.rows import Link, Row, judge
from portraiture.export.parity.subjects import CORE_AI, Subject, engine_note, subject_of
from portraiture.export.pipeline.rounding import fair
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Array, Feeds
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.tolerances import file_tolerance, second_tolerance
from portraiture.reference.errors import PortraitureError

OF_THE_FILE = " of the file"
"""Ends the name of an output in the row that holds the file to the second judge."""

NOT_ASKED = "not asked for here: portraiture parity runs it where portraiture[coreai] is installed"


def second_steps(
    root: Path, files: Sequence[ModelFile], truth: Truth, photo: np.ndarray, asked: bool = True
) -> list[Step]:
    """The second judge's rows for each file that has one; one row says so where it cannot run.

    Args:
        root: folder of the bundle.
        files: its files, of any format and precision.
        truth: the float64 networks that the files are held against.
        photo: HxWx3 uint8; one alone, since Apple's runtime takes up to 25 s for it on a CPU.
        asked: False where the caller has no time for it.
    """
    steps: list[Step] = []
    for target in dict.fromkeys(f.target for f in files):
        second = FORMATS[target].second
        own = [f for f in files if f.target == target and f.precision is Precision.FP16]
        if second is None or not own:
            continue
        if why := FORMATS[second].absent() if asked else NOT_ASKED:
            subject = Subject(f"all {target.value} {Precision.FP16.value}").run_by(CORE_AI)
            steps.append((str(subject), [Row.not_run(Link.SECOND, subject, why)]))
            continue
        steps += [(str(subject_of(f).run_by(CORE_AI)), second_rows(root, f, files, truth, photo)) for f in own]
    return steps


def second_rows(
    root: Path, file: ModelFile, files: Sequence[ModelFile], truth: Truth, photo: np.ndarray
) -> Iterator[Row]:
    """The second judge's rows for one file: two per output.

    Args:
        root: folder of the bundle.
        file: an fp16 file of a format that has a second judge.
        files: all of the bundle's; where the second format is among them its file is taken, else one is made.
        truth: the float64 networks that the files are held against.
        photo: HxWx3 uint8.
    """
    subject, second = subject_of(file).run_by(CORE_AI), FORMATS[file.target].second
    assert second is not None
    feeds, expected = truth.feeds(file.name, file.size, photo), truth.expected(file.name, file.size, photo)
    try:
        judged, found = open_file(root, file).run(feeds), _outputs(root, file, second, files, truth, feeds)
    except PortraitureError as error:
        yield Row.failed(Link.SECOND, subject, str(error))
        return
    for name, value in found.items():
        difference = compare(value, expected[name], as_mask=name == MASK.name)
        gate = file_tolerance(file.name, file.target, file.precision, name, truth.shipped, look=truth.look)
        yield judge(Link.SECOND, subject, name, {0: difference}, fair(gate, truth, file, name, [difference]))
    for name, value in found.items():
        difference = compare(judged[name], value, as_mask=name == MASK.name)
        gate = second_tolerance(file.name, file.target, name)
        gate = fair(gate, truth, file, name, [difference])
        yield judge(Link.SECOND, subject, f"{name}{OF_THE_FILE}", {0: difference}, gate, engine_note(file))


def _outputs(
    root: Path, file: ModelFile, second: Target, files: Sequence[ModelFile], truth: Truth, feeds: Feeds
) -> dict[str, Array]:
    """What the second format makes of a model in fp16."""
    for other in files:
        if (other.name, other.size, other.target, other.precision) == (file.name, file.size, second, file.precision):
            return open_file(root, other).run(feeds)
    with tempfile.TemporaryDirectory(prefix="portraiture.") as folder:
        made = ModelFile(file.name, second, file.precision, file.size, f"second{SUFFIX[second]}")
        network = truth.networks.get(file.name, LAYOUT[second])
        FORMATS[second].write(network, file.size, file.precision, Path(folder) / made.path)
        return open_file(Path(folder), made).run(feeds)
