"""How far a person is, by how large they are in the picture: the one distance that makes metres of relative depth.

With a pinhole's geometry, an object of the size S at the distance Z covers S f / Z of the picture, f in pixels:

    Z = f_px S / size_px

A whole body is ``BODY_M`` tall. Of a body that the lower edge cuts, such as head and shoulders or a selfie, the width
of its lower half counts as that of shoulders, ``SHOULDERS_M``. A body is cut where its mask reaches the lower edge and
is less than ``WHOLE_RATIO`` times as tall as wide. (``selfie.py`` asks another question, whether all behind the person
is equally far: a person cut at the knees is no selfie, and is cut.)

A child, somebody who sits, a raised arm or a body seen from its side are off by as much as they differ from this;
``--distance`` is for them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, person_pixels
from portraiture.reference.errors import InputError

BODY_M = 1.65
"""Height of a person: the mean of 1.71 m (men) and 1.59 m (women), adults of all countries born in 1996 (NCD Risk
Factor Collaboration, "A century of trends in adult human height", eLife 2016)."""

SHOULDERS_M = 0.45
"""Width of a person across both arms, dressed; chosen: between the breadths of women's and of men's shoulders."""

WHOLE_RATIO = 3.5
"""A body at the lower edge that is this many times as tall as its lower half is wide is whole, its shoes at the edge.
Chosen: standing bodies have 4 to 5, bodies that are cut at the knees about 3."""

LOWER_EDGE = 0.01
"""A body reaches the lower edge if it reaches the last hundredth of the rows; chosen."""

WORKING_PX = 512
"""Longer side at which a body is measured, in pixels; chosen."""


@dataclass(frozen=True)
class PersonSize:
    """A person's size in the picture.

    Attributes:
        whole: the whole body is seen, from head to foot.
        share: height of the body, or width of the shoulders, as a share of the picture's height.
        size_m: what it is taken for, in metres.
    """

    whole: bool
    share: float
    size_m: float

    def distance_m(self, focal_px: float, height_px: int) -> float:
        """Distance of the person in metres.

        Args:
            focal_px: focal length in pixels of the photo.
            height_px: height of the photo in pixels.
        """
        # Z = f S / size
        return focal_px * self.size_m / (self.share * height_px)


def person_size(mask: AnyArray) -> PersonSize:
    """Measure the largest body of a mask HxW in 0..1.

    Raises:
        InputError: no pixel is a person.
    """
    height, width = mask.shape
    scale = min(1.0, WORKING_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(np.asarray(mask, dtype=np.float32), size, interpolation=cv2.INTER_AREA)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person_pixels(small).astype(np.uint8))
    if count == 1:
        raise InputError("expected a person, found none to measure; give --distance")
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    widths = (labels == largest).sum(axis=1)  # pixels of the body in each row
    rows = np.flatnonzero(widths)
    tall = int(rows[-1] - rows[0] + 1)
    wide = float(np.median(widths[rows[0] + tall // 2 : rows[-1] + 1]))
    cut = rows[-1] >= size[1] * (1 - LOWER_EDGE) - 1 and tall < WHOLE_RATIO * wide
    if cut:
        return PersonSize(False, wide / size[1], SHOULDERS_M)
    return PersonSize(True, tall / size[1], BODY_M)
