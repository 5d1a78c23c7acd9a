"""Numbers in texts and in outputs, and whether one rounds to the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
"""Stands before a negative number in a text, where an output has a hyphen."""

_NUMBER = re.compile(
    r"(?<![\w.,/\u2212-])(?P<digits>[\u2212-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"(?![\w/]|\.\.|[.,]\d)(?P<unit>\s?%|\sM\b)?"
)


@dataclass(frozen=True)
class Number:
    """A number as written.

    Attributes:
        digits: without its unit.
        readings: what it can mean, each a value and the worth of one in its last digit.
    """

    digits: str
    readings: tuple[tuple[Decimal, Decimal], ...]

    def rounds_to(self, figure: "Number") -> bool:
        """Whether this number, as printed, gives the figure of a text; a half rounds either way."""
        return any(
            last <= coarse and abs(value - wanted) <= coarse / 2
            for value, last in self.readings
            for wanted, coarse in figure.readings
        )

    def gap(self, other: "Number") -> Decimal:
        """Least distance between the values of two numbers."""
        return min(abs(value - wanted) for value, _ in self.readings for wanted, _ in other.readings)


def numbers(text: str, percent: bool = False) -> Iterator[tuple[int, Number]]:
    """Numbers of a text and their places; ``percent`` says that all are percentages, with or without the sign.

    >>> [number.digits for _, number in numbers("BSDS500: 10 photos of 500x300, 2.3 %")]
    ['10', '2.3']
    """
    for match in _NUMBER.finditer(text):
        value = Decimal(match["digits"].replace(",", "").replace(MINUS, "-"))
        last = Decimal(1).scaleb(int(value.as_tuple().exponent))
        scale = {"%": -2, "M": 6}.get((match["unit"] or "").strip(), -2 if percent else 0)
        readings = dict.fromkeys([(value, last), (value.scaleb(scale), last.scaleb(scale))])
        yield match.start(), Number(match["digits"], tuple(readings))


def printed_numbers(output: str) -> list[Number]:
    """Numbers of an output, which a comma parts; below a Markdown heading with a percent sign they are percentages."""
    found: list[Number] = []
    titles: list[str] = []
    for line in output.splitlines():
        cells = line.strip("| ").split("|") if line.startswith("|") else []
        titles = (titles or cells) if cells else []
        for column, part in enumerate(cells or [line]):
            percent = column < len(titles) and "%" in titles[column]
            found += [number for _, number in numbers(part.replace(",", " "), percent)]
    return found
