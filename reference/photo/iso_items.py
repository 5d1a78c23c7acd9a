"""The items of a HEIC or AVIF file (ISO 23008-12, ISO 14496-12 8.11): kinds, references, properties and places."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from portraiture.reference.photo.iso import boxes, entries

_TURNS = (b"irot", b"imir")


@dataclass
class Items:
    """What the box ``meta`` says.

    Attributes:
        data: the whole file.
        kinds: the type of each item, such as ``hvc1``, in the order of the file.
        primary: id of the photo itself; 0 where none is named.
        references: kind, from which item, to which items.
        properties: names and contents, in their order.
        owned: the numbers of an item's properties, from 0.
        places: begin and length of an item's bytes in ``data``, in parts.
    """

    data: bytes
    kinds: dict[int, bytes] = field(default_factory=dict)
    primary: int = 0
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def of(self, item: int, name: bytes) -> bytes | None:
        """The content of an item's first property of a name."""
        return next((content for found, content in self._owned(item) if found == name), None)

    def turns(self, item: int) -> list[tuple[bytes, bytes]]:
        """How an item is turned and mirrored for display, in the order in which that is done."""
        return [(name, content) for name, content in self._owned(item) if name in _TURNS]

    def content(self, item: int) -> bytes:
        """An item's bytes; empty where they lie outside the file, or are more than the file has."""
        places = self.places.get(item, [])
        if sum(length for _, length in places) > len(self.data):
            return b""
        return b"".join(self.data[start : start + length] for start, length in places)

    def pointing(self, kind: bytes, target: int) -> list[int]:
        """The items that refer to another one, in the order of the file."""
        return [item for found, item, targets in self.references if found == kind and target in targets]

    def _owned(self, item: int) -> Iterator[tuple[bytes, bytes]]:
        return (self.properties[k] for k in self.owned.get(item, ()) if k < len(self.properties))


def items_of(data: bytes) -> Items:
    """Reads the box ``meta``; of a damaged one as much as makes sense."""
    found = Items(data)
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"meta":
            _read_meta(found, start + 4, end)
            return found
    return found


def _read_meta(found: Items, start: int, end: int) -> None:
    data = found.data
    inside = {name: (first, last) for name, first, last in boxes(data, start, end)}
    if b"pitm" in inside:
        first, _ = inside[b"pitm"]
        found.primary = _number(data, first + 4, 2 if data[first] == 0 else 4)
    if b"iinf" in inside:
        found.kinds = dict(_kinds(data, *inside[b"iinf"]))
    if b"iref" in inside:
        first, last = inside[b"iref"]
        found.references = list(_references(data, first, last))
    if b"iloc" in inside:
        found.places = _places(data, *inside[b"iloc"], inside.get(b"idat", (0, 0))[0])
    if b"iprp" in inside:
        for name, first, last in boxes(data, *inside[b"iprp"]):
            if name == b"ipco":
                found.properties = [(n, data[a:b]) for n, a, b in boxes(data, first, last)]
            if name == b"ipma":
                found.owned.update(_owned(data, first, last))


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _kinds(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for first, _ in entries(data, start, end):
        wide = {2: 2, 3: 4}.get(data[first])
        if wide:
            yield _number(data, first + 4, wide), data[first + 6 + wide : first + 10 + wide]


def _references(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, list[int]]]:
    wide = 2 if data[start : start + 1] == b"\0" else 4
    for kind, first, last in boxes(data, start + 4, end):
        count = min(_number(data, first + wide, 2), (last - first) // wide)
        at = first + wide + 2
        yield kind, _number(data, first, wide), [_number(data, at + k * wide, wide) for k in range(count)]


def _owned(data: bytes, start: int, end: int) -> dict[int, list[int]]:
    """The numbers of each item's properties, from 0: the box ``ipma``."""
    wide, two = (2 if data[start] == 0 else 4), data[start + 3] & 1
    found: dict[int, list[int]] = {}
    at = start + 8
    for _ in range(_number(data, start + 4, 4)):
        if at + wide >= end:
            break
        item, count = _number(data, at, wide), data[at + wide]
        at += wide + 1
        step, mask = (2, 0x7FFF) if two else (1, 0x7F)
        numbers = [_number(data, at + k * step, step) & mask for k in range(count)]
        found[item] = [number - 1 for number in numbers if number]
        at += count * step
    return found


def _places(data: bytes, start: int, end: int, idat: int) -> dict[int, list[tuple[int, int]]]:
    """Begin and length of each item's parts: the box ``iloc``."""
    version, sizes = data[start], data[start + 4 : start + 6]
    if len(sizes) < 2:
        return {}
    offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
    wide, at = (4 if version == 2 else 2), start + 6
    count, at = _number(data, at, wide), at + wide
    found: dict[int, list[tuple[int, int]]] = {}
    for _ in range(count):
        if at >= end:
            break
        item, at = _number(data, at, wide), at + wide
        method = 0
        if version:
            method, at = _number(data, at, 2) & 15, at + 2
        at += 2
        origin, at = _number(data, at, base) + (idat if method == 1 else 0), at + base
        parts, at = _number(data, at, 2), at + 2
        found[item] = []
        for _ in range(min(parts, end - at)):
            at += index if version else 0
            found[item].append((origin + _number(data, at, offset), _number(data, at + offset, length)))
            at += offset + length
    return found
