"""Damages a photo as a whole file and block by block: segments, chunks and boxes are exchanged, doubled and dropped."""

import random
import struct
from collections.abc import Sequence

from portraiture.reference.photo.iso import boxes
from portraiture.reference.photo.jpeg_parts import segments
from portraiture.reference.photo.kinds import is_iso_photo
from portraiture.tools.torture.mutate import mutated

Block = tuple[int, int]
"""Begin and end of a block, with its header."""

_INSIDE = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iref": 4}
"""Boxes of boxes, and how many bytes stand before the first."""


def blocks(data: bytes) -> list[Block]:
    """The blocks of a JPEG, PNG, WebP, HEIC or AVIF, without the first bytes of the file; none of another kind."""
    if data.startswith(b"\xff\xd8"):
        return [(start - 4, end) for _, start, end in segments(data) if end > start]
    if data.startswith(b"\x89PNG"):
        return _chunks(data, 8, ">", 12)
    if data.startswith(b"RIFF"):
        return _chunks(data, 12, "<", 8)
    return _boxes(data, 0, len(data)) if is_iso_photo(data) else []


def _chunks(data: bytes, at: int, order: str, around: int) -> list[Block]:
    found = []
    while at + 8 <= len(data):
        (size,) = struct.unpack(f"{order}I", data[at : at + 4] if order == ">" else data[at + 4 : at + 8])
        end = at + size + around
        end += end % 2 if order == "<" else 0
        if end > len(data):
            break
        found.append((at, end))
        at = end
    return found


def _boxes(data: bytes, start: int, end: int) -> list[Block]:
    found = []
    for name, first, last in boxes(data, start, end):
        found.append((first - 8, last))
        if name in _INSIDE:
            found += _boxes(data, first + _INSIDE[name], last)
    return found


def _blocks_changed(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """One block exchanged for another of this photo or of another, doubled, dropped, or damaged within."""
    found = blocks(data)
    if not found:
        return mutated(data, rng)
    start, end = rng.choice(found)
    action = rng.randrange(9)
    if action > 4:
        return data[:start] + _bytes_changed(data[start:end], rng) + data[end:]
    if action == 0:
        return data[:start] + data[end:]
    if action == 1:
        return data[:end] + data[start:end] + data[end:]
    if action == 2:
        return data[:start] + mutated(data[start:end], rng) + data[end:]
    donor = data if action == 3 else rng.choice(others)
    theirs = blocks(donor) or [(0, len(donor))]
    first, last = rng.choice(theirs)
    return data[:start] + donor[first:last] + data[end:]


def _bytes_changed(block: bytes, rng: random.Random) -> bytes:
    """A block of the same length: what says where later ones lie stays true."""
    new = bytearray(block)
    for _ in range(rng.choice((1, 1, 2, 8))):
        new[rng.randrange(len(new))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(new)


def _spliced(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """The begin of this photo and the end of another."""
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def damaged_photo(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """A photo with one to three kinds of damage.

    Args:
        data: the sound photo.
        others: further photos, one or more, to take parts from.
        rng: decides the damage; equal ones give equal files.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.randrange(6)
        if kind < 4:
            data = _blocks_changed(data, others, rng)
        else:
            data = mutated(data, rng) if kind == 4 else _spliced(data, others, rng)
    return data
