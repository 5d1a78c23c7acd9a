"""The comparison of two bundles as JUnit XML, for a build server."""

from collections.abc import Sequence
from xml.etree import ElementTree

from portraiture.export.bundle.findings import Finding, Section, Verdict, of, printable


def difference_junit(title: str, findings: Sequence[Finding]) -> str:
    """One suite per section, one case per finding: what is worse fails, what was not compared is ``skipped``."""
    top = ElementTree.Element("testsuites", name=printable(title))
    for section in Section:
        own = [f for f in findings if f.section is section]
        if not own:
            continue
        suite = ElementTree.SubElement(
            top, "testsuite", name=section.value, tests=str(len(own)), failures=str(len(of(Verdict.WORSE, own))),
            errors="0", skipped=str(len(of(Verdict.NOT_COMPARED, own))),
        )  # fmt: skip
        for finding in own:
            names = {"classname": printable(finding.subject), "name": printable(finding.what)}
            case = ElementTree.SubElement(suite, "testcase", names)
            said = printable(str(finding))
            if finding.verdict is Verdict.WORSE:
                ElementTree.SubElement(case, "failure", message=said)
            elif finding.verdict is Verdict.NOT_COMPARED:
                ElementTree.SubElement(case, "skipped", message=said)
            ElementTree.SubElement(case, "system-out").text = said
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"
