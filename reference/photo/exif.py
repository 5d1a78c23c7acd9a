"""EXIF as a portrait carries it: what the camera wrote, without what was true of the photo's own pixels alone."""

from importlib.metadata import version

from PIL import ExifTags, Image

_BASE, _IFD = ExifTags.Base, ExifTags.IFD

_KEPT = (
    _BASE.ImageDescription, _BASE.Make, _BASE.Model, _BASE.DateTime, _BASE.Artist, _BASE.HostComputer, _BASE.Copyright,
    _BASE.Rating,
)  # fmt: skip
"""Of the first directory; its other tags describe how the photo's own pixels are stored."""

# a maker's note holds offsets into the file that it was written in; the sizes and the colours are the portrait's own
_LEFT_OUT = (_BASE.MakerNote, _IFD.Interop, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ColorSpace)

_SRGB, _UNCALIBRATED = 1, 65535  # values of ColorSpace; the second stands for any other, which the profile names

_MOST_BYTES = 60_000
"""A JPEG's segment holds 65,533 bytes."""


def software(made: str = "") -> str:
    """What the tag Software and its likes say: our name and version, and what was done."""
    return f"portraiture {version('portraiture')}" + (f": {made}" if made else "")


def portrait_exif(exif: Image.Exif, shape: tuple[int, int], location: bool, icc: bool, made: str) -> bytes:
    """The EXIF block of a photo as its portrait carries it: upright, of its own size, without a thumbnail.

    Kept are description, camera, dates, author and rights, how the photo was taken, and where. Left out are the maker's
    note and whatever cannot be read.

    Args:
        exif: the photo's.
        shape: height and width of the portrait in pixels.
        location: keep the position, height and direction (GPS).
        icc: the portrait has a profile of its own; else it is sRGB.
        made: what was done, for the tag Software.

    Returns:
        The block with its mark ``Exif``; empty where the photo has none, or one that does not fit into a JPEG.
    """
    if not len(exif):
        return b""
    own = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            own[tag] = exif[tag]
    own[_BASE.Software] = software(made)
    taken = own.get_ifd(_IFD.Exif)
    taken.update({tag: value for tag, value in exif.get_ifd(_IFD.Exif).items() if tag not in _LEFT_OUT})
    taken.update({_BASE.ExifImageHeight: shape[0], _BASE.ExifImageWidth: shape[1]})
    taken[_BASE.ColorSpace] = _UNCALIBRATED if icc else _SRGB
    if location and (place := exif.get_ifd(_IFD.GPSInfo)):
        own.get_ifd(_IFD.GPSInfo).update(place)
    block = own.tobytes()
    return block if len(block) <= _MOST_BYTES else b""
