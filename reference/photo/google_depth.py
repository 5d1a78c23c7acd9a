"""Google's two ways to keep a depth in a JPEG: Dynamic Depth 1.0, and the older GDepth within XMP.

Dynamic Depth lists pictures in XMP that stand one after another behind the photo's own; GDepth holds one in base64. In
both a code v in 0..1, larger is farther, and two distances ``Near`` and ``Far`` say the distance Z:

    RangeInverse    1 / Z = (1 - v) / Near + v / Far
    RangeLinear     Z = (1 - v) Near + v Far

Sources: Dynamic Depth 1.0, 2019-03-20; developers.google.com/depthmap-metadata/reference.
"""

import base64
import io
import math
import re
import warnings
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image

from portraiture.reference.arrays import AnyArray
from portraiture.reference.photo.jpeg_parts import end_of_picture, xmp_packets
from portraiture.reference.photo.map_values import EmbeddedMaps, gray, turned
from portraiture.reference.photo.xmp import parsed

_GDEPTH, _DEPTH_MAP = "http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/dd/1.0/depthmap/"

_ITEMS = ("http://ns.google.com/photos/dd/1.0/item/", "http://ns.google.com/photos/1.0/container/item/")
"""Namespaces of a listed picture's properties: of Dynamic Depth 1.0, and the one that Ultra HDR uses as well."""

_MM = {"mm", "millimeters"}

_LEAST_SHARE = 1e-4
"""Distances count as at most 1 / this times ``Near``."""

_STARTS = (b"\xff\xd8\xff", b"\x89PNG")

_ORIENTATION = 0x0112


def google_maps(data: bytes) -> EmbeddedMaps | None:
    """The depth of a JPEG; None where it has none.

    Raises:
        Exception: one of ``kinds.DAMAGE``, for a damaged one.
    """
    packets = [root for packet in xmp_packets(data) if (root := parsed(packet)) is not None]
    listed = _listed(data, packets)
    old = _properties(packets, _GDEPTH)
    if listed is not None:
        kind, said, encoded = "Dynamic Depth", _properties(packets, _DEPTH_MAP), listed
    elif old.get("Data"):
        kind, said, encoded = "GDepth", old, base64.b64decode(re.sub(r"\s", "", old["Data"]))
    else:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(encoded), formats=("JPEG", "PNG")) as image:
            codes = gray(image)
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as photo:
            orientation = photo.getexif().get(_ORIENTATION, 1)
    inverse, span = _inverse(codes, said)
    return EmbeddedMaps(kind, turned(inverse, orientation), span)


def _inverse(codes: AnyArray, said: dict[str, str]) -> tuple[AnyArray, tuple[float, float]]:
    """1 / Z of codes, and the least and largest that they can say; without distances up to a factor."""
    near, far = _positive(said.get("Near")), _positive(said.get("Far"))
    if near is None or far is None or near >= far:
        near, far = 1.0, 10.0  # an order without distances
    if said.get("Units", "").lower() in _MM:
        near, far = near / 1000, far / 1000
    far = min(far, near / _LEAST_SHARE)
    if said.get("Format", "").lower() == "rangelinear":
        inverse = 1 / (near + codes * (far - near))
    else:
        inverse = (1 - codes) / near + codes / far
    return inverse.astype(np.float32), (1 / far, 1 / near)


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or 0)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _properties(packets: list[Element], space: str) -> dict[str, str]:
    """The simple properties of a namespace by name, the first of each: attributes or elements."""
    found: dict[str, str] = {}
    for root in packets:
        for element in root.iter():
            _take(found, element, space)
    return found


def _take(found: dict[str, str], element: Element, space: str) -> None:
    mark = f"{{{space}}}"
    pairs = [*element.attrib.items(), *((child.tag, child.text or "") for child in element)]
    for name, value in pairs:
        if isinstance(name, str) and name.startswith(mark):
            found.setdefault(name[len(mark) :], value.strip())


def _listed(data: bytes, packets: list[Element]) -> bytes | None:
    """The depth's file among the pictures behind the photo's own."""
    items = []
    for root in packets:
        for element in root.iter():
            item: dict[str, str] = {}
            for space in _ITEMS:
                _take(item, element, space)
            if item:
                items.append(item)
    uri = _properties(packets, _DEPTH_MAP).get("DepthURI")
    chosen = [k for k, item in enumerate(items) if uri and item.get("DataURI") == uri]
    chosen += [k for k, item in enumerate(items) if item.get("Semantic", "").lower() in ("depth", "depthmap")]
    if not chosen or chosen[0] == 0:
        return None
    k = chosen[0]
    sizes = [_whole(item.get("Length")) + _whole(item.get("Padding")) for item in items]
    before = sum(sizes[1:k])
    own = _whole(items[k].get("Length"))
    # behind the photo's own picture, or counted from the end of the file: not all writers count alike
    starts = (end_of_picture(data) + _whole(items[0].get("Padding")) + before, len(data) - sum(sizes[k:]))
    for start in starts:
        if 0 < start < len(data) and own and data.startswith(_STARTS, start):
            return data[start : start + own]
    return None


def _whole(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,12}", text) else 0
