"""A portrait's file: its pixels, and beside them what the photo's file holds that is true of the portrait too."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NO_PLACE_FOR_IPTC = (".png", ".webp", ".avif", ".heic", ".heif")


def write_beside(photo: Path, target: Path, picture: "np.ndarray", icc: bytes, location: bool, made: str) -> None:
    """Write a portrait, and one line on stderr for each thing of the photo's file that it cannot keep.

    Args:
        photo: the file that it was made of.
        target: the portrait's; its folder is made.
        picture: HxWx3 uint8 or uint16.
        icc: profile of the picture; empty for sRGB.
        location: keep where the photo was taken.
        made: what was done, for the tags that name the software.

    Raises:
        InputError: the file cannot be written.
    """
    from portraiture.reference.photo.metadata import has_gain_map, portrait_metadata
    from portraiture.reference.photo.write import write_photo
    from portraiture.tools.progress import note

    beside = portrait_metadata(photo, (picture.shape[0], picture.shape[1]), location, icc, made)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_photo(target, picture, beside)
    if has_gain_map(photo):
        note(f"{photo}: its gain map (HDR) is dropped, it fits the photo alone; the portrait is of standard range")
    if beside.iptc and target.suffix.lower() in NO_PLACE_FOR_IPTC:
        note(f"{photo}: its IPTC is dropped, {target.suffix} has no place for it; write a .jpg to keep it")
