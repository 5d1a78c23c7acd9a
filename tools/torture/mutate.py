"""Damages files: bytes of any kind, and the structure of JSON. Equal seeds give equal damage."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

MOST_FLIPS, LONGEST_RUN, LARGEST_BLOCK = 8, 64, 4096

HEADER_BYTES = 512
"""Half of the damage falls into the first bytes, where most formats keep what the rest depends on."""

ODD_NAMES = (
    "<b>bold</b><script>alert(1)</script>",
    "../../outside",
    "/etc/passwd",
    "line\nbreak\r\nand\ttab",
    "null\x00byte",
    "x" * 3000,
    "",
    "\ud800",
    "%s{0}[red]",
)
"""Names that a report, a path or a message may stumble over; the last but one is half of a surrogate pair."""

_DEPTH = 100_000


def _place(size: int, rng: random.Random) -> int:
    """A position in ``size`` bytes."""
    return rng.randrange(min(size, HEADER_BYTES) if rng.random() < 0.5 else size)


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randint(1, MOST_FLIPS)):
        data[_place(len(data), rng)] ^= 1 << rng.randrange(8)
    return data


def _truncate(data: bytearray, rng: random.Random) -> bytearray:
    return data[: _place(len(data), rng)]


def _overwrite(data: bytearray, rng: random.Random) -> bytearray:
    start, length = _place(len(data), rng), rng.randint(1, LONGEST_RUN)
    length = min(length, len(data) - start)
    data[start : start + length] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))
    return data


def _block(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = _place(len(data), rng)
    return start, min(len(data), start + rng.randint(1, LARGEST_BLOCK))


def _duplicate(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _block(data, rng)
    return data[:end] + data[start:]


def _remove(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _block(data, rng)
    return data[:start] + data[end:]


_BYTE_DAMAGE = (_flip, _truncate, _overwrite, _duplicate, _remove)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes with one kind of damage: bits flipped, cut short, a run overwritten, a block doubled or removed."""
    return bytes(rng.choice(_BYTE_DAMAGE)(bytearray(data), rng)) if data else data


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) inside a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        items = container.items() if isinstance(container, dict) else enumerate(container)
        for key, inner in list(items):
            found.append((container, key))
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
    return found


def _odd_value(rng: random.Random) -> Any:
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice((None, True, [], {}, [[]], [None], {"": None})),
        lambda: rng.choice((0, -1, 0.5, 2**31, 2**63, 2**64, -(2**63), 10**30, 1e308, float("inf"), float("nan"))),
        lambda: rng.choice(ODD_NAMES),
        lambda: rng.choice(("0x0", "999999x999999", "1", "null", "float64", "<f8", "O", "int4")),
    )
    return rng.choice(kinds)()


def _nested(text: str, rng: random.Random) -> str:
    """JSON nested deeper than a reader can go, in place of a number, a string or everything."""
    deep = rng.choice(("[" * _DEPTH + "]" * _DEPTH, "[" * _DEPTH, '{"a":' * _DEPTH + "1" + "}" * _DEPTH))
    cut = text.find(": ", rng.randrange(len(text))) if rng.random() < 0.5 else -1
    return deep if cut < 0 else text[: cut + 2] + deep + text[cut + 2 :]


def mutated_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with damaged bytes, or with another structure: a wrong type, a missing or odd key, a huge number, depth.

    Args:
        data: the sound JSON.
        rng: decides the damage.
    """
    choice = rng.random()
    if choice < 0.25:
        return mutated(data, rng)
    value = copy.deepcopy(json.loads(data))
    if choice < 0.28:
        return _nested(json.dumps(value), rng).encode()
    if choice < 0.31:
        return json.dumps(_odd_value(rng)).encode()
    for _ in range(rng.choice((1, 1, 1, 3))):
        places = _places(value)
        if not places:
            break
        container, key = rng.choice(places)
        action = rng.randrange(4)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, dict):
            container[rng.choice(ODD_NAMES)] = container.pop(key)
        elif action == 2:
            container[key] = [container[key]] * rng.choice((1, 2, 1000))
        else:
            container[key] = _odd_value(rng)
    text = json.dumps(value)
    if rng.random() < 0.03:
        text = text.replace("1", "1" + "0" * 5000, 1)  # more digits than Python reads
    return text.encode()
