"""The depth and the portrait matte of a photo's own file, as the renderers take them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from portraiture.reference.arrays import person_pixels
from portraiture.reference.enlarge import enlarge_rows
from portraiture.reference.errors import InputError
from portraiture.reference.lens.metres import depth_of_inverse
from portraiture.reference.photo.embedded import embedded_maps

if TYPE_CHECKING:
    from portraiture.reference.photo.decode import Photo
    from portraiture.reference.photo.map_values import EmbeddedMaps


def maps_of_photo(
    photo: Path, pixels: "Photo", need_matte: bool, need_depth: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The matte and the depth of a photo's file, enlarged to the photo.

    Args:
        photo: the file, for messages.
        pixels: what was read of it.
        need_matte, need_depth: what was asked for by name.

    Returns:
        HxW float32 in 0..1: the matte, None where there is none that shows somebody; the depth, larger is farther, None
        where it was not asked for.

    Raises:
        InputError: the file holds none, or none that can be read.
    """
    found = embedded_maps(pixels.data)
    if need_depth and (found is None or found.inverse is None):
        raise InputError(
            f"{photo}: --depth embedded: expected a photo that holds a depth (HEIC portrait, Dynamic Depth, GDepth),"
            " found none that can be read; leave the option out, and the depth is predicted"
        )
    shape = pixels.rgb.shape
    matte = None
    if found is not None and found.matte is not None and person_pixels(found.matte).any():
        matte = _enlarged(found.matte, shape)
    if need_matte and matte is None:
        raise InputError(
            f"{photo}: --mask embedded: expected a HEIC portrait with a matte that shows somebody, found none; leave"
            " the option out, and the mask is predicted"
        )
    depth = None
    if need_depth and found is not None and found.inverse is not None:
        depth = _enlarged(depth_of_inverse(found.inverse, found.span), shape)
    return matte, depth


def offered(pixels: "Photo") -> "EmbeddedMaps | None":
    """What a photo's file holds that ``--depth embedded`` would use; None where it has no depth."""
    found = embedded_maps(pixels.data)
    return None if found is None or found.inverse is None else found


def _enlarged(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = (shape[0], shape[1])
    return np.clip(enlarge_rows(small.astype(np.float32), 0, size[0], size), 0, 1)
