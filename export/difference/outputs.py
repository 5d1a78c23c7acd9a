"""How far the outputs of two files, and the portraits of two pipelines, are from each other on the same photos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.export.bundle.allowed import LEAST, Allowed
from portraiture.export.bundle.findings import Finding, Section, Verdict
from portraiture.export.compare import Difference, compare
from portraiture.export.contract import MASK, PORTRAIT, model_contract
from portraiture.export.difference.pairs import Pair
from portraiture.export.model_file import ModelFile
from portraiture.export.parity.links import exported_pipeline
from portraiture.export.parity.subjects import engine_note, pipeline_groups
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Runner
from portraiture.export.targets import open_file
from portraiture.reference.errors import PortraitureError
from portraiture.reference.lens.radii import APERTURE_PAPER

Arrays = Mapping[str, np.ndarray]

Run = Callable[[np.ndarray], Arrays]
"""From a photo, HxWx3 uint8, to outputs by name."""


@dataclass(frozen=True)
class Pictures:
    """What two files gave for one photo, for whoever wants to show it.

    Attributes:
        subject, output: of the finding.
        photo: index of the photo, from 0.
        old, new: HxWx3 or HxW in 0..1; other values where a file is wrong.
        said: the figures, in words.
    """

    subject: str
    output: str
    photo: int
    old: np.ndarray
    new: np.ndarray
    said: str


Watch = Callable[[Pictures], None]


def unwatched(_: Pictures) -> None:
    """Shows nothing."""


def figures(difference: Difference) -> str:
    """The figures of a comparison in words."""
    if not difference.finite:
        return "NaN or infinity in the output"
    overlap = "" if difference.iou is None else f", IoU {difference.iou:.4f}"
    return f"max error {difference.max_abs:.3g}, PSNR {difference.psnr_db:.1f} dB{overlap}"


def rule_of(allowed: Allowed, as_mask: bool) -> str:
    """What an output is held to, in words; empty where no rule was named."""
    names = [n for n in allowed.least if n != "iou" or as_mask]
    return ", ".join(f"{n} at least {allowed.least[n]:g} {LEAST[n]}".strip() for n in names)


def _worst(found: Sequence[Difference]) -> Difference:
    """Each figure at its worst over the photos."""
    overlaps = [d.iou for d in found if d.iou is not None]
    return Difference(
        all(d.finite for d in found),
        max(d.max_abs for d in found),
        max(d.mean_abs for d in found),
        min(d.psnr_db for d in found),
        min(d.tile_psnr_db for d in found),
        min(overlaps) if overlaps else None,
    )


def judged(subject: str, output: str, found: Sequence[Difference], allowed: Allowed, note: str = "") -> Finding:
    """The finding of an output: each figure of the worst photo is held to its rule.

    Args:
        subject: model or pipeline, in words.
        output: its name.
        found: the difference of each photo, at least one.
        allowed: the rules.
        note: what else a reader must know.
    """
    worst = _worst(found)
    held = {"psnr": worst.psnr_db, "iou": worst.iou}
    passes = all(value is None or value >= allowed.least.get(name, -np.inf) for name, value in held.items())
    rule = rule_of(allowed, worst.iou is not None)
    if not worst.finite or not passes:
        verdict = Verdict.WORSE
    elif worst.max_abs == 0:
        verdict = Verdict.SAME
    else:
        verdict = Verdict.ALLOWED if rule else Verdict.DIFFERS
    said = "; ".join(t for t in (figures(worst), f"{len(found)} photos" if len(found) > 1 else "", note) if t)
    return Finding(Section.OUTPUTS, subject, output, verdict, note=said, rule=rule)


def not_compared(subject: str, output: str, why: str, allowed: Allowed, as_mask: bool = False) -> Finding:
    """The finding of what could not be compared: worse where a rule was named, since nothing proves that it holds.

    Args:
        subject: model or pipeline, in words.
        output: its name.
        why: what kept it.
        allowed: the rules.
        as_mask: whether a rule on overlap judges it.
    """
    rule = rule_of(allowed, as_mask)
    verdict = Verdict.WORSE if rule else Verdict.NOT_COMPARED
    return Finding(Section.OUTPUTS, subject, output, verdict, note=why, rule=rule)


def _tried(run: Run, photo: np.ndarray) -> tuple[Arrays, str]:
    """What a run gives, or its error."""
    try:
        return run(photo), ""
    except PortraitureError as error:
        return {}, str(error)


def _compared(
    subject: str,
    outputs: Sequence[str],
    sides: tuple[Run, Run],
    photos: Sequence[np.ndarray],
    allowed: Allowed,
    watch: Watch,
    note: str,
) -> Iterator[Finding]:
    """Findings of one subject, from what runs the old and the new side on a photo."""
    found: dict[str, list[Difference]] = {name: [] for name in outputs}
    for index, photo in enumerate(photos):
        (old, why_old), (new, why_new) = (_tried(side, photo) for side in sides)
        if why_new and not why_old:  # whatever is allowed: it ran before
            yield Finding(Section.OUTPUTS, subject, "all", Verdict.WORSE, "runs", "does not run", why_new, "runs")
            return
        if why_old:
            yield not_compared(subject, "all", why_old, allowed, MASK.name in outputs)
            return
        for name in outputs:
            difference = compare(new[name], old[name], as_mask=name == MASK.name)
            found[name].append(difference)
            watch(Pictures(subject, name, index, old[name], new[name], figures(difference)))
    for name in outputs:
        yield judged(subject, name, found[name], allowed, note)


def _of_file(root: Path, file: ModelFile, truth: Truth) -> Run:
    """Runs a file, opened when it is first asked for."""
    opened: list[Runner] = []

    def run(photo: np.ndarray) -> Arrays:
        if not opened:
            opened.append(open_file(root, file))
        return opened[0].run(truth.feeds(file.name, file.size, photo))

    return run


def output_findings(
    pair: Pair, truth: Truth, photos: Sequence[np.ndarray], allowed: Allowed, watch: Watch = unwatched
) -> list[Finding]:
    """How far each output of a pair is from what it was, on the worst photo.

    Args:
        pair: the two files.
        truth: its feeds are what both are given.
        photos: HxWx3 uint8, at least one.
        allowed: the rules.
        watch: called with each pair of outputs.
    """
    if pair.is_same:
        return [Finding(Section.OUTPUTS, pair.name, "all", Verdict.SAME, note="same bytes, same outputs")]
    why = pair.why_not_run()
    if why:
        given = [t.get("name") for t in pair.new.entry.get("outputs") or []]
        return [not_compared(pair.name, "all", why, allowed, MASK.name in given)]
    (old_root, old), (new_root, new) = pair.sides()
    names = [s.name for s in model_contract(new.name).outputs]
    sides = _of_file(old_root, old, truth), _of_file(new_root, new, truth)
    return list(_compared(pair.name, names, sides, photos, allowed, watch, engine_note(new)))


def _of_pipeline(root: Path, group: Mapping[str, ModelFile]) -> Run:
    """Renders by the files of a pipeline."""
    size = next(iter(group.values())).size
    exported = exported_pipeline(root, group, size)

    def run(photo: np.ndarray) -> Arrays:
        if "portrait" in group:
            return {"portrait": exported.render_fused(photo, APERTURE_PAPER)}
        return {"portrait": exported.render(photo, exported.perceive(photo), APERTURE_PAPER)}

    return run


def pipeline_findings(
    pairs: Sequence[Pair], photos: Sequence[np.ndarray], allowed: Allowed, watch: Watch = unwatched
) -> list[Finding]:
    """How far the portraits of each whole pipeline are from what they were, both composed by this release's rules.

    Args:
        pairs: the models that two bundles have.
        photos: HxWx3 uint8, at least one.
        allowed: the rules.
        watch: called with each pair of portraits.
    """
    runnable = {p.sides()[1][1]: p for p in pairs if not p.why_not_run()}
    found: list[Finding] = []
    for subject, group in pipeline_groups(runnable).items():
        own = [runnable[file] for file in group.values()]
        if all(pair.is_same for pair in own):
            note = "same bytes, same portrait"
            found.append(Finding(Section.OUTPUTS, str(subject), PORTRAIT.name, Verdict.SAME, note=note))
            continue
        old = {file.name: file for file in (pair.sides()[0][1] for pair in own)}
        sides = _of_pipeline(own[0].old_root, old), _of_pipeline(own[0].new_root, group)
        note = engine_note(next(iter(group.values())))
        found += _compared(str(subject), [PORTRAIT.name], sides, photos, allowed, watch, note)
    return found
