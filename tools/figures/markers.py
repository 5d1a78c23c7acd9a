"""Reads the markers of a Markdown document, and the figures that each vouches for."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from portraiture.reference.errors import InputError
from portraiture.tools.figures.numbers import Number, numbers

_MARKER = re.compile(r"<!--\s*figures\b(?P<body>.*?)-->[ \t]*\n?", re.DOTALL)
_BODY = re.compile(r"""(?P<head>(?:"[^"]*"|[^":])*):(?P<command>.*\S.*)""", re.DOTALL)
_CODE = re.compile(r"`[^`]*`")
_REFERENCE = re.compile(r"[(\[]\d+[)\]]")
_FENCES = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"\S.*?(?=\n\s*\n|\s*\Z)", re.DOTALL)


@dataclass(frozen=True)
class Marker:
    """A marker, and the figures that its command must print.

    Attributes:
        where: file and line.
        command: as written.
        given: files without which it is skipped.
        figures: file and line of each, and the number.
    """

    where: str
    command: str
    given: tuple[str, ...]
    figures: tuple[tuple[str, Number], ...]


def read_markers(file: str, text: str) -> list[Marker]:
    """The markers of a Markdown document; what stands in code is none.

    Args:
        file: the document's name, for messages.
        text: its content.

    Raises:
        InputError: a marker has another form or place, or vouches for nothing.
    """

    def where(place: int) -> str:
        return f"{file}:{text.count(chr(10), 0, place) + 1}"

    markers = []
    for block in _BLOCK.finditer(_blanked(_FENCES, text)):
        begins = block.start()
        own: list[re.Match[str]] = []
        while match := _MARKER.match(text, begins, block.end()):
            own.append(match)
            begins = match.end()
        rest = text[begins : block.end()]
        if odd := _MARKER.search(_blanked(_CODE, rest)):
            raise InputError(f"{where(begins + odd.start())}: expected text, found a marker; put it before its block")
        for match in own:
            place, body = where(match.start()), _BODY.fullmatch(match["body"])
            if body is None:
                raise InputError(f"{place}: expected figures: COMMAND, found {match['body']!r}; name the command")
            clauses = _clauses(body["head"], place)
            found = _figures(rest, clauses["of"], clauses["but"], place)
            figures = tuple((where(begins + offset), number) for offset, number in found)
            markers.append(Marker(place, " ".join(body["command"].split()), tuple(clauses["given"]), figures))
    return markers


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """The text with spaces in place of what matches; lines and places stay."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _clauses(head: str, where: str) -> dict[str, list[str]]:
    """What follows ``of``, ``but`` and ``given`` before a marker's colon."""
    found: dict[str, list[str]] = {"of": [], "but": [], "given": []}
    clause = ""
    for word in shlex.split(head):
        if word in found:
            clause = word
        elif clause:
            found[clause].append(word.removesuffix(","))
        else:
            raise InputError(f"{where}: expected of, but, given or a colon, found {word!r}; name the command after it")
    return found


def _parts(block: str) -> list[tuple[int, int]]:
    """Places of the rows of a table without its heading, or of the sentences."""
    if not block.startswith("|"):
        cuts = [match.end() for match in re.finditer(r"[.;]\s+|\n(?=\s*- )", block)]
        return list(zip([0, *cuts], [*cuts, len(block)], strict=True))
    rows: list[tuple[int, int]] = []
    for match in list(re.finditer(r"[^\n]+", block))[2:]:
        if rows and re.match(r"\|\s*\|", match[0]):
            rows[-1] = rows[-1][0], match.end()
        else:
            rows.append(match.span())
    return rows


def _figures(block: str, of: Sequence[str], but: Sequence[str], where: str) -> list[tuple[int, Number]]:
    """Figures of a block, each with its place.

    Args:
        block: the paragraph or table.
        of: texts of the parts that count; none takes all.
        but: numbers that do not count.
        where: the marker's place, for messages.
    """
    parts = _parts(block)
    for text in of:
        if not any(text in block[slice(*part)] for part in parts):
            raise InputError(f"{where}: expected a row or sentence with {text!r} below, found none; correct the text")
    plain = _blanked(_REFERENCE, _blanked(_CODE, block))
    chosen = [part for part in parts if not of or any(text in block[slice(*part)] for text in of)]
    found = [(start + place, number) for start, end in chosen for place, number in numbers(plain[start:end])]
    unused = set(but) - {number.digits for _, number in found}
    if unused:
        raise InputError(f"{where}: expected {min(unused)} below, found no such number; take it out of the marker")
    figures = [(place, number) for place, number in found if number.digits not in but]
    if not figures:
        raise InputError(f"{where}: expected figures below, found none; put the marker on the line before them")
    return figures
