"""What a new bundle may be worse by: the rules of ``--allow``, and the defaults."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from portraiture.reference.errors import OptionError

FORMS = ("contract", "removed", "bytes=+5%", "ops=+0", "ms=+10%", "psnr=45dB", "iou=0.99", "quality=-0.01")
"""One example of each rule, as a user writes it."""

GROWTH = ("bytes", "ops", "ms")
"""Rules on how much a number may grow."""

LEAST = {"psnr": "dB", "iou": ""}
"""Rules on the least value of a figure, each with its unit."""


@dataclass(frozen=True)
class Growth:
    """How much a number may grow.

    Attributes:
        amount: 0 or more; a share where ``relative``.
        relative: whether it is a share of the old value.
        text: as the user wrote it.
    """

    amount: float
    relative: bool
    text: str

    def allows(self, old: float, new: float) -> bool:
        """Whether the new value is not too large."""
        return new - old <= (self.amount * old if self.relative else self.amount)


@dataclass(frozen=True)
class Allowed:
    """What may differ, and by how much.

    Attributes:
        contract: whether the contract may differ.
        removed: whether files may be removed.
        growth: by ``bytes``, ``ops`` or ``ms``; what is not named is not judged.
        least: by ``psnr`` (dB) or ``iou``; what is not named is not judged.
        fall: how much a figure of quality on a data set may fall; None judges none.
    """

    contract: bool = False
    removed: bool = False
    growth: dict[str, Growth] = field(default_factory=lambda: {n: Growth(0.05, True, "+5%") for n in ("bytes", "ops")})
    """5 percent: chosen, not measured; what a team does not notice in an app's size."""
    least: dict[str, float] = field(default_factory=dict)
    fall: float | None = None


def _wrong(text: str) -> OptionError:
    return OptionError(f"--allow: expected a rule such as {', '.join(FORMS)}, found {text!r}; write one of these forms")


def _growth(text: str, value: str) -> Growth:
    found = re.fullmatch(r"\+?(\d+(?:\.\d+)?)(%?)", value, re.ASCII)
    if not found:
        raise _wrong(text)
    share = bool(found[2])
    return Growth(float(found[1]) / (100 if share else 1), share, f"+{found[1]}{found[2]}")


def _least(text: str, name: str, value: str) -> float:
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*(?:{LEAST[name]})?", value, re.ASCII | re.IGNORECASE)
    if not found or (name == "iou" and float(found[1]) > 1):
        raise _wrong(text)
    return float(found[1])


def _fall(text: str, value: str) -> float:
    found = re.fullmatch(r"-?(\d+(?:\.\d+)?)", value, re.ASCII)
    if not found or float(found[1]) > 1:
        raise _wrong(text)
    return float(found[1])


def parse_allowed(texts: Iterable[str]) -> Allowed:
    """The rules of ``--allow``, over the defaults.

    Raises:
        OptionError: a rule of no known form, or one that is given twice.
    """
    flags: set[str] = set()
    growth, least = dict(Allowed().growth), dict[str, float]()
    fall: float | None = None
    seen: set[str] = set()
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name in seen:
            raise OptionError(f"--allow: expected each rule once, found {name} twice; drop one")
        seen.add(name)
        if name in ("contract", "removed") and not equals:
            flags.add(name)
        elif name in GROWTH:
            growth[name] = _growth(text, value)
        elif name in LEAST:
            least[name] = _least(text, name, value)
        elif name == "quality":
            fall = _fall(text, value)
        else:
            raise _wrong(text)
    return Allowed("contract" in flags, "removed" in flags, growth, least, fall)
