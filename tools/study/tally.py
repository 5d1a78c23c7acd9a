"""Counts what people chose in a study, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json, read_bytes
from portraiture.tools.study.page import KEY_KIND, RESULTS_KIND


@dataclass(frozen=True)
class Share:
    """How often one of two was chosen.

    Attributes:
        chosen, of: counts; ``of`` may be 0.
        low, high: Wilson's interval of 95 % of the share, 0..1.
        p_value: of the exact two-sided binomial test against one half.
    """

    chosen: int
    of: int
    low: float
    high: float
    p_value: float

    @staticmethod
    def counted(chosen: int, of: int) -> "Share":
        """Of two counts.

        >>> share = Share.counted(15, 20)
        >>> round(share.low, 3), round(share.high, 3), round(share.p_value, 4)
        (0.531, 0.888, 0.0414)
        """
        if not of:
            return Share(0, 0, 0.0, 1.0, 1.0)
        test = binomtest(chosen, of)
        interval = test.proportion_ci(method="wilson")
        return Share(chosen, of, float(interval.low), float(interval.high), float(test.pvalue))

    def __str__(self) -> str:
        if not self.of:
            return "no choice"
        share, low, high = (f"{100 * x:.1f}" for x in (self.chosen / self.of, self.low, self.high))
        return f"{self.chosen} of {self.of}, {share} %, 95 % interval {low} to {high} %, p = {self.p_value:.2g}"


@dataclass(frozen=True)
class Tally:
    """What came of a study.

    Attributes:
        key: the study's key.
        participants: how many.
        preferred: choices of A among those of A or B. Those of one person hang together: the interval is too narrow
            where few people chose often.
        people: participants who chose A more often, among those who chose one of both more often.
        left: choices of the left picture.
        undecided: choices of neither.
        photos: for each photo how often A, B and neither were chosen.
    """

    key: dict[str, Any]
    participants: int
    preferred: Share
    people: Share
    left: Share
    undecided: int
    photos: dict[str, tuple[int, int, int]]

    def lines(self) -> list[str]:
        """What is printed."""
        a, b = self.key["a"], self.key["b"]
        total = self.preferred.of + self.undecided
        head = f"study {self.key['study']}: {self.participants} participants, {total} choices"
        width = max(len(name) for name in ("photo", *self.photos))
        return [
            f"{head}, {self.undecided} of neither",
            f"A ({a}) before B ({b}): {self.preferred}",
            f"participants who chose A more often: {self.people}",
            f"the left picture: {self.left}",
            f"{'photo':<{width}}  {'A':>4}  {'B':>4}  neither",
            *(f"{name:<{width}}  {x:>4}  {y:>4}  {z:>7}" for name, (x, y, z) in self.photos.items()),
        ]

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        shares = {name: vars(getattr(self, name)) for name in ("preferred", "people", "left")}
        photos = {name: dict(zip(("a", "b", "neither"), counts, strict=True)) for name, counts in self.photos.items()}
        named = {name: self.key[name] for name in ("study", "question", "a", "b")}
        return {**named, "participants": self.participants, "undecided": self.undecided, **shares, "photos": photos}


def tally(files: Sequence[Path]) -> Tally:
    """Count results; equal files of one participant count once.

    Args:
        files: results of one study in any order, and its key among them.

    Raises:
        InputError: no key or no results, a file that is neither or of another study, or two different results of one
            participant.
    """
    read = {path: _read(path) for path in files}
    keys = {path: value for path, value in read.items() if value["kind"] == KEY_KIND}
    results = {path: value for path, value in read.items() if value["kind"] == RESULTS_KIND}
    if len(keys) != 1 or not results:
        raise InputError(
            f"--tally: expected the key of one study and results, found {len(keys)} and {len(results)};"
            " give NAME.key.json, which was written beside the study, and the files that people sent"
        )
    ((_, key),) = keys.items()
    sides = {entry[side]: (entry["photo"], side) for entry in key["pairs"] for side in ("a", "b")}
    people: dict[str, tuple[Path, list[dict[str, Any]]]] = {}
    for path, result in results.items():
        if result["study"] != key["study"]:
            raise InputError(f"{path}: expected study {key['study']}, found {result['study']}; leave it out")
        choices = [_checked(path, choice, sides) for choice in result["choices"]]
        if len({sides[c["left"]][0] for c in choices}) < len(choices):
            raise InputError(f"{path}: expected a photo's pair once, found one twice; leave the file out")
        other, same = people.setdefault(result["participant"], (path, choices))
        if same != choices:
            raise InputError(f"{path}: expected one result of a participant, found another in {other}; leave one out")
    return _counted(key, sides, [choices for _, choices in people.values()])


def _counted(key: dict[str, Any], sides: dict[str, tuple[str, str]], people: list[list[dict[str, Any]]]) -> Tally:
    photos = {entry["photo"]: [0, 0, 0] for entry in key["pairs"]}
    left = more_a = more_b = 0
    for choices in people:
        lead = 0
        for choice in choices:
            photo, side = sides[choice["chosen"] or choice["left"]]
            photos[photo][2 if choice["chosen"] is None else "ab".index(side)] += 1
            left += choice["chosen"] == choice["left"]
            lead += 0 if choice["chosen"] is None else {"a": 1, "b": -1}[side]
        more_a, more_b = more_a + (lead > 0), more_b + (lead < 0)
    a, b, neither = (sum(counts[k] for counts in photos.values()) for k in range(3))
    return Tally(
        key, len(people), Share.counted(a, a + b), Share.counted(more_a, more_a + more_b), Share.counted(left, a + b),
        neither, {name: (x, y, z) for name, (x, y, z) in photos.items()},
    )  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    """A key or results, whose fields are as a study writes them."""
    try:
        value = parse_json(read_bytes(path, "results of a study"))
    except ValueError:
        value = None
    kind = value.get("kind") if isinstance(value, dict) else None
    fields = {KEY_KIND: ("study", "question", "a", "b"), RESULTS_KIND: ("study", "participant")}.get(str(kind), ())
    lists = {KEY_KIND: "pairs", RESULTS_KIND: "choices"}.get(str(kind), "")
    if (
        not isinstance(value, dict)
        or not fields
        or not all(isinstance(value.get(name), str) for name in fields)
        or not isinstance(value.get(lists), list)
        or not all(isinstance(entry, dict) for entry in value[lists])
        or (kind == KEY_KIND and not all(_is_pair(entry) for entry in value[lists]))
    ):
        raise InputError(f"{path}: expected results or the key of a study, found something else; leave it out")
    return value


def _is_pair(entry: dict[str, Any]) -> bool:
    return all(isinstance(entry.get(name), str) for name in ("photo", "a", "b"))


def _checked(path: Path, choice: dict[str, Any], sides: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A choice whose pictures are a pair of the study, and whose chosen one is of them."""
    left, right, chosen = (choice.get(name) for name in ("left", "right", "chosen"))
    photos = [sides.get(name, ("", ""))[0] for name in (left, right) if isinstance(name, str)]
    is_pair = len(photos) == 2 and bool(photos[0]) and photos[0] == photos[1] and left != right
    if not is_pair or chosen not in (left, right, None):
        raise InputError(f"{path}: expected choices of the study's pairs, found {choice}; leave the file out")
    return choice
