"""One photo through all that ``render`` does with its file: pixels, notes, lens, depth, and what is written of them."""

from pathlib import Path

import numpy as np


def read_fully(path: Path) -> bool:
    """Reads a photo and writes a portrait of it beside it, as JPEG with a depth and as HEIC; False where it holds none.

    Raises:
        InputError: the photo is refused.
        Exception: a fault.
    """
    from portraiture.reference.lens.metres import depth_of_inverse, inverse_of_depth
    from portraiture.reference.photo.camera import camera_of
    from portraiture.reference.photo.embedded import embedded_maps
    from portraiture.reference.photo.metadata import has_gain_map, portrait_metadata
    from portraiture.reference.photo.read import open_photo
    from portraiture.reference.photo.write import write_photo

    photo = open_photo(path)
    if photo.rgb.ndim != 3 or photo.rgb.shape != photo.own.shape:
        raise AssertionError(f"pixels of shape {photo.rgb.shape}")
    camera_of(photo.data)
    has_gain_map(photo.data)
    small = np.ascontiguousarray(photo.rgb[:32, :32])
    beside = portrait_metadata(photo.data, (small.shape[0], small.shape[1]), icc=photo.icc, made="read")
    found = embedded_maps(photo.data)
    depth = np.resize(np.linspace(0.1, 0.9, 100), small.shape[:2])
    if found is not None and found.inverse is not None:
        given = depth_of_inverse(found.inverse, found.span)
        if not (np.isfinite(given).all() and given.min() >= 0 and given.max() <= 1):
            raise AssertionError("a depth outside 0..1")
        depth = np.resize(given, small.shape[:2])
    for suffix in (".jpg", ".heic"):
        target = path.with_name(f"portrait_of_it{suffix}")
        write_photo(target, small, beside, inverse_of_depth(depth))
        again = embedded_maps(target.read_bytes())
        if again is None or again.inverse is None:
            raise AssertionError(f"the written depth is not read back, {suffix}")
    return found is not None
