"""The parity report: one HTML file that works offline, and the same verdicts as JUnit XML for a build server."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.tolerances import Tolerance
from portraiture.reference.errors import InputError
from portraiture.tools.report.gallery import BINS_PER_DECADE, LOWEST_DECADE, Gallery, picture

BAR_PX = 28

_BIN_PX = 4

_TEMPLATES = Path(__file__).with_name("templates")


def _bars(counts: np.ndarray) -> list[int]:
    """Heights in pixels, logarithmic: one error is a pixel, the fullest bin has the full height."""
    if not counts.any():
        return []
    scaled = np.log1p(counts) / math.log1p(counts.max()) * BAR_PX
    return [int(h) for h in np.where(counts > 0, np.maximum(np.rint(scaled), 1), 0)]


def _gate_x(tolerance: Tolerance | None) -> float | None:
    """Where a gate on the largest error stands in the histogram, in pixels."""
    if tolerance is None or tolerance.max_abs is None:
        return None
    return (math.log10(tolerance.max_abs) - LOWEST_DECADE) * BINS_PER_DECADE * _BIN_PX


def _cells(row: Row, gallery: Gallery, names: Sequence[str]) -> dict[str, Any]:
    d = row.difference
    counts = gallery.counts.get((row.link, row.subject, row.output))
    return {
        "worst": "",
        **row.to_json(names),
        "psnr_db": "" if d is None else f"{d.psnr_db:.1f}",
        "max_abs": "" if d is None else f"{d.max_abs:.1e}",
        "mean_abs": "" if d is None else f"{d.mean_abs:.1e}",
        "iou": "" if d is None or d.iou is None else f"{d.iou:.4f}",
        "bars": [] if counts is None else _bars(counts),
        "gate_x": _gate_x(row.gate),
    }


def _provenance(bundle: Path) -> dict[str, Any]:
    """What the page says of a bundle; of one without a manifest that can be read, that."""
    try:
        return read_manifest(bundle)
    except InputError:
        return {"contract_version": "unknown", "git_revision": "unknown", "tools": {}}


def html_report(bundle: Path, rows: Sequence[Row], gallery: Gallery, photos: Mapping[str, np.ndarray]) -> str:
    """The report.

    Args:
        bundle: what was judged.
        rows: of ``run_parity``.
        gallery: whose ``watch`` it called.
        photos: by name in the order in which parity had them, HxWx3 uint8.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    by_link = groupby(sorted(rows, key=lambda r: list(Link).index(r.link)), key=lambda r: r.link)
    return environment.get_template("report.html").render(
        name=bundle.resolve().name,
        manifest=_provenance(bundle),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        counts={s.value: sum(r.status is s for r in rows) for s in Status},
        links={link.value: [_cells(r, gallery, list(photos)) for r in group] for link, group in by_link},
        photos=[
            {
                "name": name,
                "image": picture(photo / np.float32(255)) if k in gallery.strips else "",
                "strips": list(gallery.strips.get(k, {}).values()),
            }
            for k, (name, photo) in enumerate(photos.items())
        ],
        lowest=LOWEST_DECADE,
        bins=-LOWEST_DECADE * BINS_PER_DECADE,
    )
