"""The comparison of two bundles: one HTML file that works offline."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portraiture.export.bundle.any_release import AnyBundle
from portraiture.export.bundle.findings import Finding, Section, Verdict, last_line, printable
from portraiture.export.difference.outputs import Pictures
from portraiture.export.difference.run import Comparison
from portraiture.export.difference.weights import LayerChange, worst_first
from portraiture.tools.report.pictures import difference, picture
from portraiture.tools.templates import page_of

_TEMPLATES = Path(__file__).with_name("templates")

SHOWN_LAYERS = 10
"""Layers of a pair that the page lists, the farthest first; the JSON has all. Chosen, not measured."""

SHOWN_PHOTOS = 3
"""Photos whose pictures the page shows, the first ones; chosen, not measured."""

_CLASS = {
    Verdict.SAME: "passed", Verdict.ALLOWED: "passed", Verdict.WORSE: "failed", Verdict.NOT_COMPARED: "not-run",
    Verdict.DIFFERS: "", Verdict.MEASURED: "",
}  # fmt: skip
"""Of the page's style, which the report of parity has too."""


class DifferenceGallery:
    """Keeps small copies of what both bundles gave for the first photos."""

    def __init__(self) -> None:
        self.shown: dict[int, list[dict[str, Any]]] = {}

    def watch(self, given: Pictures) -> None:
        """Keep the pictures of one output of one photo."""
        if given.photo >= SHOWN_PHOTOS:
            return
        drawn = {
            "title": f"{given.subject}: {given.output}",
            "old": picture(given.old),
            "new": picture(given.new),
            "difference": difference(given.new, given.old),
            "said": given.said,
        }
        self.shown.setdefault(given.photo, []).append(drawn)


def _row(finding: Finding) -> dict[str, str]:
    return {k: printable(str(v)) for k, v in finding.to_json().items()} | {"css": _CLASS[finding.verdict]}


def _layer(change: LayerChange) -> dict[str, str]:
    return {
        "name": change.name,
        "shape": "x".join(map(str, change.shape)),
        "relative_rms": f"only in the {change.only} file" if change.only else f"{change.relative_rms:.3g}",
        "largest": "" if change.largest is None else f"{change.largest:.3g}",
    }


def difference_html(
    old: AnyBundle,
    new: AnyBundle,
    found: Comparison,
    gallery: DifferenceGallery,
    photos: Sequence[str],
) -> str:
    """The comparison as one page that needs no network.

    Args:
        old, new: the bundles.
        found: what ``compare_bundles`` gave.
        gallery: its ``watch`` was given to that function.
        photos: names of the photos, in the order in which it had them.
    """
    sections: Mapping[str, list[dict[str, str]]] = {
        s.value: [_row(f) for f in found.findings if f.section is s] for s in Section
    }
    worst = {name: worst_first(changes) for name, changes in found.layers.items()}
    return page_of(
        _TEMPLATES,
        "difference.html",
        old=old.root.resolve().name,
        new=new.root.resolve().name,
        versions=[str(b.manifest["contract_version"]) for b in (old, new)],
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        last_line=printable(last_line(found.findings)),
        counts={v.value: (sum(f.verdict is v for f in found.findings), _CLASS[v]) for v in Verdict},
        sections={name: rows for name, rows in sections.items() if rows},
        layers={name: [_layer(c) for c in changes[:SHOWN_LAYERS]] for name, changes in worst.items() if changes},
        more={name: max(0, len(changes) - SHOWN_LAYERS) for name, changes in worst.items()},
        photos=[(name, gallery.shown[k]) for k, name in enumerate(photos) if k in gallery.shown],
    )
