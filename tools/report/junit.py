"""The report's verdicts as JUnit XML, for a build server."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from portraiture.export.parity.rows import Row, Status, counts


def junit_xml(bundle: Path, rows: Sequence[Row]) -> str:
    """One suite per link, one case per row; what could not run is ``skipped``."""
    top = ElementTree.Element("testsuites", name=f"parity of {bundle.resolve().name}")
    for link in dict.fromkeys(r.link for r in rows):
        own = [r for r in rows if r.link is link]
        number = {status: str(count) for status, count in counts(own).items()}
        suite = ElementTree.SubElement(
            top, "testsuite", name=link.value, tests=str(len(own)), failures=number[Status.FAILED], errors="0",
            skipped=number[Status.NOT_RUN],
        )  # fmt: skip
        for row in own:
            case = ElementTree.SubElement(suite, "testcase", classname=str(row.subject), name=row.output)
            d = row.difference
            figures = "" if d is None else f"max error {d.max_abs:.3e}, PSNR {d.psnr_db:.2f} dB"
            if d is not None and d.iou is not None:
                figures += f", IoU {d.iou:.4f}"
            if row.status is Status.FAILED:
                message = f"expected {row.tolerance}; found {figures}" if figures else row.note
                ElementTree.SubElement(case, "failure", message=message).text = row.note
            elif row.status is Status.NOT_RUN:
                ElementTree.SubElement(case, "skipped", message=row.note)
            ElementTree.SubElement(case, "system-out").text = "; ".join(t for t in (figures, row.reason) if t)
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"
