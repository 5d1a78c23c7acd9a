"""EXIF as a portrait carries it: what the camera wrote, without what was true of the photo's own pixels alone."""

import contextlib
from importlib.metadata import version
from typing import Any

from PIL import ExifTags, Image

from portraiture.reference.photo.kinds import DAMAGE

Tags = dict[int, Any]

_BASE, _IFD = ExifTags.Base, ExifTags.IFD

_KEPT = (
    _BASE.ImageDescription, _BASE.Make, _BASE.Model, _BASE.DateTime, _BASE.Artist, _BASE.HostComputer, _BASE.Copyright,
    _BASE.Rating,
)  # fmt: skip
"""Of the first directory; its other tags describe how the photo's own pixels are stored."""

# a maker's note holds offsets into the file that it was written in; the sizes and the colours are the portrait's own
_LEFT_OUT = (_BASE.MakerNote, _IFD.Interop, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ColorSpace)

_SRGB, _UNCALIBRATED = 1, 65535  # values of ColorSpace; the second stands for any other, which the profile names

_UNWRITABLE = (*DAMAGE, AttributeError, ArithmeticError)
"""What Pillow raises where a tag's value is not of the tag's type; ``make fuzz`` found the second."""

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
    kept: Tags = {tag: exif[tag] for tag in _KEPT if tag in exif}
    taken = {tag: value for tag, value in exif.get_ifd(_IFD.Exif).items() if tag not in _LEFT_OUT}
    place = dict(exif.get_ifd(_IFD.GPSInfo)) if location else {}
    new: Tags = {_BASE.ExifImageHeight: shape[0], _BASE.ExifImageWidth: shape[1],
                 _BASE.ColorSpace: _UNCALIBRATED if icc else _SRGB}  # fmt: skip
    said: Tags = {_BASE.Software: software(made)}
    try:
        block = _block(kept | said, taken | new, place)
    except _UNWRITABLE:  # a tag of another type than it should have
        block = _block(_writable(kept, None) | said, _writable(taken, _IFD.Exif) | new, _writable(place, _IFD.GPSInfo))
    return block if len(block) <= _MOST_BYTES else b""


def _block(first: Tags, taken: Tags, place: Tags) -> bytes:
    own = Image.Exif()
    own.update(first)
    own.get_ifd(_IFD.Exif).update(taken)
    if place:
        own.get_ifd(_IFD.GPSInfo).update(place)
    return own.tobytes()


def _writable(tags: Tags, directory: int | None) -> Tags:
    """The tags of a directory, the first one for None, that Pillow writes."""
    found = {}
    for tag, value in tags.items():
        own = Image.Exif()
        (own if directory is None else own.get_ifd(directory))[tag] = value
        with contextlib.suppress(*_UNWRITABLE):
            own.tobytes()
            found[tag] = value
    return found
