"""``--mask`` and ``--depth``: maps of the user's files, or of the photo's own file, in place of the predicted ones."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from portraiture.export.pipeline.maps import Maps
from portraiture.export.pipeline.resize import to_photo_size
from portraiture.reference.photo.maps import read_map
from portraiture.tools.portraits import EMBEDDED

if TYPE_CHECKING:
    from portraiture.reference.photo.decode import Photo


def with_given_maps(maps: Maps, photo: Path, pixels: "Photo", mask: str | None, depth: str | None) -> tuple[Maps, bool]:
    """The maps with the given ones in place of the predicted ones, and whether the mask is a given one.

    An embedded depth brings the photo's portrait matte along as the mask, where there is one that shows somebody and
    no other mask is given.

    Args:
        maps: as predicted.
        photo: the file, for messages.
        pixels: what was read of it.
        mask, depth: of the options: a file with a map of the photo's size, ``EMBEDDED``, or None.

    Raises:
        InputError: a file cannot be read or has another size, or the photo does not hold what is asked for.
    """
    shape = (pixels.rgb.shape[0], pixels.rgb.shape[1])
    new_mask = None if mask in (None, EMBEDDED) else read_map(str(mask), shape).astype(np.float32)
    new_depth = None if depth in (None, EMBEDDED) else read_map(str(depth), shape).astype(np.float32)
    if EMBEDDED in (mask, depth):
        from portraiture.tools.embedded_maps import maps_of_photo

        matte, own_depth = maps_of_photo(photo, pixels, mask == EMBEDDED, depth == EMBEDDED)
        new_mask = matte if new_mask is None else new_mask
        new_depth = own_depth if new_depth is None else new_depth
    h, w = maps.size.height, maps.size.width
    if new_mask is not None:
        maps = replace(maps, mask=new_mask, model_mask=to_photo_size(maps.frame.mirror(new_mask), h, w))
    if new_depth is not None:
        maps = replace(maps, depth=new_depth, model_depth=to_photo_size(maps.frame.mirror(new_depth), h, w))
    return maps, new_mask is not None
