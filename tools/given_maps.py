"""``--mask`` and ``--depth``: the user's maps in place of the predicted ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from portraiture.export.pipeline.maps import Maps
from portraiture.export.pipeline.resize import to_photo_size
from portraiture.reference.photo.maps import read_map


def with_given_maps(maps: Maps, rgb: np.ndarray, mask_file: Path | None, depth_file: Path | None) -> Maps:
    """The maps with those of the user's files in place of the predicted ones.

    Args:
        maps: as predicted.
        rgb: the photo, HxWx3.
        mask_file, depth_file: maps of the photo's size, or None.

    Raises:
        InputError: a file cannot be read, or has another size.
    """
    h, w = maps.size.height, maps.size.width
    if mask_file is not None:
        mask = read_map(mask_file, (rgb.shape[0], rgb.shape[1])).astype(np.float32)
        maps = replace(maps, mask=mask, model_mask=to_photo_size(maps.frame.mirror(mask), h, w))
    if depth_file is not None:
        depth = read_map(depth_file, (rgb.shape[0], rgb.shape[1])).astype(np.float32)
        maps = replace(maps, depth=depth, model_depth=to_photo_size(maps.frame.mirror(depth), h, w))
    return maps
