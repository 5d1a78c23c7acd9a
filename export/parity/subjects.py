"""How files and pipelines are named in the table of parity."""

from collections.abc import Iterable
from pathlib import Path

from portraiture.export.coreml.runner import Engine, engine_here
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile

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


def pipeline_groups(files: Iterable[ModelFile]) -> dict[str, dict[str, ModelFile]]:
    """The files of each pipeline by model, by its subject: perception and filter, or portrait alone."""
    groups: dict[str, dict[str, ModelFile]] = {}
    for file in files:
        if file.name in ("perception", "filter", "portrait"):
            groups.setdefault(pipeline_subject(file), {})[file.name] = file
    return {subject: group for subject, group in sorted(groups.items())
            if "portrait" in group or {"perception", "filter"} <= group.keys()}  # fmt: skip
