"""From the filter's picture at working size to a portrait at the photo's size.

The photo's own pixels stay where nothing is blurred: with the blur's share k = (1 - m) clip(r, 0, 1),

    B = (1 - k) I + k enlarge(B_working)

where r is the disk radius in working pixels. The same steps are what an app does on the phone.
"""

import numpy as np

from portraiture.export.resize import to_photo_size
from portraiture.reference.lens import smooth_radii

STRIP_ROWS = 64


def compose_full_size(
    rgb: np.ndarray, portrait: np.ndarray, mask: np.ndarray, depth: np.ndarray, aperture: float, focus: float
) -> np.ndarray:
    """Put the working-size portrait into the photo.

    Args:
        rgb: photo HxWx3 uint8.
        portrait: hxwx3 float 0..1 at the working size.
        mask, depth: hxw at the working size.
        aperture, focus: as given to the filter.

    Returns:
        HxWx3 float32 in 0..1, not rounded; where the blur's share is 0, the photo's own value / 255.
    """
    height, width = rgb.shape[:2]
    m, z = mask.astype(np.float64), depth.astype(np.float64)
    radius_px = smooth_radii(m, z, aperture, None if focus < 0 else focus)
    share = (1 - m) * np.clip(radius_px, 0, 1)
    k = to_photo_size(share, height, width)[..., None]
    picture = to_photo_size(portrait, height, width)
    for start in range(0, height, STRIP_ROWS):  # in place, in pieces that stay in the cache
        rows = np.s_[start : start + STRIP_ROWS]
        photo, strip = rgb[rows] / np.float32(255), picture[rows]
        strip -= photo
        strip *= k[rows]
        strip += photo
        np.clip(strip, 0, 1, out=strip)
    return picture


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """Float in 0..1 -> uint8, rounded."""
    return np.asarray(np.rint(picture * 255), dtype=np.uint8)
