"""XMP (ISO 16684-1) as a portrait carries it: without what was true of the photo's own pixels alone.

Dropped are descriptions of pixels, thumbnails, develop settings, and all that points at other pictures in the photo's
file: gain maps, depths, motion. ``tiff:Orientation`` goes, since the portrait is upright; sizes become the portrait's.
"""

import contextlib
import io
import re
from xml.etree import ElementTree

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP, _TIFF, _EXIF = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_IPTC_CORE, _IPTC_EXT = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_STALE_SPACES = (
    "http://ns.adobe.com/hdr-gain-map/",  # Ultra HDR
    "http://ns.apple.com/HDRGainMap/",
    "http://ns.apple.com/pixeldatainfo/",
    "http://ns.apple.com/depthData/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/focus/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/1.0/camera/",  # motion photos
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/dd/1.0/",  # Dynamic Depth
    "http://ns.adobe.com/camera-raw-settings/",  # what is developed already would be developed again
    "http://ns.adobe.com/xmp/note/",  # points at extended XMP, where depths and thumbnails are kept
)
"""How the namespaces begin whose properties are dropped whole."""

_KEPT_OF_TIFF = {"Make", "Model", "Artist", "Copyright", "ImageDescription", "DateTime"}

_STALE = {
    _XMP: {"Thumbnails"},
    _EXIF: {"ColorSpace", "NativeDigest", "MakerNote", "ComponentsConfiguration", "CompressedBitsPerPixel"},
    _PHOTOSHOP: {"ICCProfile", "ColorMode", "LegacyIPTCDigest"},
    "http://www.metadataworkinggroup.com/schemas/regions/": {"Regions"},  # counted before the photo was turned
}

_PLACES = {
    _PHOTOSHOP: {"City", "State", "Country"},
    _IPTC_CORE: {"Location", "CountryCode"},
    _IPTC_EXT: {"LocationShown", "LocationCreated"},
}

_DEEPEST = 100
"""Elements within elements; a packet of a camera has ten or so. Chosen."""

_EMPTY = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>
</x:xmpmeta>"""


def portrait_xmp(packet: bytes, shape: tuple[int, int], location: bool, made: str, extended: bytes = b"") -> bytes:
    """The XMP packet of a photo as its portrait carries it.

    Args:
        packet: the photo's; one that does not parse, or that defines entities, is dropped.
        shape: height and width of the portrait in pixels.
        location: keep where the photo was taken.
        made: the text for ``xmp:CreatorTool``.
        extended: the photo's second packet, of a JPEG.

    Returns:
        The packet, of any length; empty where nothing remains.
    """
    root, more = parsed(packet), parsed(extended)
    if root is None:
        return b""
    if more is not None and (home := _rdf(root)) is not None:
        home.extend(list(more.iter(f"{{{_RDF}}}Description")))
    kept = [_clean(description, location) for description in root.iter(f"{{{_RDF}}}Description")]
    if not any(kept):
        return b""
    first = next(root.iter(f"{{{_RDF}}}Description"))
    _set(root, first, f"{{{_XMP}}}CreatorTool", made)
    for name, value in (("PixelXDimension", shape[1]), ("PixelYDimension", shape[0])):
        _set(root, None, f"{{{_EXIF}}}{name}", str(value))
    return packed(root)


def packed(root: ElementTree.Element) -> bytes:
    """A packet, with the marks at its begin and end."""
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def added(packet: bytes, description: str) -> bytes:
    """A packet, perhaps an empty one, with one ``rdf:Description`` more, under the prefixes that this one has."""
    root = parsed(packet or _EMPTY)
    home = None if root is None else _rdf(root)
    if root is None or home is None:
        root = ElementTree.fromstring(_EMPTY)
        home = root[0]
    home.append(ElementTree.fromstring(description))
    _keep_prefixes(description.encode())
    return packed(root)


def _rdf(root: ElementTree.Element) -> ElementTree.Element | None:
    return next(root.iter(f"{{{_RDF}}}RDF"), None)


def parsed(packet: bytes) -> ElementTree.Element | None:
    """The root of a packet; None where it does not parse, or defines entities. Its prefixes are kept for writing."""
    text = packet.strip(b"\0 \r\n\t")
    if not text or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text)
        _keep_prefixes(text)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    return root


def _clean(description: ElementTree.Element, location: bool) -> bool:
    """Drop the stale properties of an ``rdf:Description``; whether any other remains."""
    for name in [name for name in description.attrib if _is_dropped(name, location)]:
        del description.attrib[name]
    for child in [child for child in description if _is_dropped(child.tag, location)]:
        description.remove(child)
    return bool(len(description)) or any(not name.startswith(f"{{{_RDF}}}") for name in description.attrib)


def _is_dropped(qualified: str, location: bool) -> bool:
    space, _, name = qualified.removeprefix("{").rpartition("}")
    if space.startswith(_STALE_SPACES) or name in _STALE.get(space, ()):
        return True
    if space == _TIFF and name not in _KEPT_OF_TIFF:
        return True
    return not location and (name in _PLACES.get(space, ()) or (space == _EXIF and name.startswith("GPS")))


def _set(root: ElementTree.Element, home: ElementTree.Element | None, name: str, value: str) -> None:
    """Give a simple property a value wherever it stands; where it stands nowhere, in ``home``."""
    found = False
    for description in root.iter(f"{{{_RDF}}}Description"):
        if name in description.attrib:
            description.attrib[name], found = value, True
        for child in description.findall(name):
            child.text, found = value, True
    if home is not None and not found:
        home.attrib[name] = value


def _keep_prefixes(text: bytes) -> None:
    """Write namespaces with the prefixes that the photo's XMP has; readers of today are not all readers of XML.

    Raises:
        ValueError: elements within elements, deeper than can be written again.
    """
    ElementTree.register_namespace("xmp", _XMP)
    depth = 0
    for event, found in ElementTree.iterparse(io.BytesIO(text), events=("start-ns", "start", "end")):
        depth += {"start": 1, "end": -1}.get(event, 0)
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if event == "start-ns" and re.fullmatch(r"[A-Za-z][\w.-]*", found[0]):
            with contextlib.suppress(ValueError):  # ns0 and its likes are the parser's own
                ElementTree.register_namespace(found[0], found[1])
