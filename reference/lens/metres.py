"""From relative depth to metres, by one known distance: the person's.

The shipped network learns log-depth through a sigmoid: its depth is d = 1 / (1 + exp(-k (ln Z - c))), Z in m, with
k = ``LOG_DEPTH_SLOPE``. Its loss leaves c free for each photo (``losses.log_depth``): all distances of a photo are
known up to one factor, which one known distance fixes. With the odds o = d / (1 - d)

    Z = Z_p (o / o_p)^(1/k),    1 / Z = (1 / Z_p) (o_p / o)^(1/k)

This is an assumption about the depth, not a measurement. A depth of another origin is read in the same way: its order
is kept, its distances are as good as it is a log-depth through a sigmoid.

Measured on the 65 held-out rooms of NYU, whose nearest fifth gave the known distance: distances of the other pixels are
off by a factor of 1.25 on average, those of the farthest tenth by 1.28; the best k of a photo is 1.46 (median), 1.09 to
1.93 in eight of ten photos. Outdoors it was not measured, and there is nothing farther than 10 m in NYU's rooms.

A lens' blur is linear in 1 / Z (``thin_lens``), and the renderers' radii are linear in depth: given ``LensDepth``, a
depth that is linear in 1 / Z, both renderers draw the thin lens' blur.
"""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.errors import InputError
from portraiture.reference.lens.radii import MIN_SPAN

LOG_DEPTH_SLOPE = 1.5
"""k, as the network was trained: ``Z_OF_LOG_DEPTH`` of ``training/tasks/perception.py``; a test holds both equal."""

LEAST = 1e-3
"""Depths count as at least this and at most 1 minus this: a factor of 100 nearer and farther than the depth 0.5."""


NEAREST = 0.99
"""Quantile of the inverse distances that counts as the nearest: a few near pixels must not take the range. Chosen."""


MIDDLE_M = 2.0
"""Distance of the depth 0.5 where nothing else says it: of a person in a portrait. Chosen."""


MIDDLE_SHARE = 0.01
"""Inverse distances below this share of the largest count as this when their middle is taken. Chosen."""


@dataclass(frozen=True)
class LensDepth:
    """A photo's relative depth d, made linear in the inverse distance: ``(offset - 1 / Z) * gain``.

    Attributes:
        scale: 1 / Z of the depth 0.5, in 1/m.
        offset: in 1/m.
        gain: in m; 0 of a flat depth, which stays as it is.
        flat: the depth where ``gain`` is 0.
    """

    scale: float
    offset: float
    gain: float
    flat: float

    def inverse(self, depth: AnyArray | float) -> Floats:
        """1 / Z in 1/m of relative depths of any shape, in 0..1."""
        return self.scale * relative_inverse(depth)

    def of(self, depth: AnyArray | float) -> Floats:
        """Relative depths of any shape -> in 0..1, larger is farther, linear in 1 / Z; the photo's range is kept."""
        if self.gain == 0:
            return np.full(np.shape(depth), self.flat)
        return np.clip((self.offset - self.inverse(depth)) * self.gain, 0.0, 1.0)

    def inverse_of(self, lens_depth: float) -> float:
        """1 / Z in 1/m of a value that :meth:`of` gave, 0 or more."""
        return self.offset if self.gain == 0 else max(self.offset - lens_depth / self.gain, 0.0)


def relative_inverse(depth: AnyArray | float) -> Floats:
    """(1 / o)^(1/k), the inverse distance up to a factor, of depths of any shape in 0..1."""
    d = np.clip(np.asarray(depth, dtype=np.float64), LEAST, 1 - LEAST)
    # 1 / Z ~ ((1 - d) / d)^(1/k)
    return np.asarray(((1 - d) / d) ** (1 / LOG_DEPTH_SLOPE), dtype=np.float64)


def depth_of_inverse(inverse: AnyArray, span: tuple[float, float]) -> Floats:
    """Relative depth in 0..1, larger is farther, of inverse distances: of what the network's depth would be.

    d = 1 / (1 + (u / u_0)^k). The depth 0.5 is at 2 m where the values can be metres, else in the middle of their span.

    Args:
        inverse: of any shape, u = 1 / Z in 1/m, or up to a factor; 0 and less is infinitely far.
        span: the least and the largest value that it can have.
    """
    high = max(span[1], 1e-9)
    low = max(span[0], high * MIDDLE_SHARE)
    middle = 1 / MIDDLE_M if low <= 1 / MIDDLE_M <= high else (low * high) ** 0.5
    relative = np.maximum(np.asarray(inverse, dtype=np.float64), 0.0) / middle
    return np.asarray(1 / (1 + relative**LOG_DEPTH_SLOPE), dtype=np.float64)


def inverse_of_depth(depth: AnyArray) -> Floats:
    """1 / Z in 1/m of relative depths of any shape, the depth 0.5 at 2 m; the way back of ``depth_of_inverse``."""
    return relative_inverse(depth) / MIDDLE_M


def mean_inverse(mask: Floats, depth: Floats) -> float:
    """``relative_inverse`` of the person: the mean over depth hxw, weighted by mask hxw, both in 0..1.

    Raises:
        InputError: the mask is 0 everywhere.
    """
    total = float(mask.sum())
    if total <= 0:
        raise InputError("mask: expected a person, found none whose distance is known; give a mask")
    return float((mask * relative_inverse(depth)).sum() / total)


def lens_depth(depth: Floats, known: float, distance_m: float) -> LensDepth:
    """The depth of a photo for a lens.

    Args:
        depth: hxw in 0..1, larger is farther.
        known: ``relative_inverse`` of what is ``distance_m`` away.
        distance_m: in metres, above 0.
    """
    relative = relative_inverse(depth)
    scale = 1 / (known * distance_m)
    low, high = float(depth.min()), float(depth.max())
    nearest, farthest = scale * float(np.quantile(relative, NEAREST)), scale * float(relative.min())
    if high - low < MIN_SPAN or nearest - farthest <= 0:
        return LensDepth(scale, 1 / distance_m, 0.0, (low + high) / 2)
    # low where 1 / Z is the largest, high where it is the least: what depends on the depth's range meets the same one
    gain = (high - low) / (nearest - farthest)
    return LensDepth(scale, nearest + low / gain, gain, low)
