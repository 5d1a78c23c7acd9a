"""The parity report: one HTML file that works offline."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.parity.rows import Link, Row, Status, counts
from portraiture.reference.errors import InputError
from portraiture.tools.report.before import Before
from portraiture.tools.report.costs import cells
from portraiture.tools.report.gallery import Gallery
from portraiture.tools.report.histogram import bars, drawing, gate_x
from portraiture.tools.report.matrix import matrix_of
from portraiture.tools.report.pictures import picture
from portraiture.tools.templates import page_of

_TEMPLATES = Path(__file__).with_name("templates")


def _cells(number: int, row: Row, gallery: Gallery, names: Sequence[str], before: Before | None) -> dict[str, Any]:
    d, errors = row.difference, gallery.counts.get((row.link, row.subject, row.output))
    was = None if before is None else before.of(row)
    return {
        "worst": "",
        **row.to_json(names),
        "number": number,
        "before": "new" if was is None else str(was),
        "worse": before is not None and before.is_worse(row),
        "psnr_db": "" if d is None else f"{d.psnr_db:.1f}",
        "max_abs": "" if d is None else f"{d.max_abs:.1e}",
        "mean_abs": "" if d is None else f"{d.mean_abs:.1e}",
        "iou": "" if d is None or d.iou is None else f"{d.iou:.4f}",
        "bars": [] if errors is None else bars(errors),
        "gate_x": gate_x(row.gate),
    }


def _provenance(bundle: Path) -> dict[str, Any]:
    """The bundle's manifest; "unknown" in place of each field where the manifest cannot be read."""
    try:
        return read_manifest(bundle)
    except InputError:
        return {"contract_version": "unknown", "git_revision": "unknown", "tools": {}}


def verdict_of(rows: Sequence[Row]) -> dict[str, str]:
    """What the page says first: a sentence, and the status that it has."""
    number = counts(rows)
    failed, not_run = number[Status.FAILED], number[Status.NOT_RUN]
    if failed:
        return {"status": "failed", "text": f"{failed} of {len(rows)} comparisons failed"}
    if not_run:
        return {"status": "not-run", "text": f"Nothing failed; {not_run} of {len(rows)} comparisons were not run"}
    return {"status": "passed", "text": f"All {len(rows)} comparisons passed"}


def html_report(
    bundle: Path,
    rows: Sequence[Row],
    gallery: Gallery,
    photos: Mapping[str, np.ndarray],
    before: Before | None = None,
    costs: Sequence[dict[str, Any]] = (),
) -> str:
    """The report as one page that needs no network.

    Args:
        bundle: folder of the bundle that was judged.
        rows: what ``run_parity`` or ``device_rows`` gave.
        gallery: its ``watch`` was given to that function.
        photos: HxWx3 uint8 by name, in the order in which parity had them.
        before: an earlier report, whose figures stand beside these.
        costs: of each file on this machine, if they were asked for.
    """
    ordered = sorted(rows, key=lambda r: list(Link).index(r.link))
    listed = [_cells(k, row, gallery, list(photos), before) for k, row in enumerate(ordered)]
    by_link = groupby(listed, key=lambda row: row["link"])
    return page_of(
        _TEMPLATES,
        "report.html",
        name=bundle.resolve().name,
        manifest=_provenance(bundle),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        verdict=verdict_of(rows),
        before="" if before is None else before.line(rows),
        worse=sum(row["worse"] for row in listed),
        listed={s.value: [row for row in listed if row["status"] == s.value] for s in (Status.FAILED, Status.NOT_RUN)},
        matrix=matrix_of(rows),
        counts={status.value: number for status, number in counts(rows).items()},
        links={link: list(group) for link, group in by_link},
        photos=[
            {
                "name": name,
                "image": picture(photo / np.float32(255)) if k in gallery.strips else "",
                "strips": list(gallery.strips.get(k, {}).values()),
            }
            for k, (name, photo) in enumerate(photos.items())
        ],
        costs=[
            dict(zip(("ms", "ratio", "peak_mb"), cells(c), strict=True), subject=c["subject"], note=c["note"])
            for c in costs
        ],
        histogram=drawing(),
    )
