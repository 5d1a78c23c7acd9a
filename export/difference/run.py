"""The comparison of two bundles, of any two releases: contract, files, weights, outputs, portraits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from portraiture.export.bundle.allowed import Allowed
from portraiture.export.bundle.any_release import AnyBundle
from portraiture.export.bundle.diff import contract_findings, file_findings
from portraiture.export.bundle.findings import Finding
from portraiture.export.difference.outputs import Watch, not_compared, output_findings, pipeline_findings, unwatched
from portraiture.export.difference.pairs import Pair, pairs
from portraiture.export.difference.weights import LayerChange, weight_finding
from portraiture.export.pipeline.truth import Truth

Report = Callable[[str, int, int], None]
"""Called before each step: what runs now, how many steps are done, and of how many."""

Measure = Callable[[Pair], Finding]
"""Times a pair of files."""

Quality = Callable[[Pair], Sequence[Finding]]
"""Judges a pair of files on a data set."""


@dataclass
class Comparison:
    """What was found.

    Attributes:
        findings: in the order of the sections.
        layers: every layer of each pair of files whose bytes differ, by the pair's name.
    """

    findings: list[Finding]
    layers: dict[str, list[LayerChange]] = field(default_factory=dict)


def _silent(_what: str, _done: int, _of: int) -> None:
    """Reports nothing."""


def compare_bundles(
    old: AnyBundle,
    new: AnyBundle,
    allowed: Allowed,
    truth: Truth,
    photos: Sequence[np.ndarray],
    measure: Measure | None = None,
    quality: Quality | None = None,
    report: Report = _silent,
    watch: Watch = unwatched,
) -> Comparison:
    """Compare two bundles.

    Args:
        old, new: the bundles, opened.
        allowed: by how much the new one may be worse.
        truth: its feeds, maps of the float64 perception, are what both are given.
        photos: HxWx3 uint8, at least one.
        measure: times a pair; None leaves times out.
        quality: judges a pair on a data set; None leaves that out.
        report: called before each step.
        watch: called with each pair of outputs.
    """
    own = pairs(old, new)
    found = Comparison([*contract_findings(old, new, allowed), *file_findings(old, new, allowed)])
    weights, outputs, times, figures = [], list[Finding](), list[Finding](), list[Finding]()
    if not own:
        outputs.append(not_compared("bundle", "models", "no model is in both", allowed, as_mask=True))
    for done, pair in enumerate(own):
        report(pair.name, done, len(own) + 1)
        weight, layers = weight_finding(pair)
        weights.append(weight)
        if layers:
            found.layers[pair.name] = layers
        outputs += output_findings(pair, truth, photos, allowed, watch)
        if quality is not None:
            figures += quality(pair)
        if measure is not None:
            times.append(measure(pair))
    report("the portraits", len(own), len(own) + 1)
    portraits = pipeline_findings(own, photos, allowed, watch)
    found.findings += [*weights, *outputs, *portraits, *figures, *times]
    return found
