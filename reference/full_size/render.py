"""Photos of any size, up to 48 MP, in bounded memory: what is sharp keeps the photo's own pixels, bit for bit.

Layers and matting are solved at a working size. The photo is then composed a strip of rows at a time: a layer's blur
(6) of radius r is computed on the photo reduced s times, r/s >= ``BASE_RADIUS_PX``, with the matte as its weight, and
enlarged; no smaller detail survives a disk of that size. A small radius is computed on the photo itself. A photo that
is no larger than the working size is rendered whole, exactly as ``render`` does.
"""

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, check_map, largest_code
from portraiture.reference.errors import InputError
from portraiture.reference.full_size.occlusion import occlusion_strips
from portraiture.reference.full_size.paper import paper_strips
from portraiture.reference.plan import check_choices, make_plan
from portraiture.reference.render import render
from portraiture.reference.settings import DEFAULT_SETTINGS, Compositing, RenderSettings

WORKING_PX = 1024
"""Longer side at which layers and matte are solved, in pixels; the trimap's width counts in these. Chosen."""


def render_photo(
    rgb: AnyArray, mask: AnyArray, depth: AnyArray | None = None, settings: RenderSettings = DEFAULT_SETTINGS
) -> AnyArray:
    """``render`` for a photo of any size, of 8 or 16 bits in and out.

    Args:
        rgb: HxWx3 uint8 or uint16; sRGB, or another RGB, whose codes then count as sRGB's.
        mask: HxW person probability in 0..1.
        depth: HxW relative depth in 0..1, larger is farther, or None.
        settings: see ``RenderSettings``; ``trimap_px`` counts at the working size.

    Returns:
        HxWx3 of the photo's type.

    Raises:
        InputError, OptionError: as ``render``.
    """
    if rgb.dtype not in (np.uint8, np.uint16) or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        found = f"{rgb.dtype} of shape {rgb.shape}"
        raise InputError(f"rgb: expected an HxWx3 photo of uint8 or uint16, found {found}; convert it")
    most = largest_code(rgb)
    if max(rgb.shape[:2]) <= WORKING_PX:
        return np.asarray(np.rint(render(rgb, mask, depth, settings) * most), dtype=rgb.dtype)
    shape = rgb.shape[0], rgb.shape[1]
    check_map("mask", mask, shape)
    if depth is not None:
        check_map("depth", depth, shape)
    small = _reduced(rgb) / float(most)
    person, far = _reduced_map(mask), None if depth is None else _reduced_map(depth)
    check_choices(person, far, settings)
    if settings.aperture == 0:
        return rgb.copy()
    plan = make_plan(small, person, far, settings)
    by_strips = occlusion_strips if settings.compositing is Compositing.OCCLUSION else paper_strips
    portrait = np.empty_like(rgb)
    for start, stop, picture, share in by_strips(rgb, small, plan, settings):
        rounded = np.rint(picture * most).astype(rgb.dtype)
        portrait[start:stop] = np.where((share > 0)[..., None], rounded, rgb[start:stop])
    return portrait


def _reduced_map(array: AnyArray) -> Floats:
    """A map at the working size, in 0..1 without the rounding of the reduction."""
    return np.clip(_reduced(np.asarray(array, dtype=np.float32)), 0, 1).astype(np.float64)


def _reduced(image: AnyArray) -> AnyArray:
    """The photo or a map at the working size, by area averages."""
    height, width = image.shape[:2]
    scale = WORKING_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
