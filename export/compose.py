"""From the filter's picture at working size to a portrait at the photo's size.

The photo's own pixels stay where nothing is blurred: with the blur's share k = (1 - m) clip(r, 0, 1),

    B = (1 - k) I + k enlarge(B_working)

where r is the disk radius in working pixels. The same steps are what an app does on the phone.
"""

import math

import numpy as np

from portraiture.export.resize import to_photo_size


def person_depth(mask: np.ndarray, depth: np.ndarray) -> float:
    """Mask-weighted mean depth."""
    return float((mask * depth).mean() / max(float(mask.mean()), 1e-4))


def blur_radius_px(mask: np.ndarray, depth: np.ndarray, aperture: float, focus: float) -> np.ndarray:
    """Disk radius in pixels of the maps' own size (H, W); the rule of ``training/models/lens.py``."""
    chosen = person_depth(mask, depth) if focus < 0 else focus
    behind = (depth - chosen) / max(float(depth.max()) - chosen, 1e-3)
    return np.asarray(aperture * math.hypot(*depth.shape) * np.clip(behind, 0, 1))


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
        HxWx3 float64 in 0..1, not rounded; where the blur's share is 0, the photo's own value / 255.
    """
    height, width = rgb.shape[:2]
    share = (1 - mask) * np.clip(blur_radius_px(mask, depth, aperture, focus), 0, 1)
    k = to_photo_size(share, height, width)[..., None]
    photo = rgb / 255.0
    return np.asarray(np.clip(photo + k * (to_photo_size(portrait, height, width) - photo), 0.0, 1.0))


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """Float in 0..1 -> uint8, rounded."""
    return np.asarray(np.rint(picture * 255), dtype=np.uint8)
