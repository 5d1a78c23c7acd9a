"""IPTC-IIM 4.2 as a portrait carries it: captions, author and rights; no preview and no size of other pixels."""

from collections.abc import Iterator

_MARK = 0x1C

_ENVELOPE, _APPLICATION = 1, 2
"""Records that are kept; later ones describe the photo's own pixels."""

_FIRST_PREVIEW = 200
"""Datasets of the application record from here on hold a preview."""

_PLACES = {26, 27, 90, 92, 95, 100, 101}
"""Datasets of the application record: content's place, city, place in it, state, country's code and name."""

_LONG = 0x8000
"""A size with this bit is the number of bytes that the size takes."""


def portrait_iptc(data: bytes, location: bool) -> bytes:
    """The IPTC block of a photo as its portrait carries it.

    Args:
        data: the photo's datasets; what follows a damaged one is dropped.
        location: keep where the photo was taken.
    """
    kept = b""
    for record, number, whole in _datasets(data):
        place = record == _APPLICATION and number in _PLACES
        preview = record == _APPLICATION and number >= _FIRST_PREVIEW
        if record in (_ENVELOPE, _APPLICATION) and not preview and (location or not place):
            kept += whole
    return kept


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Record, number and all bytes of each dataset."""
    start = 0
    while start + 5 <= len(data) and data[start] == _MARK:
        size = int.from_bytes(data[start + 3 : start + 5], "big")
        if size & _LONG:  # a preview's; nothing that is kept is so long
            return
        stop = start + 5 + size
        if stop > len(data):
            return
        yield data[start + 1], data[start + 2], data[start:stop]
        start = stop
