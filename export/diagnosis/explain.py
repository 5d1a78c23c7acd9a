"""Why a row failed, in words: the proven cause, else the first layer that diverges."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.diagnosis.locate import Layer, locate
from portraiture.export.diagnosis.mistakes import mistake_of
from portraiture.export.diagnosis.stages import first_stage
from portraiture.export.diagnosis.weights import other_weights, weights_sentence
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import build
from portraiture.export.networks.checkpoints import Checkpoints
from portraiture.export.parity.links import exported_pipeline
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.parity.subjects import BY_TENSORFLOW, pipeline_groups, subject_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds


def cause_of(root: Path, file: ModelFile, checkpoints: Checkpoints, feeds: Feeds) -> str:
    """The proven cause of a file's failure in words, or nothing."""
    network = build(file.name, checkpoints)
    said = weights_sentence(*other_weights(root, file, network))
    if said:
        return said
    mistake = mistake_of(root, file, network.double(), feeds)
    return mistake.cause if mistake else ""


def explain(root: Path, rows: list[Row], checkpoints: Checkpoints, photos: Sequence[np.ndarray]) -> list[Row]:
    """The same rows; the note of each that failed says why, found with its worst of the photos, HxWx3 uint8.

    Of a file: the cause where one can be proven, else the first layer that diverges. Of a pipeline: the stage.
    """
    files = model_files(read_manifest(root))
    subjects = {subject_of(f): f for f in files}
    pipelines = pipeline_groups(files)
    truth, said = Truth(checkpoints), dict[str, str]()
    failed = {r.subject for r in rows if r.status is Status.FAILED and r.link is Link.FILE}

    def why(row: Row) -> str:
        photo = photos[row.worst or 0]
        subject = row.subject.removesuffix(BY_TENSORFLOW)
        if row.difference is None:
            return ""
        if row.link is Link.FILE and subject in subjects:
            file = subjects[subject]
            feeds = truth.feeds(file.name, file.size, photo)
            return cause_of(root, file, checkpoints, feeds) or sentence(locate(root, file, checkpoints, feeds))
        if row.link is not Link.PIPELINE:
            return ""
        group = pipelines[subject]
        wrong = [f.path for f in group.values() if subject_of(f) + row.subject.removeprefix(subject) in failed]
        if wrong:
            return f"{wrong[0]} fails by itself"
        if "portrait" in group:
            return "its file agrees, the pipeline does not; the first stage that diverges is around the model"
        size = next(iter(group.values())).size
        stage = first_stage(exported_pipeline(root, group, size), truth.pipeline(size), photo)
        return f"its files agree, the pipeline does not; {stage}"

    explained = []
    for row in rows:
        if row.status is Status.FAILED:
            if row.subject not in said:
                said[row.subject] = why(row)
            row = replace(row, note="; ".join(t for t in (row.note, said[row.subject]) if t))
        explained.append(row)
    return explained


def sentence(layer: Layer | None) -> str:
    """For a note in the table."""
    if layer is None:
        return "every layer agrees; the difference is after the last one"
    near = f"nearest is {layer.found}, {layer.error:.1%} off"
    if layer.error == float("inf"):
        near = "no value has its shape" if layer.found == "-" else "it gives NaN or infinity"
    return f"first layer that diverges: {layer.name} ({layer.kind}); {near}"
