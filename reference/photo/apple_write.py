"""A depth into a HEIC as Apple's portraits hold it: an auxiliary picture with XMP of its own.

pillow-heif writes further pictures, but cannot say that one is auxiliary: it is written as a further picture, and the
boxes are changed here: it is hidden and gets the property ``auxC`` (ISO 23008-12, 6.5.8) and the reference ``auxl`` to
the photo.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from portraiture.reference.photo.apple_depth import DEPTH_URN, PIXEL_SPACE
from portraiture.reference.photo.iso import boxes, entries
from portraiture.reference.photo.iso_items import items_of
from portraiture.reference.photo.stored_depth import StoredDepth

_XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:apdi="{PIXEL_SPACE}" xmlns:depthData="http://ns.apple.com/depthData/1.0/">
<apdi:AuxiliaryImageType>disparity</apdi:AuxiliaryImageType>
<apdi:NativeFormat>1751411059</apdi:NativeFormat><apdi:StoredFormat>1278226488</apdi:StoredFormat>
<apdi:IntMinValue>0</apdi:IntMinValue><apdi:IntMaxValue>255</apdi:IntMaxValue>
<apdi:FloatMinValue>{{low:.6g}}</apdi:FloatMinValue><apdi:FloatMaxValue>{{high:.6g}}</apdi:FloatMaxValue>
<depthData:DepthDataVersion>65541</depthData:DepthDataVersion><depthData:Accuracy>relative</depthData:Accuracy>
<depthData:Quality>high</depthData:Quality><depthData:Filtered>True</depthData:Filtered>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
"""1751411059 is hdis, 16-bit disparity; 1278226488 is L008, 8-bit gray."""

_PICTURES = (b"hvc1", b"grid")

_HIDDEN = 1  # of the flags of a box infe

_ESSENTIAL, _MOST_PROPERTIES = 0x80, 127  # of a byte of ipma


def depth_picture(depth: StoredDepth) -> Any:
    """The picture of a depth for ``append_images`` of pillow-heif."""
    import pillow_heif

    picture = pillow_heif.from_pillow(Image.fromarray(depth.codes))[0]
    picture.info["xmp"] = _XMP.format(low=depth.low, high=depth.high).encode()
    return picture


def made_auxiliary(data: bytes, urns: Sequence[str] = (DEPTH_URN,)) -> bytes:
    """The file of pillow-heif with its further pictures as auxiliary ones of the first.

    Args:
        data: the file.
        urns: what each further picture is, in their order.

    Raises:
        ValueError: not such a file.
    """
    items = items_of(data)
    found = [(start, end) for name, start, end in boxes(data, 0, len(data)) if name == b"meta"]
    tiles = {item for kind, _, targets in items.references if kind == b"dimg" for item in targets}
    pictures = [item for item, kind in items.kinds.items() if kind in _PICTURES and item not in tiles]
    if len(found) != 1 or len(pictures) != 1 + len(urns) or pictures.pop(0) != items.primary:
        raise ValueError("a HEIC of another form")
    (start, end), named = found[0], dict(zip(pictures, urns, strict=True))
    links = b"".join(_box(b"auxl", struct.pack(">HHH", item, 1, items.primary)) for item in pictures)
    changed: dict[bytes, Callable[[bytes], bytes]] = {
        b"iref": lambda content: content + links,
        b"iinf": lambda content: _hidden(content, pictures),
        b"iprp": lambda content: _with_kinds(content, named),
    }
    parts = [(name, data[a:b]) for name, a, b in boxes(data, start + 4, end)]
    if b"iref" not in dict(parts):  # nothing refers to anything yet
        parts.append((b"iref", bytes(4)))
    parts = [(name, changed[name](content) if name in changed else content) for name, content in parts]
    grown = 12 + sum(8 + len(content) for _, content in parts) - (end - start + 8)
    parts = [(name, _moved(content, grown) if name == b"iloc" else content) for name, content in parts]
    meta = _box(b"meta", data[start : start + 4] + b"".join(_box(name, content) for name, content in parts))
    return data[: start - 8] + meta + data[end:]


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _hidden(content: bytes, pictures: list[int]) -> bytes:
    """``iinf`` with some of its items hidden."""
    new = bytearray(content)
    for start, _ in entries(content, 0, len(content)):
        if int.from_bytes(content[start + 4 : start + 6], "big") in pictures:
            new[start + 3] |= _HIDDEN
    return bytes(new)


def _with_kinds(content: bytes, named: dict[int, str]) -> bytes:
    """``iprp`` with ``auxC`` as a property of some items."""
    properties, owners = (content[start:end] for _, start, end in boxes(content, 0, len(content)))
    number = sum(1 for _ in boxes(properties, 0, len(properties)))
    if owners[:4] != bytes(4) or number + len(named) > _MOST_PROPERTIES:
        raise ValueError("properties of another form")
    at, new = 8, owners[:8]
    for _ in range(int.from_bytes(owners[4:8], "big")):
        item, own = int.from_bytes(owners[at : at + 2], "big"), owners[at + 3 : at + 3 + owners[at + 2]]
        at += 3 + len(own)
        if item in named:
            properties += _box(b"auxC", bytes(4) + named[item].encode() + b"\0")
            number += 1
            own += bytes([_ESSENTIAL | number])
        new += struct.pack(">HB", item, len(own)) + own
    return _box(b"ipco", properties) + _box(b"ipma", new)


def _moved(content: bytes, by: int) -> bytes:
    """``iloc`` with all places in the file so many bytes later, as pillow-heif writes it: with a base each."""
    if content[0] > 1 or content[4:6] != b"\x44\x40":
        raise ValueError("places of another form")
    new, at, more = bytearray(content), 8, 2 * content[0]  # version 1 says where a place is counted from
    for _ in range(int.from_bytes(content[6:8], "big")):
        within = bool(more and content[at + 3] & 15)  # the box meta itself
        at += 4 + more
        base, parts = int.from_bytes(content[at : at + 4], "big"), int.from_bytes(content[at + 4 : at + 6], "big")
        new[at : at + 4] = struct.pack(">I", base if within else base + by)
        at += 6 + 8 * parts
    return bytes(new)
