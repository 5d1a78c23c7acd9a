"""XMP that is longer than a JPEG's segment: a packet, and an extended one (XMP part 3, 1.1.3.1)."""

import hashlib
from xml.etree import ElementTree

from portraiture.reference.photo.xmp import packed, parsed

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_NOTE = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"

MOST_BYTES = 65_000
"""A JPEG's segment holds 65,502 bytes of XMP."""

_MOST_SHORT = MOST_BYTES - 200
"""The same, less the property that names the extended packet."""


def in_two(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """A packet, its extended one and that one's checksum: the largest properties are moved until the packet is short.

    Args:
        packet: of any length.

    Returns:
        The last two are empty where the packet is short enough as it is; all are where it does not parse.
    """
    if len(packet) <= MOST_BYTES:
        return packet, b"", b""
    root = parsed(packet)
    if root is None:
        return b"", b"", b""
    homes = [home for rdf in root.iter(f"{{{_RDF}}}RDF") for home in rdf.findall(f"{{{_RDF}}}Description")]
    if not homes:
        return b"", b"", b""
    moved = ElementTree.Element(f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    sizes: list[tuple[int, ElementTree.Element, str | ElementTree.Element]]
    sizes = [(len(value), home, name) for home in homes for name, value in home.attrib.items() if _RDF not in name]
    sizes += [(len(ElementTree.tostring(child)), home, child) for home in homes for child in home]
    sizes.sort(key=lambda found: -found[0])
    left = len(packet)  # counted, and measured only where the count says that it is enough
    for size, home, which in sizes:
        if left <= _MOST_SHORT and (left := len(packed(root))) <= _MOST_SHORT:
            break
        left -= size
        if isinstance(which, str):
            moved.attrib[which] = home.attrib.pop(which)
        else:
            home.remove(which)
            moved.append(which)
    whole = ElementTree.Element("{adobe:ns:meta/}xmpmeta")
    ElementTree.SubElement(whole, f"{{{_RDF}}}RDF").append(moved)
    extended = ElementTree.tostring(whole, encoding="unicode").encode()
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    ElementTree.register_namespace("xmpNote", _NOTE[1:].partition("}")[0])
    homes[0].attrib[_NOTE] = guid
    short = packed(root)
    return (short, extended, guid.encode()) if len(short) <= MOST_BYTES else (b"", b"", b"")
