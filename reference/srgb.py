"""The exact sRGB transfer, IEC 61966-2-1: a lens mixes light, so a photo is blurred in linear light.

The paper blurs the coded values; ``render_full_body`` and ``render_selfie`` follow it. ``compose_layers`` takes
linear light and needs these two functions around it.
"""

import numpy as np

from portraiture.reference.arrays import Floats

SRGB_KNEE = 0.04045

LINEAR_KNEE = SRGB_KNEE / 12.92
"""The standard rounds it to 0.0031308. The quotient makes ``to_srgb`` the exact inverse of ``to_linear``."""


def to_linear(srgb: Floats) -> Floats:
    """Linear light of coded values.

    Args:
        srgb: any shape, float64 in 0..1.

    Returns:
        The same shape, float64 in 0..1.
    """
    # L = s / 12.92 if s <= 0.04045, else ((s + 0.055) / 1.055)^2.4
    power = ((np.maximum(srgb, SRGB_KNEE) + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(srgb <= SRGB_KNEE, srgb / 12.92, power), dtype=np.float64)


def to_srgb(linear: Floats) -> Floats:
    """Coded values of linear light, the inverse of ``to_linear``.

    Args:
        linear: any shape, float64. Values outside 0..1 are clipped, as a sensor and a screen clip them: light
            above 1, such as ``recover_highlights`` makes, becomes 1.

    Returns:
        The same shape, float64 in 0..1.
    """
    light = np.clip(linear, 0.0, 1.0)
    # s = 12.92 L if L <= 0.04045 / 12.92, else 1.055 L^(1/2.4) - 0.055
    power = 1.055 * np.maximum(light, LINEAR_KNEE) ** (1 / 2.4) - 0.055
    coded = np.where(light <= LINEAR_KNEE, 12.92 * light, power)
    return np.asarray(np.where(light == 1.0, 1.0, coded), dtype=np.float64)  # 1.055 - 0.055 rounds below 1
