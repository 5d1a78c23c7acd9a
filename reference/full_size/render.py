"""Photos of any size, up to 48 MP, in bounded memory: what is sharp keeps the photo's own pixels, bit for bit.

Layers and matting are solved at a working size. The photo is then composed a strip of rows at a time: a layer's blur
(6) of radius r is computed on the photo reduced s times, r/s >= ``BASE_RADIUS_PX``, with the matte as its weight, and
enlarged; no smaller detail survives a disk of that size. A small radius is computed on the photo itself. A photo that
is no larger than the working size is rendered whole, exactly as ``render`` does.
"""

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Bytes
from portraiture.reference.errors import InputError
from portraiture.reference.full_size.paper import paper_strips
from portraiture.reference.plan import solve
from portraiture.reference.render import render
from portraiture.reference.settings import DEFAULT_SETTINGS, Compositing, RenderSettings

WORKING_PX = 1024
"""Longer side at which layers and matte are solved; the trimap's width counts in these pixels."""


def render_photo(
    rgb: Bytes, mask: AnyArray, depth: AnyArray | None = None, settings: RenderSettings = DEFAULT_SETTINGS
) -> Bytes:
    """``render`` for a photo of any size, uint8 in and out.

    Args:
        rgb: HxWx3 uint8.
        mask: HxW person probability in 0..1.
        depth: HxW relative depth in 0..1, larger is farther, or None.
        settings: see ``RenderSettings``; ``trimap_px`` counts at the working size.

    Returns:
        HxWx3 uint8.

    Raises:
        InputError, OptionError: as ``render``.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError(f"rgb: expected an HxWx3 uint8 photo, found {rgb.dtype} of shape {rgb.shape}; convert it")
    height, width = rgb.shape[:2]
    for name, found in (("mask", mask), ("depth", depth)):
        if found is not None and found.shape != (height, width):
            raise InputError(f"{name}: expected the photo's shape {(height, width)}, found {found.shape}; resize it")
    if max(height, width) <= WORKING_PX:
        return np.asarray(np.rint(render(rgb, mask, depth, settings) * 255), dtype=np.uint8)
    if settings.aperture == 0:
        return rgb.copy()
    small = _reduced(rgb)
    maps = [None if m is None else np.clip(_reduced(np.asarray(m, dtype=np.float32)), 0, 1) for m in (mask, depth)]
    assert maps[0] is not None
    if settings.compositing is Compositing.OCCLUSION:
        from portraiture.reference.full_size.occlusion import render_strips

        strips = render_strips(rgb, small, maps[0], maps[1], settings)
    else:
        strips = paper_strips(rgb, *solve(small, maps[0], maps[1], settings), settings)
    portrait = np.empty_like(rgb)
    for start, stop, picture, share in strips:
        rounded = np.rint(picture * 255).astype(np.uint8)
        portrait[start:stop] = np.where((share > 0)[..., None], rounded, rgb[start:stop])
    return portrait


def _reduced(image: AnyArray) -> AnyArray:
    """The photo or a map at the working size, by area averages."""
    height, width = image.shape[:2]
    scale = WORKING_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
