"""Of one photo: what stays sharp, what a renderer is asked for, and the file that its portrait becomes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from portraiture.export.pipeline.maps import Maps
    from portraiture.reference.photo.decode import Photo

EMBEDDED = "embedded"
"""Of ``--mask`` and ``--depth``: the map that the photo's own file holds."""

NO_PLACE_FOR_IPTC = (".png", ".webp", ".avif", ".heic", ".heif")


@dataclass(frozen=True)
class Look:
    """What a renderer is asked for.

    Attributes:
        aperture: largest disk radius as a share of the diagonal.
        focus: depth that stays sharp; None is the person's.
        full: depth whose radius is the aperture; None is the farthest layer's.
    """

    aperture: float
    focus: float | None
    full: float | None = None


def parse_focus(text: str | None) -> tuple[float, float] | None:
    """The point X,Y of the option; None where it is not given.

    Raises:
        OptionError: not two numbers.
    """
    from portraiture.reference.errors import OptionError

    if text is None:
        return None
    try:
        x, y = (float(v) for v in text.split(","))
    except ValueError as error:
        raise OptionError(f"--focus: expected X,Y in pixels of the photo, found {text!r}; give two numbers") from error
    return x, y


def focus_depth(maps: "Maps", point: tuple[float, float]) -> float | None:
    """Depth at a tapped point; None, the person's, where the person was tapped."""
    from portraiture.reference.arrays import person_pixels
    from portraiture.reference.lens.focus import depth_at

    depth = depth_at(maps.depth, *point)
    x, y = (round(v) for v in point)
    return None if person_pixels(maps.mask[y, x]) else depth


def is_person_there(maps: "Maps", mask_given: bool) -> bool:
    """Whether the maps show a person; a mask that the user gave does from one pixel of 0.5 on."""
    from portraiture.reference.arrays import person_pixels
    from portraiture.reference.presence import Presence, find_person

    if mask_given:
        return bool(person_pixels(maps.mask).any())
    return find_person(maps.mask).presence is not Presence.ABSENT


def untapped_focus(photo: Path, maps: "Maps", mask_given: bool, anyway: bool) -> float | None:
    """None, the person's depth, where a person is found; with ``anyway`` the nearest depth where nobody is.

    Args:
        photo: file, for messages.
        maps: of the photo.
        mask_given: the user gave the mask; it counts as a person from one pixel of 0.5 on.
        anyway: render a photo of nobody as well.

    Raises:
        InputError: nobody is found.
    """
    from portraiture.reference.errors import InputError
    from portraiture.reference.presence import Presence, find_person, nearest_depth

    found = find_person(maps.mask)
    if is_person_there(maps, mask_given):
        if found.presence is Presence.UNCERTAIN and not mask_given:
            _note(f"{photo}: a person was found uncertainly ({found}); look at the result, or give --mask FILE")
        return None
    if not anyway:
        raise InputError(
            f"{photo}: expected a person, found none; give --focus X,Y or --mask FILE, or render it with --anyway"
        )
    _note(f"{photo}: no person was found ({found}); the nearest depth stays sharp")
    return nearest_depth(maps.model_depth)


def check_depth_output(output: Path, one_file: bool) -> None:
    """Refuse ``--write-depth`` where the output has no place for a depth.

    Raises:
        OptionError: a folder, whose portraits are PNGs.
        InputError: a file that is neither a JPEG nor a HEIC.
    """
    from portraiture.reference.errors import OptionError
    from portraiture.reference.photo.write import check_depth_suffix

    if not one_file:
        raise OptionError(
            f"--write-depth: expected one photo and a .jpg or .heic file, found the folder {output}, whose portraits"
            " are PNGs; name a file"
        )
    check_depth_suffix(output)


def offer_embedded(photo: Path, pixels: "Photo") -> None:
    """A line where the photo's file holds a depth that was not asked for."""
    from portraiture.reference.photo.embedded import holds_maps

    if not holds_maps(pixels.data):
        return
    from portraiture.tools.embedded_maps import offered

    if found := offered(pixels):
        _note(f"{photo}: the file holds {found}; --depth embedded uses it")


def write_beside(
    photo: Path,
    pixels: "Photo",
    target: Path,
    picture: "np.ndarray",
    location: bool,
    made: str,
    depth: "np.ndarray | None" = None,
) -> None:
    """Write a portrait with what the photo's file holds that is true of it too; a line for what it cannot keep.

    Args:
        photo: the file that it was made of.
        pixels: what was read of it; the portrait has the profile of its own pixels.
        target: the portrait's file; its folder is made.
        picture: HxWx3 uint8 or uint16.
        location: keep where the photo was taken.
        made: what was done, for the tags that name the software.
        depth: HxW in 0..1 to store in the portrait's file, larger is farther.

    Raises:
        InputError: the file cannot be written, or has no place for a depth.
    """
    from portraiture.reference.photo.write import write_photo

    inverse = None
    if depth is not None:
        from portraiture.reference.lens.metres import inverse_of_depth
        from portraiture.reference.photo.stored_depth import shrunk

        inverse = inverse_of_depth(shrunk(depth))
    target.parent.mkdir(parents=True, exist_ok=True)
    if pixels.bare:
        write_photo(target, picture, inverse=inverse)
        return
    from portraiture.reference.photo.metadata import has_gain_map, portrait_metadata

    beside = portrait_metadata(pixels.data, (picture.shape[0], picture.shape[1]), location, pixels.icc, made)
    write_photo(target, picture, beside, inverse)
    if has_gain_map(pixels.data):
        _note(f"{photo}: its gain map (HDR) is dropped, it fits the photo alone; the portrait is of standard range")
    if beside.iptc and target.suffix.lower() in NO_PLACE_FOR_IPTC:
        _note(f"{photo}: its IPTC is dropped, {target.suffix} has no place for it; write a .jpg to keep it")


def _note(text: str) -> None:
    from portraiture.tools.progress import note

    note(text)
