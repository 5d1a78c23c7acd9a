"""How good the masks of two bundles are on a data set: for ``diff --dataset``."""

from collections.abc import Sequence
from pathlib import Path

from portraiture.export.bundle.allowed import Allowed
from portraiture.export.bundle.findings import Finding, Section, Verdict
from portraiture.export.difference.pairs import Pair
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.subjects import engine_note
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.targets import open_file
from portraiture.reference.errors import PortraitureError
from portraiture.tools.evaluate.measures import network_predictor
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.masks import evaluate_segmentation

FIGURES = {"mean_iou": "mean IoU", "boundary_f_2px": "boundary F at 2 px"}
"""Figures of ``evaluate segmentation`` that are compared, and their names in a finding."""


def _figures(root: Path, file: ModelFile, samples: Sequence[Sample]) -> dict[str, float]:
    runner = open_file(root, file)
    pipeline = Pipeline(lambda _name, _size: runner, [file.size])
    return evaluate_segmentation(samples, network_predictor(pipeline, coarse=False))


def quality_findings(pair: Pair, samples: Sequence[Sample], allowed: Allowed) -> list[Finding]:
    """Mean IoU and boundary F of a pair's masks; none of a model that finds no masks by itself.

    Args:
        pair: the two files.
        samples: photos with masks, one or more.
        allowed: its rule on ``quality`` judges each figure.

    Raises:
        InputError: a photo or a mask cannot be read.
    """
    if pair.new.entry["name"] != "perception":
        return []
    rule = "" if allowed.fall is None else f"-{allowed.fall:g}"
    if pair.is_same:
        return [Finding(Section.QUALITY, pair.name, "masks", Verdict.SAME, note="same bytes, same masks", rule=rule)]
    why = pair.why_not_run()
    if why:
        verdict = Verdict.NOT_COMPARED if allowed.fall is None else Verdict.WORSE
        return [Finding(Section.QUALITY, pair.name, "masks", verdict, note=why, rule=rule)]
    (old_root, old_file), (new_root, new_file) = pair.sides()
    old = _figures(old_root, old_file, samples)
    try:
        new = _figures(new_root, new_file, samples)
    except PortraitureError as error:
        return [Finding(Section.QUALITY, pair.name, "masks", Verdict.WORSE, "runs", "does not run", str(error), rule)]
    note = "; ".join(t for t in (f"{len(samples)} photos", engine_note(new_file)) if t)
    return [_judged(pair.name, said, old[name], new[name], allowed, rule, note) for name, said in FIGURES.items()]


def _judged(subject: str, what: str, old: float, new: float, allowed: Allowed, rule: str, note: str) -> Finding:
    if old == new:
        verdict = Verdict.SAME
    elif allowed.fall is None:
        verdict = Verdict.DIFFERS
    else:
        verdict = Verdict.WORSE if not old - new <= allowed.fall else Verdict.ALLOWED  # NaN is worse
    return Finding(Section.QUALITY, subject, what, verdict, f"{old:.4f}", f"{new:.4f}", note, rule)
