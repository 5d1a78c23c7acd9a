"""Highlight recovery: a clipped light gets back some of the intensity that the sensor cut off, before the blur.

No equation of the paper. A lamp a hundred times brighter than white is recorded as white; blurred as white it fades
to a gray spot, where a lens shows a bright disk.

Limits: how bright a light was is not in the photo. All clipped light gets the same factor, so that an overexposed
sky or a white shirt gains as a lamp does; it stays white, and spreads further over its dark neighbours. A saturated
light whose luminance stays below the threshold gains nothing.
"""

import numpy as np

from portraiture.reference.arrays import Floats

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Y of linear sRGB, Rec. 709."""


THRESHOLD = 0.8
"""Luminance from which a light may have been clipped: about 0.91 in sRGB; chosen, not measured."""


GAIN = 3.0
"""A clipped light becomes up to this many times brighter again, on top of itself; chosen by eye, not measured."""


def recover_highlights(linear: Floats, threshold: float = THRESHOLD, gain: float = GAIN) -> Floats:
    """Scales a pixel's three channels alike, so that its hue stays; by more the nearer its luminance is to 1.

    The factor is smooth (its slope is 0 at the threshold) and no channel falls where a channel of the input rises.
    Only what is blurred afterwards should take the result: a sharp region keeps the photo's own values. It trusts the
    gain of ``RenderSettings``.

    Args:
        linear: HxWx3 linear light, float64, 0 or more.
        threshold: luminance up to which nothing changes, 0..1, below 1.
        gain: how much is added to a pixel of luminance 1 or more, as a multiple of itself, 0 or more and finite; 0
            changes nothing.

    Returns:
        HxWx3 float64, up to ``1 + gain`` times the input.
    """
    # c' = c (1 + gain t^2),   t = (Y - threshold) / (1 - threshold), clipped to 0..1
    excess = np.clip((linear @ LUMINANCE - threshold) / (1 - threshold), 0.0, 1.0)  # HxW
    return np.asarray(linear * (1 + gain * excess**2)[..., None], dtype=np.float64)
