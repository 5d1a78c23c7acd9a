"""A depth into a HEIC as Apple's portraits hold it: an auxiliary picture with XMP of its own.

pillow-heif writes further pictures, but cannot say that one is auxiliary: it is written as a second picture, and the
boxes are changed here. The second picture becomes hidden and gets the property ``auxC`` (ISO 23008-12, 6.5.8) and the
reference ``auxl`` to the photo.
"""

import struct
from typing import Any

from PIL import Image

from portraiture.reference.photo.apple_depth import DEPTH_URN, PIXEL_SPACE
from portraiture.reference.photo.iso import boxes
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

_HIDDEN = 1  # of the flags of a box infe


def depth_picture(depth: StoredDepth) -> Any:
    """The picture of a depth for ``append_images`` of pillow-heif."""
    import pillow_heif

    picture = pillow_heif.from_pillow(Image.fromarray(depth.codes))[0]
    picture.info["xmp"] = _XMP.format(low=depth.low, high=depth.high).encode()
    return picture


def made_auxiliary(data: bytes) -> bytes:
    """The file of pillow-heif with its second picture as the depth of the first one.

    Raises:
        ValueError: not such a file.
    """
    items = items_of(data)
    found = [(start, end) for name, start, end in boxes(data, 0, len(data)) if name == b"meta"]
    others = {target for kind, _, targets in items.references if kind == b"cdsc" for target in targets}
    others.discard(items.primary)
    if len(found) != 1 or len(others) != 1 or items.pointing(b"auxl", items.primary):
        raise ValueError("a HEIC without a second picture")
    depth, (start, end) = others.pop(), found[0]
    changed = {
        b"iref": lambda content: content + _box(b"auxl", struct.pack(">HHH", depth, 1, items.primary)),
        b"iinf": lambda content: _hidden(content, depth),
        b"iprp": lambda content: _with_property(content, depth),
    }
    parts = [(name, data[a:b]) for name, a, b in boxes(data, start + 4, end)]
    parts = [(name, changed[name](content) if name in changed else content) for name, content in parts]
    grown = 12 + sum(8 + len(content) for _, content in parts) - (end - start + 8)
    parts = [(name, _moved(content, grown) if name == b"iloc" else content) for name, content in parts]
    meta = _box(b"meta", data[start : start + 4] + b"".join(_box(name, content) for name, content in parts))
    return data[: start - 8] + meta + data[end:]


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _hidden(content: bytes, item: int) -> bytes:
    """``iinf`` with one of its items hidden."""
    new = bytearray(content)
    for _, start, _ in boxes(content, 6, len(content)):
        if int.from_bytes(content[start + 4 : start + 6], "big") == item:
            new[start + 3] |= _HIDDEN
    return bytes(new)


def _with_property(content: bytes, item: int) -> bytes:
    """``iprp`` with ``auxC`` as a property of one item."""
    properties, owners = (content[start:end] for _, start, end in boxes(content, 0, len(content)))
    number = 1 + sum(1 for _ in boxes(properties, 0, len(properties)))
    properties += _box(b"auxC", bytes(4) + DEPTH_URN.encode() + b"\0")
    if owners[:4] != bytes(4) or number > 127:
        raise ValueError("properties of another form")
    at, new = 8, bytearray(owners)
    while int.from_bytes(owners[at : at + 2], "big") != item:
        at += 3 + owners[at + 2]
    new[at + 2] += 1
    new.insert(at + 3 + owners[at + 2], 0x80 | number)  # essential
    return _box(b"ipco", properties) + _box(b"ipma", bytes(new))


def _moved(content: bytes, by: int) -> bytes:
    """``iloc`` with all places so many bytes later, as pillow-heif writes it: with a base and one part."""
    if content[0] != 0 or content[4:6] != b"\x44\x40":
        raise ValueError("places of another form")
    new, at = bytearray(content), 8
    for _ in range(int.from_bytes(content[6:8], "big")):
        base, parts = int.from_bytes(content[at + 4 : at + 8], "big"), int.from_bytes(content[at + 8 : at + 10], "big")
        new[at + 4 : at + 8] = struct.pack(">I", base + by)
        at += 10 + 8 * parts
    return bytes(new)
