"""Where EXIF, XMP, IPTC and the profile stand in a JPEG (Exif 2.32, XMP part 3, ICC.1 annex B) and in a PNG."""

import struct
import zlib

from portraiture.reference.photo.decode import IPTC_RESOURCE, Metadata

_XMP_MARK, _ICC_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"

_ICC_PART = 65_519
"""Bytes of a profile in one segment of a JPEG."""

_XMP_PART = 65_000
"""Bytes of XMP in one segment of a JPEG."""

_PNG_HEADER = 33
"""Bytes of a PNG's signature and of its chunk IHDR."""


def with_metadata(encoded: memoryview, suffix: str, beside: Metadata) -> list[bytes | memoryview]:
    """A JPEG or PNG with what stands beside its pixels, in parts; the file itself where that is nothing.

    Args:
        encoded: the file as OpenCV writes it, without metadata.
        suffix: ``.png``, or that of a JPEG.
        beside: EXIF of at most 60,000 bytes, XMP of any length; IPTC is left out of a PNG, which has no place for it.
    """
    place, part = (_PNG_HEADER, _png(beside)) if suffix == ".png" else (2, _jpeg(beside))
    return [encoded[:place], part, encoded[place:]]


def _jpeg(beside: Metadata) -> bytes:
    parts = [_segment(0xE1, beside.exif)] if beside.exif else []
    if beside.xmp:
        parts += _jpeg_xmp(beside.xmp)
    if beside.iptc:
        resource = b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(beside.iptc)) + beside.iptc
        parts.append(_segment(0xED, b"Photoshop 3.0\0" + resource + b"\0" * (len(beside.iptc) % 2)))
    count = -(-len(beside.icc) // _ICC_PART)
    for k in range(count):
        part = beside.icc[k * _ICC_PART : (k + 1) * _ICC_PART]
        parts.append(_segment(0xE2, _ICC_MARK + bytes((k + 1, count)) + part))
    return b"".join(parts)


def _jpeg_xmp(packet: bytes) -> list[bytes]:
    """The segments of XMP; most packets fill one."""
    if len(packet) <= _XMP_PART:
        return [_segment(0xE1, _XMP_MARK + packet)]
    from portraiture.reference.photo.jpeg_parts import extended_segments  # only what needs it pays for it
    from portraiture.reference.photo.xmp_parts import in_two

    short, extended, guid = in_two(packet)
    parts = [_segment(0xE1, _XMP_MARK + short)] if short else []
    return parts + [_segment(0xE1, part) for part in extended_segments(extended, guid, _XMP_PART)]


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _png(beside: Metadata) -> bytes:
    parts = []
    if beside.icc:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(beside.icc)))
    if beside.exif:
        parts.append(_chunk(b"eXIf", beside.exif.removeprefix(b"Exif\0\0")))
    if beside.xmp:
        parts.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + beside.xmp))
    return b"".join(parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
