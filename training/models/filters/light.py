"""From sRGB to linear light and back in operations that every phone has: products, sums and one square root.

Neither curve has a power with a fraction: of TFLite's operations hardly any delegate of a phone takes that one.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SQUARE, CUBE = 0.72, 0.28
"""l = s^2 (a + b s), a + b = 1, in place of the exact curve: 0.0026 off at most, 0.0012 as the root of the mean square.
With s^2 alone portraits of three photos by the occlusion renderer are 43 to 58 dB from those by the exact curve."""

TO_CODE = (1.1719, -0.2256, 0.0537)
"""s = t (a + t (b + t c)), t = l^(1/2): the inverse of the curve above, least squares over 0..1, 0.0004 at most."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Y of linear sRGB, as ``reference/occlusion/highlights.py`` has it; a test holds them equal."""

THRESHOLD = 0.8
"""Luminance from which a light may have been clipped, as there."""


def to_light(srgb: Tensor) -> Tensor:
    """Linear light of coded values in 0..1, any shape."""
    return srgb * srgb * (SQUARE + CUBE * srgb)


def to_code(light: Tensor) -> Tensor:
    """Coded values in 0..1 of linear light of any shape, 0 or more; light above 1 is 1."""
    a, b, c = TO_CODE
    root = torch.sqrt(torch.clamp(light, max=1.0))
    return root * (a + root * (b + root * c))


def excess_of(light: Tensor, gain: float) -> Tensor:
    """How much of itself ``recover_highlights`` of the reference adds to light: some of what was cut off.

    Args:
        light: (N, 3, H, W) linear, 0..1.
        gain: how much is added to light of luminance 1, as a multiple of itself; 0 changes nothing.

    Returns:
        (N, 1, H, W), 0 to gain.
    """
    weights = torch.tensor(LUMINANCE, dtype=light.dtype, device=light.device).reshape(1, 3, 1, 1)
    # 1 + gain t^2,   t = (Y - threshold) / (1 - threshold), clipped to 0..1
    scale = math.sqrt(gain) / (1 - THRESHOLD)
    excess = F.relu(F.conv2d(light, scale * weights) - scale * THRESHOLD)
    return excess * excess
