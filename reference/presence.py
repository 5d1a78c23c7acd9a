"""Whether a mask shows a person: a few pixels above one half are no person.

The mask is reduced to ``WORKING_PX``, cut at one half and opened, so that single pixels, speckle and threads go. Of the
blobs that remain, the strongest, with the largest sum of m - 1/2, is judged by its area and its confidence.

The thresholds were chosen by hand, as round numbers, on masks of the perception network that was shipped in its first
version (``portraiture.tools.evaluate.presence`` counts again). Counts of photos; "found" and "missed" mean an IoU of
the mask with the true one of 0.5 or more, and below 0.25:

    photos                                                     clear  uncertain  absent  one pixel of 0.5 or more
    people, found: Supervisely 594, Shen 49, CCP 18              626         35       0       661
    people, in part: Supervisely 94                               57         35       2        94
    people, missed: Supervisely 227                               11         56     160       117
    nobody: BSDS500 65, more of BSDS500 95, NYU 87                 2          3     242        13
    nobody: scikit-image 18 (clear: a cat, a drawn snake)          2          2      14         5

With the first network of contract 4.0.0, one training before the shipped one, on every sixth held-out photo of the two
folders of people and on 40 of the 95 photos more of BSDS500: of 53 people 51 clear, 2 uncertain, none absent; of 40 of
nobody none, 3 and 37.

55 of BSDS500's 65 and most of NYU's photos were trained on; none of the others that show nobody, nor any that
shows people. A cat that the network takes for a person stays clear: no rule on the mask can tell.
"""

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, person_pixels

WORKING_PX = 256
"""Longer side at which a mask is judged, in pixels; a figure means the same for every size of photo. Chosen."""


OPENING_PX = 5
"""Diameter of the opening at the working size, in pixels: what is thinner than 2 % of the longer side goes. Chosen."""


LEAST_AREA = 0.002
"""Blobs of a smaller share of the photo are no person. The smallest blob on a found person covered 0.0086."""


LEAST_CONFIDENCE = 0.65
"""Blobs of a lower mean are no person. Found people had 0.658 or more, 659 of the 661 had 0.70 or more."""


LEAST_COMPACTNESS = 0.5
"""Masks of which the opening leaves less are speckle or threads. Found people had 0.78 or more."""


CLEAR_AREA = 0.005
"""A clear person covers at least this share of the photo. Chosen, so that a person of 1 % is clear."""


CLEAR_CONFIDENCE = 0.85
"""A clear person has at least this mean: 626 of 661 found people, 11 of 227 missed ones, 2 of 247 photos of nobody."""


NEAREST_SHARE = 0.05
"""Share of a photo of nobody that is nearer than its focus, or as near: a few wrong pixels must not set it. Chosen."""


class Presence(Enum):
    """Whether a mask shows a person."""

    CLEAR = "clear"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"


@dataclass(frozen=True)
class PersonFigures:
    """What a mask says of its strongest blob, and the verdict.

    Attributes:
        presence: the verdict.
        area: share of the photo that the blob covers, 0..1.
        confidence: mean of the mask in the blob, 0.5..1; 0 where there is none.
        compactness: share of all that is 0.5 or more which the opening leaves, 0..1; low for speckle and threads.
    """

    presence: Presence
    area: float
    confidence: float
    compactness: float

    def __str__(self) -> str:
        percent = f"{100 * self.area:.1f}" if self.area >= 0.001 or self.area == 0 else f"{100 * self.area:.2g}"
        return f"{percent} % of the photo, confidence {self.confidence:.2f}, compactness {self.compactness:.2f}"


def find_person(mask: AnyArray) -> PersonFigures:
    """Judge a mask HxW of person probability in 0..1. A mask below 0.5 everywhere is always ABSENT."""
    small = _at_working_size(np.asarray(mask, dtype=np.float32))
    person = person_pixels(small).astype(np.uint8)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (OPENING_PX, OPENING_PX))
    solid = cv2.morphologyEx(person, cv2.MORPH_OPEN, disk)
    count, labels = cv2.connectedComponents(solid)
    if count == 1:
        return PersonFigures(Presence.ABSENT, 0.0, 0.0, 0.0)
    pixels = np.bincount(labels.ravel(), minlength=count)[1:]  # label 0 is the background
    sums = np.bincount(labels.ravel(), weights=small.ravel(), minlength=count)[1:]
    strongest = int((sums - 0.5 * pixels).argmax())
    area = float(pixels[strongest] / small.size)
    confidence = float(sums[strongest] / pixels[strongest])
    compactness = float(solid.sum() / person.sum())
    return PersonFigures(_verdict(area, confidence, compactness), area, confidence, compactness)


def nearest_depth(depth: AnyArray) -> float:
    """The focus for a photo of nobody: the depth HxW that ``NEAREST_SHARE`` of the photo does not exceed."""
    return float(np.quantile(depth, NEAREST_SHARE))


def _verdict(area: float, confidence: float, compactness: float) -> Presence:
    if area < LEAST_AREA or confidence < LEAST_CONFIDENCE or compactness < LEAST_COMPACTNESS:
        return Presence.ABSENT
    return Presence.CLEAR if area >= CLEAR_AREA and confidence >= CLEAR_CONFIDENCE else Presence.UNCERTAIN


def _at_working_size(mask: AnyArray) -> AnyArray:
    """The mask with a longer side of ``WORKING_PX``: area averages where it shrinks, bilinear where it grows."""
    height, width = mask.shape
    scale = WORKING_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
