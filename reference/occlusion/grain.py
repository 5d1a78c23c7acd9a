"""Grain: the blur averages the sensor's noise away; what is missing is added again, to match the sharp region.

No equation of the paper. Limits: the noise is taken as white, Gaussian, independent of brightness and of the other
channels. A sensor's shot noise is not independent of brightness, and strong denoising leaves none that is white.
"""

import math

import cv2
import numpy as np

from portraiture.reference.arrays import Bools, Floats

HIGH_PASS = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
"""Difference of two Laplacians (Immerkaer 1996): blind to gradients and to straight edges along an axis."""


MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


MIN_PIXELS = 64
"""A region of fewer pixels is too small to measure; the whole photo is measured then. Chosen."""


def noise_sigma(image: Floats, region: Bools | None = None) -> Floats:
    """The noise's standard deviation, robust against the picture's own edges (texture everywhere raises it).

    Args:
        image: HxWxC float64, sRGB or linear; the answer holds in the same space.
        region: HxW, the sharp pixels; None takes all. Its outermost pixels are left out, because the high-pass
            would look beyond it there.

    Returns:
        C standard deviations; 0 for a photo smaller than 3x3.
    """
    inside = np.ones(image.shape[:2], dtype=np.bool_) if region is None else region
    core = np.zeros(inside.shape, dtype=np.uint8)  # the photo's own border is left out as well
    eroded = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    core[1:-1, 1:-1] = eroded[1:-1, 1:-1]
    if np.count_nonzero(core) < MIN_PIXELS:
        core[...] = 0
        core[1:-1, 1:-1] = 1
    if not core.any():
        return np.zeros(image.shape[2])
    filtered = cv2.filter2D(np.ascontiguousarray(image), cv2.CV_64F, HIGH_PASS)
    values = np.asarray(filtered, dtype=np.float64).reshape(image.shape)[core > 0]  # NxC
    # sigma = 1.4826 median |h - median h| / ||HIGH_PASS||
    deviation = np.median(np.abs(values - np.median(values, axis=0)), axis=0)
    return np.asarray(MAD_TO_SIGMA * deviation / math.sqrt(float((HIGH_PASS**2).sum())), dtype=np.float64)


def add_grain(
    image: Floats, share: Floats, sigma: Floats, kernel_energy: Floats | float = 0.0, seed: int = 0
) -> Floats:
    """Adds the noise that the blur took away. It trusts that all arrays are of one photo, and the seed of the settings.

    Args:
        image: HxWxC float64 in 0..1, after the blur, in the space in which ``sigma`` was measured.
        share: HxW in 0..1, how much of a pixel's light came through a blurred layer; see ``compose_layers``.
        sigma: C standard deviations of the sharp region.
        kernel_energy: sum of the kernel's squares, the share of the variance that the blur leaves: one number, or
            HxW where the kernels differ. 0 for a kernel that leaves nothing; about 1/(pi r^2) for a disk.
        seed: 0 or more; equal seeds give equal noise on photos of one size.

    Returns:
        HxWxC float64 in 0..1. Pixels of share 0 are the input's, bit for bit.
    """
    # (1-s) sharp + s blurred keeps the variance q = (1-s)^2 + e (1 - (1-s)^2); 1 - q is missing:
    #   1 - q = (1-e) (1 - (1-s)^2)
    missing = np.sqrt(np.clip((1 - kernel_energy) * (1 - (1 - share) ** 2), 0.0, 1.0))  # HxW
    noise = np.random.default_rng(seed).standard_normal(image.shape)
    grained = np.clip(image + missing[..., None] * sigma * noise, 0.0, 1.0)
    return np.asarray(np.where((share > 0)[..., None], grained, image), dtype=np.float64)
