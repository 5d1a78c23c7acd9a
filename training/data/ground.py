"""Where people stand: the ground around feet, from a mask alone; photos without depth teach and judge depth by it.

Beside a shoe, the ground is as far as the shoe. Below it, down to the photo's rim, it is nearer; above, it is farther
for some way. Walls are no ground, so that no point high above the feet counts.
"""

from typing import NamedTuple

import cv2
import numpy as np

# shares of the person's height; chosen on CCP, where a person fills the photo's height

FEET_SHARE = 0.06
"""Height of the band above the lowest pixel in which feet are looked for."""

BESIDE_SHARES = (0.03, 0.15)
"""Ground beside a foot: nearest and farthest from the foot's side."""

LEVEL_SHARE = 0.015
"""Ground beside a foot: at most this far above and below its lowest pixel."""

APART_SHARE = 0.04
"""Ground above and below a foot is at least this far from its lowest pixel."""

ABOVE_SHARE = 0.25
"""Ground above a foot is at most this far from its lowest pixel: with a camera at the eyes' height it is then about a
third farther than the person."""

AROUND_SHARE = 0.3
"""Ground above and below a foot: at most this far from its sides."""

CAMERA_SHARE = 0.9
"""Height of the camera: at the eyes of somebody as tall."""

RIM_SHARE = 0.02
"""Pixels this near to the mask are left out: the map's step may lie a little beside the outline."""

LEAST_HEIGHT = 0.35
"""A standing person is at least this share of the photo's height."""

LEAST_GAP = 0.025
"""Feet are in the photo if at least this share of its height is below them."""

WIDEST = 0.75
"""A standing person is at most this wide, as a share of the height."""


class Contact(NamedTuple):
    """A foot and the ground around it.

    Attributes:
        foot, beside, below, above: (H, W) of bool.
        log_depth: (H, W) float32, log of the ground's depth over the foot's, were the ground a plane; see
            :func:`ground_log_depth`.
    """

    foot: np.ndarray
    beside: np.ndarray
    below: np.ndarray
    above: np.ndarray
    log_depth: np.ndarray

    def parts(self) -> tuple[np.ndarray, ...]:
        """Foot, beside, below and above."""
        return self[:4]


def ground_log_depth(rise: np.ndarray) -> np.ndarray:
    """Log of the depth of a ground plane over that of the feet, at a height above the feet's in the photo.

    The camera is held at ``CAMERA_SHARE`` of the person's height, so that the horizon crosses the person there: a row
    that is a share r of the person above the feet shows ground of the depth c / (c - r).

    Args:
        rise: height above the feet in the photo, as a share of the person's; below them it is negative.
    """
    return np.asarray(-np.log(1 - np.minimum(rise / CAMERA_SHARE, 0.9)), np.float32)


def find_contacts(mask: np.ndarray, seen: np.ndarray | None = None) -> list[Contact]:
    """The feet of the largest person, and the ground beside, below and above each.

    Args:
        mask: (H, W) of bool, the people.
        seen: (H, W) of bool, where the photo shows anything; None is everywhere.

    Returns:
        One or more contacts; none where nobody stands in the photo with the feet visible.
    """
    height, width = mask.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return []
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    top, tall = int(stats[largest, cv2.CC_STAT_TOP]), int(stats[largest, cv2.CC_STAT_HEIGHT])
    wide, lowest = int(stats[largest, cv2.CC_STAT_WIDTH]), top + tall - 1
    if tall < LEAST_HEIGHT * height or wide > WIDEST * tall or height - 1 - lowest < LEAST_GAP * height:
        return []
    band = np.zeros_like(mask)
    first = lowest + 1 - max(2, round(FEET_SHARE * tall))
    band[first:] = labels[first:] == largest
    rim = 2 * max(1, round(RIM_SHARE * tall)) + 1
    free = cv2.dilate(mask.astype(np.uint8), np.ones((rim, rim), np.uint8)) == 0
    if seen is not None:
        free &= seen
    feet, parts, boxes, _ = cv2.connectedComponentsWithStats(band.astype(np.uint8), connectivity=8)
    y, x = np.mgrid[:height, :width]
    contacts = []
    for k in range(1, feet):
        left, upper, across, down, _ = (int(v) for v in boxes[k])
        bottom, right = upper + down - 1, left + across - 1
        if bottom - upper < 1:
            continue  # a crumb of the band
        aside = np.maximum(left - x, x - right) / tall
        lower = (y - bottom) / tall
        level = np.abs(y - bottom) <= max(1.0, LEVEL_SHARE * tall)
        around = free & (aside <= AROUND_SHARE)
        contact = Contact(
            parts == k,
            free & level & (aside >= BESIDE_SHARES[0]) & (aside <= BESIDE_SHARES[1]),
            around & (lower >= APART_SHARE),
            around & (lower <= -APART_SHARE) & (lower >= -ABOVE_SHARE),
            ground_log_depth(-lower),
        )
        if all(part.any() for part in contact.parts()):
            contacts.append(contact)
    return contacts
