"""From sRGB to linear light and back in operations that every phone has: products, sums and square roots.

Neither curve has a power: of TFLite's operations no delegate of a phone takes that one. A picture that is not changed
between the two comes back within 0.007, and where the curves are applied to a picture and to the change of it,
``coded_change``, one that is not changed comes back exactly.
"""

import torch
from torch import Tensor

from portraiture.training.models.blocks import unit

TO_LIGHT = (0.0347, 0.6061, 0.3592)
"""l = s (a + s (b + s c)): least squares over 0..1, each error divided by the curve's slope, 0.0027 of sRGB on average
and 0.0095 at most; a + b + c = 1."""

TO_CODE = (1.2748, -0.0687, -0.2061)
"""s = a l^(1/2) + b l^(1/4) + c l: the inverse of ``TO_LIGHT``, least squares over 0..1; a + b + c = 1."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Y of linear sRGB; as ``reference/occlusion/highlights.py`` has it; a test holds them equal."""

THRESHOLD = 0.8
"""Luminance from which a light may have been clipped; as there."""


def to_light(srgb: Tensor) -> Tensor:
    """Linear light of coded values in 0..1, any shape."""
    a, b, c = TO_LIGHT
    return srgb * (a + srgb * (b + srgb * c))


def to_code(light: Tensor) -> Tensor:
    """Coded values in 0..1 of linear light, 0 or more, any shape; light above 1 is 1."""
    a, b, c = TO_CODE
    kept = unit(light)
    root = torch.sqrt(kept)
    return a * root + b * torch.sqrt(root) + c * kept


def recovered(light: Tensor, gain: float) -> Tensor:
    """Clipped lights with some of what was cut off: ``recover_highlights`` of the reference.

    Args:
        light: (N, 3, H, W) linear, 0..1.
        gain: how much is added to light of luminance 1, as a multiple of itself; 0 changes nothing.

    Returns:
        (N, 3, H, W), up to 1 + gain.
    """
    r, g, b = torch.split(light, 1, 1)
    luminance = LUMINANCE[0] * r + LUMINANCE[1] * g + LUMINANCE[2] * b
    # c (1 + gain t^2),   t = (Y - threshold) / (1 - threshold), clipped to 0..1
    excess = torch.relu(luminance - THRESHOLD) / (1 - THRESHOLD)
    return light * (1 + gain * excess * excess)
