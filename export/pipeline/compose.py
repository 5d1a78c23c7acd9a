"""From the filter's picture at working size to a portrait at the photo's size.

The photo's own pixels stay where nothing is blurred. At the working size, where r is the disk radius in pixels, the
filter's portrait is P = (1 - s) I + s B with the blur's share s = (1 - m) c, c = clip(r, 0, 1). Its blurred light s B
is enlarged premultiplied, so that no colour of the person spreads with it, and laid behind the photo's own edge:

    k = (1 - M) enlarge(c),   B = enlarge(P - (1 - s) I_model + e P) / (enlarge(s) + e),   portrait = I + k (B - I)

where m and M are the matte of the mask at the model's and at the photo's size, and e = ``COMPOSE_LEAST``. The same
steps are what an app does on the phone.
"""

import numpy as np

from portraiture.export.pipeline.maps import Maps
from portraiture.export.rules import COMPOSE_LEAST, MATTE_GAIN
from portraiture.reference.enlarge import enlarge_rows
from portraiture.reference.lens.radii import smooth_radii
from portraiture.reference.lens.selfie import scene_depth

STRIP_ROWS = 64


def compose_full_size(rgb: np.ndarray, maps: Maps, portrait: np.ndarray, aperture: float, focus: float) -> np.ndarray:
    """Put the working-size portrait into the photo.

    Args:
        rgb: photo HxWx3 uint8.
        maps: of the photo.
        portrait: hxwx3 float 0..1 at the working size.
        aperture, focus: as given to the filter.

    Returns:
        HxWx3 float32 in 0..1, not rounded; where the blur's share is 0, the photo's own value / 255.
    """
    frame = maps.frame
    shape = frame.size.height, frame.size.width
    sharp = None if focus < 0 else focus
    m = maps.model_mask.astype(np.float64)
    z = scene_depth(m, maps.model_depth.astype(np.float64), sharp)
    c = np.clip(smooth_radii(m, z, frame.aperture(aperture), sharp), 0, 1)
    share = ((1 - matte_of(m)) * c)[..., None]
    light = portrait - (1 - share) * (maps.model_rgb / 255.0) + COMPOSE_LEAST * portrait
    premultiplied = np.concatenate([light, share + COMPOSE_LEAST], axis=2).astype(np.float32)  # hxwx4
    c = c.astype(np.float32)
    picture = np.empty(rgb.shape, np.float32)
    columns = slice(frame.left, frame.left + rgb.shape[1])
    for start in range(0, rgb.shape[0], STRIP_ROWS):  # in pieces that stay in the cache
        stop = min(start + STRIP_ROWS, rgb.shape[0])
        rows = start + frame.top, stop + frame.top
        behind = enlarge_rows(premultiplied, *rows, shape)[:, columns]
        k = (1 - matte_of(maps.mask[start:stop])) * enlarge_rows(c, *rows, shape)[:, columns]
        photo, strip = rgb[start:stop] / np.float32(255), picture[start:stop]
        np.divide(behind[..., :3], behind[..., 3:], out=strip)
        strip -= photo
        strip *= k[..., None]
        strip += photo
        np.clip(strip, 0, 1, out=strip)
    return picture


def matte_of(mask: np.ndarray) -> np.ndarray:
    """A mask in 0..1 as a matte, of its shape and type: y^2 (3 - 2 y), y = min(``MATTE_GAIN`` * mask, 1)."""
    share = np.minimum(mask.dtype.type(MATTE_GAIN) * mask, 1)
    return np.asarray(share * share * (3 - 2 * share))


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """Float HxWx3 in 0..1 -> uint8, rounded."""
    coded = np.empty(picture.shape, np.uint8)
    for start in range(0, picture.shape[0], STRIP_ROWS):
        rows = np.s_[start : start + STRIP_ROWS]
        coded[rows] = np.rint(picture[rows] * 255)
    return coded
