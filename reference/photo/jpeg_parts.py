"""Segments of a JPEG (T.81 annex B), its XMP (XMP part 3, 1.1.3), and where its own picture ends."""

import re
from collections.abc import Iterator

XMP_MARK, EXTENDED_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"

_GUID_BYTES, _HEADER_BYTES = 32, 40
"""An extended part begins with the packet's checksum, its whole length and the part's place in it."""

_GUID = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")

_APP1, _SCAN, _END = 0xE1, 0xDA, 0xD9

_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers that nothing follows."""

_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""Within a scan: FF00 is the byte FF, FFD0 to FFD7 restart the coder."""


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of the content of each segment before the end of the picture, scans left out."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _END:
            yield marker, at + 2, at + 2
            return
        start, end = at + 4, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < start:
            return
        yield marker, start, end
        at = end
        if marker == _SCAN:
            after = _NEXT_MARKER.search(data, at)
            if after is None:
                return
            at = after.start(1) - 1
            if after[1][0] == _END:
                yield _END, at + 2, at + 2
                return


def end_of_picture(data: bytes) -> int:
    """Where the bytes of a JPEG's own picture end; the file's length where no end is found."""
    return next((start for marker, start, _ in segments(data) if marker == _END), len(data))


def xmp_packets(data: bytes) -> tuple[bytes, bytes]:
    """The XMP packet of a JPEG and its extended one, each empty where it is absent or not whole."""
    packet, parts = b"", []
    for marker, start, end in segments(data):
        if marker == _SCAN:
            break
        if marker == _APP1 and data.startswith(XMP_MARK, start, end):
            packet = packet or data[start + len(XMP_MARK) : end]
        elif marker == _APP1 and data.startswith(EXTENDED_MARK, start, end):
            parts.append(data[start + len(EXTENDED_MARK) : end])
    named = _GUID.search(packet)
    return packet, _joined(parts, named[1]) if named else b""


def _joined(parts: list[bytes], guid: bytes) -> bytes:
    """The extended packet of a checksum from its parts."""
    own = [p for p in parts if p[:_GUID_BYTES].upper() == guid.upper() and len(p) > _HEADER_BYTES]
    placed = sorted((int.from_bytes(p[36:40], "big"), p[_HEADER_BYTES:]) for p in own)
    whole = b"".join(content for _, content in placed)
    if not own or int.from_bytes(own[0][32:36], "big") != len(whole):
        return b""
    at = 0
    for place, content in placed:
        if place != at:
            return b""
        at += len(content)
    return whole


def extended_segments(packet: bytes, guid: bytes, most: int) -> Iterator[bytes]:
    """The contents of the segments that carry an extended packet.

    Args:
        packet: of any length.
        guid: its checksum, 32 hexadecimal digits.
        most: bytes of the packet in one segment.
    """
    for at in range(0, len(packet), most):
        place = len(packet).to_bytes(4, "big") + at.to_bytes(4, "big")
        yield EXTENDED_MARK + guid + place + packet[at : at + most]
