"""What a comparison of two bundles finds: one line each, with a verdict."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Section(Enum):
    """What is compared."""

    CONTRACT = "contract"
    FILES = "files"
    WEIGHTS = "weights"
    OUTPUTS = "outputs"
    QUALITY = "quality"
    SPEED = "speed"


class Verdict(Enum):
    """How a finding stands to what is allowed."""

    SAME = "same"
    DIFFERS = "differs"
    """No rule judges it."""
    ALLOWED = "allowed"
    """It differs, and a rule allows it."""
    WORSE = "worse"
    NOT_COMPARED = "not compared"
    MEASURED = "measured"
    """A time that no rule judges; two runs of one file differ too."""


@dataclass(frozen=True)
class Finding:
    """One thing that was compared.

    Attributes:
        section: which part of the comparison.
        subject: file, model or part of the manifest.
        what: which property of it, such as ``bytes``.
        verdict: how it stands to what is allowed.
        old, new: the two values in words; empty where a figure of both is in ``note``.
        note: the figure, or what else a reader must know.
        rule: what it was held to; empty without a rule.
    """

    section: Section
    subject: str
    what: str
    verdict: Verdict
    old: str = ""
    new: str = ""
    note: str = ""
    rule: str = ""

    def __str__(self) -> str:
        values = f"{self.old} -> {self.new}" if (self.old or self.new) and self.old != self.new else self.old
        said = ", ".join(t for t in (values, self.note) if t)
        rule = f" (allowed: {self.rule})" if self.rule else ""
        return f"{self.verdict.value}: {self.section.value}: {self.subject}: {self.what}: {said}{rule}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"section": self.section.value, "verdict": self.verdict.value}


def printable(text: str) -> str:
    """A text on one line, without the characters that neither a terminal nor XML can hold."""
    return "".join(c if c.isprintable() else "?" for c in text)


def of(verdict: Verdict, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of one verdict."""
    return [f for f in findings if f.verdict is verdict]


def last_line(findings: Sequence[Finding]) -> str:
    """What is worse, in one line; where nothing is, how the two stand."""
    worse = of(Verdict.WORSE, findings)
    if worse:
        first = "; ".join(f"{f.subject} {f.what}" for f in worse[:3])
        more = f", and {len(worse) - 3} more" if len(worse) > 3 else ""
        return f"{len(worse)} of {len(findings)} findings are worse than allowed: {first}{more}"
    differ = len(of(Verdict.DIFFERS, findings)) + len(of(Verdict.ALLOWED, findings))
    missing = len(of(Verdict.NOT_COMPARED, findings))
    text = (
        f"nothing is worse than allowed, {differ} of {len(findings)} findings differ" if differ else "nothing differs"
    )
    return f"{text}, {missing} not compared" if missing else text
