"""XMP as a portrait carries it: stale properties go, the others stay, under the prefixes that they had."""

from xml.etree import ElementTree

import pytest

from portraiture.reference.photo.xmp import portrait_xmp

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/", "xmp": "http://ns.adobe.com/xap/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/", "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/", "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/", "Container": "http://ns.google.com/photos/1.0/container/",
    "Device": "http://ns.google.com/photos/dd/1.0/device/", "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/", "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "mine": "http://example.com/mine/",
}  # fmt: skip
KEPT = 'photoshop:Credit="whose" tiff:Make="Maker" mine:note="a &amp; b" xmp:Rating="4"'
STALE = (
    'tiff:Orientation="6" tiff:ImageWidth="4000" hdrgm:Version="1.0" GDepth:Near="1" crs:Exposure2012="1"'
    ' xmpNote:HasExtendedXMP="ABC" photoshop:ICCProfile="P3" exif:ColorSpace="1"'
)
PLACE = 'exif:GPSLatitude="48,8N" photoshop:City="Munich" Iptc4xmpCore:Location="a street"'
CHILDREN = (
    "<dc:creator><rdf:Seq><rdf:li>who</rdf:li></rdf:Seq></dc:creator>"
    "<xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>"
    "<Container:Directory><rdf:Seq><rdf:li>GainMap</rdf:li></rdf:Seq></Container:Directory>"
    "<Device:Profiles><rdf:Seq/></Device:Profiles>"
    "<exif:PixelXDimension>4000</exif:PixelXDimension>"
)
PLACE_CHILD = "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li>there</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>"


def packet(attributes, children=""):
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" {spaces}'
        f' {attributes} exif:PixelYDimension="3000">{children}</rdf:Description></rdf:RDF></x:xmpmeta>'
        f'{" " * 100}<?xpacket end="w"?>'
    ).encode()


@pytest.mark.parametrize("location", [True, False])
def test_what_stays_and_what_goes(location):
    attributes = f"{KEPT} {STALE} {PLACE}"
    found = portrait_xmp(
        packet(attributes, CHILDREN + PLACE_CHILD), (64, 48), location, "portraiture 1: blurred"
    ).decode()
    assert found.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta')
    assert found.endswith('<?xpacket end="w"?>')
    ElementTree.fromstring(found)
    for kept in (*KEPT.split('" '), ">who<", 'xmp:CreatorTool="portraiture 1: blurred"'):
        assert kept.strip('"') in found, kept
    for gone in ("Orientation", "ImageWidth", "hdrgm:", "GDepth:", "crs:", "xmpNote:", "ICCProfile", "ColorSpace",
                 "Thumbnails", "Container:", "Device:", "4000", "3000"):  # fmt: skip
        assert gone not in found, gone
    assert 'exif:PixelYDimension="64"' in found
    assert "<exif:PixelXDimension>48</exif:PixelXDimension>" in found
    for place in ("48,8N", "Munich", "a street", "there"):
        assert (place in found) == location, place


def test_a_tool_that_is_named_is_named_anew():
    found = portrait_xmp(packet('xmp:CreatorTool="Camera 3"'), (64, 48), True, "portraiture 1").decode()
    assert 'xmp:CreatorTool="portraiture 1"' in found
    assert "Camera 3" not in found


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0\0", b"no xml", b"<x:xmpmeta", packet(STALE)[:200],
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        packet(KEPT).decode().encode("utf-16")[:99],
    ],
)  # fmt: skip
def test_what_does_not_parse_is_dropped(data):
    assert portrait_xmp(data, (64, 48), True, "portraiture") == b""


def test_a_packet_that_defines_entities_is_dropped():
    """It would parse: entities may grow without bound, and no writer of XMP uses them."""
    given = packet('mine:note="&b;"').decode().split("?>", 1)[1].rsplit("<?xpacket", 1)[0]
    ElementTree.fromstring('<!DOCTYPE a [<!ENTITY b "c">]>' + given)
    assert portrait_xmp(('<!DOCTYPE a [<!ENTITY b "c">]>' + given).encode(), (64, 48), True, "portraiture") == b""


def test_a_packet_of_stale_things_alone_is_dropped():
    bare = packet(STALE).replace(b' exif:PixelYDimension="3000"', b"")
    assert portrait_xmp(bare, (64, 48), True, "portraiture") == b""


def test_a_packet_that_is_nested_too_deeply_is_dropped():
    deep = packet('mine:note="a"', "<mine:a>" * 5000 + "b" + "</mine:a>" * 5000)
    assert portrait_xmp(deep, (64, 48), True, "portraiture") == b""
    less = packet("", "<mine:a>" * 50 + "b" + "</mine:a>" * 50)
    assert b"mine:a" in portrait_xmp(less, (64, 48), True, "portraiture")


def test_a_packet_of_any_length_is_kept():
    assert b"x" * 161_000 in portrait_xmp(packet(f'mine:note="{"x" * 161_000}"'), (64, 48), True, "portraiture")


def test_what_the_extended_packet_holds_is_cleaned_as_well():
    extended = packet('mine:more="b" crs:Exposure2012="1" photoshop:City="Munich"')
    found = portrait_xmp(packet('mine:note="a"'), (64, 48), False, "portraiture", extended).decode()
    assert 'mine:note="a"' in found
    assert 'mine:more="b"' in found
    assert "crs:" not in found
    assert "Munich" not in found
