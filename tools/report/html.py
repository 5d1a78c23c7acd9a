"""The parity report: one HTML file that works offline."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.parity.rows import Link, Row, counts
from portraiture.reference.errors import InputError
from portraiture.tools.report.costs import cells
from portraiture.tools.report.gallery import Gallery
from portraiture.tools.report.histogram import bars, drawing, gate_x
from portraiture.tools.report.pictures import picture

_TEMPLATES = Path(__file__).with_name("templates")


def _cells(row: Row, gallery: Gallery, names: Sequence[str]) -> dict[str, Any]:
    d, errors = row.difference, gallery.counts.get((row.link, row.subject, row.output))
    return {
        "worst": "",
        **row.to_json(names),
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


def html_report(
    bundle: Path,
    rows: Sequence[Row],
    gallery: Gallery,
    photos: Mapping[str, np.ndarray],
    costs: Sequence[dict[str, Any]] = (),
) -> str:
    """The report as one page that needs no network.

    Args:
        bundle: folder of the bundle that was judged.
        rows: what ``run_parity`` or ``device_rows`` gave.
        gallery: its ``watch`` was given to that function.
        photos: HxWx3 uint8 by name, in the order in which parity had them.
        costs: of each file on this machine, if they were asked for.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    by_link = groupby(sorted(rows, key=lambda r: list(Link).index(r.link)), key=lambda r: r.link)
    return environment.get_template("report.html").render(
        name=bundle.resolve().name,
        manifest=_provenance(bundle),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        counts={status.value: number for status, number in counts(rows).items()},
        links={link.value: [_cells(r, gallery, list(photos)) for r in group] for link, group in by_link},
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
