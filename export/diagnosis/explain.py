"""Why a row failed, in words: the proven cause, else the first layer that diverges."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.compare import compare
from portraiture.export.diagnosis.locate import LayerMatch, locate
from portraiture.export.diagnosis.mistakes import NONE, Arrays, mistake_of, run_mistaken
from portraiture.export.diagnosis.patterns import Guess, broken_values, pattern
from portraiture.export.diagnosis.scalars import ignored_scalar, scaled_scalar
from portraiture.export.diagnosis.stages import first_stage
from portraiture.export.diagnosis.weights import other_weights, weights_sentence
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.parity.links import exported_pipeline
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.parity.subjects import Subject, pipeline_groups, subject_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.targets import open_file
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import file_tolerance


def cause_of(root: Path, file: ModelFile, networks: Networks, feeds: Feeds) -> str:
    """The likely cause of a file's failure in words; empty where none fits its outputs.

    Args:
        root: folder of the bundle.
        file: the file that fails.
        networks: the networks it was exported from.
        feeds: the contract's inputs with which it fails: images HxWx3 and maps HxW in 0..1, scalars.
    """
    said = weights_sentence(*other_weights(root, file, networks.get(file.name)))
    if said:
        return said
    network = networks.get(file.name, dtype=torch.float64)
    found, expected = open_file(root, file).run(feeds), run_mistaken(network, file, feeds, NONE)
    broken = [f"{name}: {words}" for name, value in found.items() if (words := broken_values(value))]
    if broken:
        return broken[0]
    if mistake := mistake_of(file, found, network, feeds):
        return mistake.cause
    if fault := ignored_scalar(root, file, network, feeds):
        return fault
    shipped, look = networks.checkpoints.are_shipped(), networks.checkpoints.look
    gates = {n: file_tolerance(file.name, file.target, file.precision, n, shipped, file.budget_db, look) for n in found}
    guesses = [_patterns(gates, feeds, found, expected)]
    if guesses[0] is None or guesses[0].left > _EXACT:
        guesses.append(scaled_scalar(root, file, network, feeds))
    return min((g for g in guesses if g), key=lambda g: g.left, default=Guess("", 1.0)).sentence


_EXACT = 1e-6
"""A guess that leaves less of the error needs no rival: the search for one runs the network some thirty times."""


def _patterns(gates: Mapping[str, Tolerance], feeds: Feeds, found: Arrays, expected: Arrays) -> Guess | None:
    """What the errors of the outputs that fail look like; None where one of them looks like nothing simple.

    Args:
        gates: the tolerance of each output.
        feeds: the contract's inputs.
        found, expected: outputs by name, finite.
    """
    said = []
    for name, value in found.items():
        gate = replace(gates[name], min_iou=None)
        if not gate.passes(compare(value, expected[name])):
            guess = pattern(value, expected[name], np.asarray(feeds["rgb"]), gate)
            if guess is None:
                return None
            said.append((name, guess))
    sentence = "; ".join(f"{name}: {guess.sentence}" for name, guess in said)
    return Guess(sentence, max(guess.left for _, guess in said)) if said else None


def explain(root: Path, rows: list[Row], truth: Truth, photos: Sequence[np.ndarray]) -> list[Row]:
    """The same rows; the note of each that failed says why, found with the row's worst photo.

    A file's note names the cause where one can be proven, else the first layer that diverges. A pipeline's note names
    the stage.

    Args:
        root: folder of the bundle.
        rows: what ``run_parity`` gave.
        truth: float64 results of the networks that were exported.
        photos: what ``run_parity`` had, HxWx3 uint8, at least one.
    """
    files = model_files(read_manifest(root))
    pipelines = pipeline_groups(files)
    said = dict[Subject, str]()
    failed = {r.subject for r in rows if r.status is Status.FAILED and r.link is Link.FILE}

    def why(row: Row) -> str:
        photo, file = photos[row.worst or 0], row.subject.file
        if row.difference is None or file is None:
            return ""
        if row.link is Link.FILE:
            feeds = row.feeds() if row.feeds else truth.feeds(file.name, file.size, photo)
            return cause_of(root, file, truth.networks, feeds) or sentence(locate(root, file, truth.networks, feeds))
        if row.link is not Link.PIPELINE:
            return ""
        group = pipelines[row.subject.run_by("")]
        wrong = [f.path for f in group.values() if subject_of(f).run_by(row.subject.runtime) in failed]
        if wrong:
            return f"{wrong[0]} fails by itself"
        if "portrait" in group:
            return "its file agrees, the pipeline does not; the first stage that diverges is around the model"
        stage = first_stage(exported_pipeline(root, group, file.size), truth.pipeline(file.size), photo)
        return f"its files agree, the pipeline does not; {stage}"

    explained = []
    for row in rows:
        if row.status is Status.FAILED:
            if row.subject not in said:
                said[row.subject] = why(row)
            row = replace(row, note="; ".join(t for t in (row.note, said[row.subject]) if t))
        explained.append(row)
    return explained


def sentence(layer: LayerMatch | None) -> str:
    """What the search for the first layer found, as a note in the table."""
    if layer is None:
        return "every layer agrees; the difference is after the last one"
    near = f"nearest is {layer.found}, {layer.error:.1%} off"
    if layer.error == float("inf"):
        near = "no value has its shape" if layer.found == "-" else "it gives NaN or infinity"
    return f"first layer that diverges: {layer.name} ({layer.kind}); {near}"
