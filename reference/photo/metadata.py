"""What stands beside the pixels of a photo, as its portrait carries it: EXIF, XMP, IPTC and the colour profile."""

import warnings

from PIL import Image

from portraiture.reference.photo.decode import IPTC_RESOURCE, Metadata
from portraiture.reference.photo.exif import portrait_exif, software
from portraiture.reference.photo.kinds import DAMAGE, brands
from portraiture.reference.photo.read import opened

_IPTC_OF_TIFF = 33723

_GAIN_MAP_MARKS = (
    b"http://ns.adobe.com/hdr-gain-map/1.0/",
    b"urn:iso:std:iso:ts:21496:-1",
    b"http://ns.apple.com/HDRGainMap/1.0/",
    b"urn:com:apple:photo:2020:aux:hdrgainmap",
)
"""Ultra HDR and ISO 21496-1 in a JPEG, Apple's in a JPEG and in a HEIC."""


def portrait_metadata(
    data: bytes,
    shape: tuple[int, int],
    location: bool = True,
    icc: bytes = b"",
    made: str = "",
) -> Metadata:
    """What stands beside a photo's pixels as its portrait carries it: upright, of its own size, nothing stale.

    Args:
        data: the photo's whole file, one that ``read_photo`` reads.
        shape: height and width of the portrait in pixels.
        location: keep where the photo was taken: GPS, and places in XMP and IPTC.
        icc: the profile of the portrait's pixels; empty for sRGB.
        made: what was done, for the tags that name the software.

    Returns:
        What the photo has of it; what cannot be read is left out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd tags
            with opened(data) as image:
                xmp, iptc = _bytes(image.info.get("xmp")), _iptc(image)
                exif = _exif(image, shape, location, bool(icc), made)
    except (*DAMAGE, Image.DecompressionBombError):
        return Metadata(icc=icc)
    if xmp:
        from portraiture.reference.photo.xmp import portrait_xmp  # only a photo that has it pays for it

        xmp = portrait_xmp(xmp, shape, location, software(made), _extended(data))
    if iptc:
        from portraiture.reference.photo.iptc import portrait_iptc

        iptc = portrait_iptc(iptc, location)
    return Metadata(exif, xmp, iptc, icc)


def _extended(data: bytes) -> bytes:
    """The second packet of XMP of a JPEG."""
    from portraiture.reference.photo.jpeg_parts import EXTENDED_MARK, xmp_packets

    return xmp_packets(data)[1] if EXTENDED_MARK in data else b""


def has_gain_map(data: bytes) -> bool:
    """Whether a photo's file carries a gain map, which makes it brighter on a screen of high dynamic range."""
    return b"tmap" in brands(data) or any(mark in data for mark in _GAIN_MAP_MARKS)


def _exif(image: Image.Image, shape: tuple[int, int], location: bool, icc: bool, made: str) -> bytes:
    try:
        return portrait_exif(image.getexif(), shape, location, icc, made)
    except DAMAGE:
        return b""


def _iptc(image: Image.Image) -> bytes:
    resources = image.info.get("photoshop")
    if isinstance(resources, dict):
        return _bytes(resources.get(IPTC_RESOURCE))
    return _bytes(getattr(image, "tag_v2", {}).get(_IPTC_OF_TIFF))


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return value if isinstance(value, bytes) else b""
