"""From the filter's picture at working size to a portrait at the photo's size.

The photo's own pixels stay where nothing is blurred. At the working size, where r is the disk radius in pixels, the
filter's portrait is P = (1 - s) I + s B with the blur's share s = (1 - m) c, c = clip(r, 0, 1). Its blurred light s B
is enlarged premultiplied, so that no colour of the person spreads with it, and laid behind the photo's own edge:

    k = (1 - M) enlarge(c),   B = enlarge(P - (1 - s) I_model + e P) / (enlarge(s) + e),   portrait = I + k (B - I)

where m and M are the matte of the mask at the model's and at the photo's size, and e = ``COMPOSE_LEAST``. The same
steps are what an app does on the phone.
"""

import cv2
import numpy as np
import numpy.typing as npt

from portraiture.export.pipeline.maps import Maps
from portraiture.export.rules import COMPOSE_LEAST, MATTE_GAIN
from portraiture.reference.arrays import largest_code
from portraiture.reference.enlarge import enlarge_rows, over_strips
from portraiture.reference.lens.radii import smooth_radii
from portraiture.reference.lens.selfie import scene_depth

STRIP_ROWS = 64
"""Rows at a time: pieces that stay in the cache. Chosen."""


def compose_full_size(rgb: np.ndarray, maps: Maps, portrait: np.ndarray, aperture: float, focus: float) -> np.ndarray:
    """Put the working-size portrait into the photo.

    Args:
        rgb: photo HxWx3 uint8 or uint16.
        maps: of the photo.
        portrait: hxwx3 float 0..1 at the working size.
        aperture, focus: as given to the filter.

    Returns:
        HxWx3 float32 in 0..1, not rounded; where the blur's share is 0, the photo's own value by its largest code.
    """
    frame = maps.frame
    shape = frame.size.height, frame.size.width
    sharp = None if focus < 0 else focus
    m = maps.model_mask.astype(np.float64)
    z = scene_depth(m, maps.model_depth.astype(np.float64), sharp)
    c = np.clip(smooth_radii(m, z, frame.aperture(aperture), sharp), 0, 1)
    share = (1 - matte_of(m)) * c
    model_rgb = maps.model_rgb / float(largest_code(maps.model_rgb))
    light = portrait - (1 - share)[..., None] * model_rgb + COMPOSE_LEAST * portrait
    lights = cv2.split(light.astype(np.float32))  # planes: twice as fast as pixels
    shares, c = (share + COMPOSE_LEAST).astype(np.float32), c.astype(np.float32)
    most = np.float32(largest_code(rgb))
    picture = np.empty(rgb.shape, np.float32)
    columns = slice(frame.left, frame.left + rgb.shape[1])

    def compose(start: int, stop: int) -> None:
        rows = start + frame.top, stop + frame.top
        k = (1 - matte_of(maps.mask[start:stop])) * enlarge_rows(c, *rows, shape)[:, columns]
        weight = k / enlarge_rows(shares, *rows, shape)[:, columns]
        planes = []
        for premultiplied, colour in zip(lights, cv2.split(rgb[start:stop]), strict=True):
            photo = colour / most
            plane = enlarge_rows(premultiplied, *rows, shape)[:, columns] * weight
            plane -= k * photo
            plane += photo
            planes.append(plane)
        np.clip(cv2.merge(planes), 0, 1, out=picture[start:stop])

    over_strips(rgb.shape[0], STRIP_ROWS, compose)
    return picture


def matte_of(mask: np.ndarray) -> np.ndarray:
    """A mask in 0..1 as a matte, of its shape and type: y^2 (3 - 2 y), y = min(``MATTE_GAIN`` * mask, 1)."""
    share = np.minimum(mask.dtype.type(MATTE_GAIN) * mask, 1)
    return np.asarray(share * share * (3 - 2 * share))


def to_bytes(picture: np.ndarray, kind: npt.DTypeLike = np.uint8) -> np.ndarray:
    """Float HxWx3 in 0..1 -> uint8, or uint16 where that is asked for, rounded."""
    coded = np.empty(picture.shape, kind)
    most = np.float32(largest_code(coded))

    def code(start: int, stop: int) -> None:
        coded[start:stop] = np.rint(picture[start:stop] * most)

    over_strips(picture.shape[0], STRIP_ROWS, code)
    return coded
