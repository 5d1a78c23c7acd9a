"""What a row of parity is about, and how the table names it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from portraiture.export.model_file import ModelFile
from portraiture.export.targets import FORMATS

TENSORFLOW = "TensorFlow"
"""The runtime of a TFLite file that TensorFlow's own interpreter runs."""

CORE_AI = "Core AI"
"""The second judge of a Core ML file in fp16."""


@dataclass(frozen=True)
class Subject:
    """What a row is about.

    Attributes:
        name: as the table says it, without the runtime.
        file: the model file; of a pipeline its first one; None where the row is about no file.
        runtime: what runs the file, where it is not the format's default runtime.
    """

    name: str
    file: ModelFile | None = None
    runtime: str = ""

    def __str__(self) -> str:
        return f"{self.name} by {self.runtime}" if self.runtime else self.name

    def run_by(self, runtime: str) -> "Subject":
        """The same, run by another runtime; empty for the format's default."""
        return replace(self, runtime=runtime)


def _written_as(name: str, file: ModelFile) -> str:
    text = f"{name} {file.target.value} {file.precision.value} {file.size}"
    return f"{text} in {Path(file.path).name}" if file.entry else text


def subject_of(file: ModelFile) -> Subject:
    """A file, run by its format's default runtime."""
    return Subject(_written_as(file.name, file), file)


def engine_note(file: ModelFile) -> str:
    """What a figure of a file does not show on this machine; empty where it shows all."""
    return FORMATS[file.target].engine_note(file.precision)


def pipeline_kind(file: ModelFile) -> str:
    """What the pipeline is called that a file belongs to."""
    return "portrait pipeline" if file.name == "portrait" else "pipeline"


def pipeline_groups(files: Iterable[ModelFile]) -> dict[Subject, dict[str, ModelFile]]:
    """The files of each pipeline by model: perception and filter, or ``portrait``, which is a pipeline by itself."""
    groups: dict[str, dict[str, ModelFile]] = {}
    for file in files:
        if file.name in ("perception", "filter", "portrait"):
            name = pipeline_kind(file)
            groups.setdefault(_written_as(name, file), {})[file.name] = file
    return {Subject(name, next(iter(group.values()))): group for name, group in sorted(groups.items())
            if "portrait" in group or {"perception", "filter"} <= group.keys()}  # fmt: skip
