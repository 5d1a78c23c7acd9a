"""HEIC and HEIF (ISO 14496-12 and 23008-12) for Pillow, by libheif."""

from collections.abc import Iterator

_TYPE_AT = {2: 16, 3: 18}
"""Where an item's type begins in its ``infe`` box, by the box's version; older ones have no type."""


def register_heif() -> None:
    """Have Pillow open HEIC and HEIF; only a photo that needs it pays for the import."""
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def has_plain_items(data: bytes) -> bool:
    """Whether the type of every item is ASCII and its names are UTF-8, as they must be: else pi_heif 1.4.0 crashes."""
    for kind, start, end in boxes(data, 0, len(data)):
        if kind != b"meta":
            continue
        for name, first, last in boxes(data, start + 4, end):
            if name == b"iinf" and not all(_is_plain(data[a - 8 : b]) for a, b in entries(data, first, last)):
                return False
    return True


def entries(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Walks the ``infe`` boxes, one for each item, of an ``iinf`` box.

    Args:
        data: the whole file, or the box's content.
        start, end: where the box's content begins and ends.

    Returns:
        Begin and end of the content of each.
    """
    skipped = 6 if data[start : start + 1] == b"\0" else 8  # version, flags and a count of 2 or 4 bytes
    return ((first, last) for name, first, last in boxes(data, start + skipped, end) if name == b"infe")


def _is_plain(box: bytes) -> bool:
    at = _TYPE_AT.get(box[8]) if len(box) > 8 else None
    if at is None:
        return True
    try:
        box[at + 4 :].decode("utf-8")  # the item's name, and of notes what they are
    except UnicodeDecodeError:
        return False
    return box[at : at + 4].isascii()


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Walks the boxes of a stretch of a file, as far as their sizes make sense.

    Args:
        data: the whole file.
        start, end: the stretch, in bytes from the file's begin.

    Yields:
        Name, begin and end of the content of each box.
    """
    while start + 8 <= end:
        size, header = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        stop = end if size == 0 else start + size
        if stop > end or stop < start + header:
            return
        yield data[start + 4 : start + 8], start + header, stop
        start = stop
