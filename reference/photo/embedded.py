"""Depth and mattes that a photo's file holds beside its pixels: of Apple's portraits, and of Google's two formats."""

from typing import TYPE_CHECKING

from PIL import Image

from portraiture.reference.photo.kinds import DAMAGE, is_iso_photo

if TYPE_CHECKING:
    from portraiture.reference.photo.map_values import EmbeddedMaps

_MARKS = (
    b"http://ns.google.com/photos/dd/1.0/depthmap/",
    b"http://ns.google.com/photos/1.0/depthmap/",
)

_MARKS_OF_HEIC = (b":auxid:2", b"auxiliary:depth", b"photo:2018:aux:portraiteffectsmatte")


def holds_maps(data: bytes) -> bool:
    """Whether a photo's file may hold a depth or a matte: a quick look, which decodes nothing."""
    return any(mark in data for mark in (_MARKS_OF_HEIC if is_iso_photo(data) else _MARKS))


def embedded_maps(data: bytes) -> "EmbeddedMaps | None":
    """The depth and matte of a photo's file; None where it has none, or none that can be read.

    Args:
        data: the whole file, of a photo that ``open_photo`` reads.
    """
    if not holds_maps(data):
        return None
    try:
        if is_iso_photo(data):
            from portraiture.reference.photo.apple_depth import apple_maps

            return apple_maps(data)
        from portraiture.reference.photo.google_depth import google_maps

        return google_maps(data)
    except (*DAMAGE, Image.DecompressionBombError):
        return None
