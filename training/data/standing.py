"""A person from one photo, put into a room where a person can stand: size, place, depth and cover are the room's.

The feet are put on a point of the room's floor; its distance and the camera say how high the person is in the photo
(a pinhole: pixels = focal length x metres / distance). What is nearer than that covers the person, whose depth is that
of the floor under the feet. Someone cut off by the photo's lower rim, as in a selfie, stands at the room's lower rim,
at the distance that the size implies.
"""

from typing import NamedTuple

import cv2
import numpy as np

from portraiture.training.data.augment import Rng, composite, warp
from portraiture.training.data.ground import find_contacts
from portraiture.training.data.nyu import FOCAL_PX, FOCAL_WIDTH_PX

TALL_M = (1.5, 2.0)
"""Height of a person."""

BUST_M = (0.5, 0.9)
"""What a photo shows of a person whom its lower rim cuts off, from the head down."""

DISTANCES_M = (1.2, 7.0)
"""Of people from the camera: nearer they do not fit, farther they are small."""

IN_FRONT_M = 0.15
"""What is nearer than the person by more than this covers the person; depth maps of rooms are that noisy."""

LEAST_SEEN = 0.5
"""Share of the person that must be seen; else another place is tried."""

MOST_CUT = 0.03
"""Share of the photo's height at which a person may be cut off by its left or right rim: an edge that no room has."""

TRIES = 6
"""Places that are tried."""


class Scene(NamedTuple):
    """A room, perhaps with a person in it.

    Attributes:
        rgb: (H, W, 3) float32 in 0..1.
        mask: (H, W) float32 in 0..1, the person who was put there.
        depth: (H, W) float32, metres; 0 unknown.
    """

    rgb: np.ndarray
    mask: np.ndarray
    depth: np.ndarray


def stand(rng: Rng, photo: np.ndarray, mask: np.ndarray, room: Scene, floor: np.ndarray) -> Scene | None:
    """Put a person into a room.

    Args:
        rng: draws place, height and side.
        photo: (h, w, 3) float32 in 0..1, of the person.
        mask: (h, w) float32 in 0..1, the person.
        room: NYU's whole frame at any size; its mask is not read.
        floor: (H, W) of bool, the room's floor.

    Returns:
        The room with the person; None where the photo shows neither all of a standing person nor one cut off by its
        lower rim alone, or no place was found.
    """
    rows, columns = np.flatnonzero((mask > 0.5).any(1)), np.flatnonzero((mask > 0.5).any(0))
    if not len(rows):
        return None
    tall_px = float(rows[-1] + 1 - rows[0])
    whole, cut_off = bool(find_contacts(mask > 0.5)), rows[-1] >= mask.shape[0] - 2
    cut_aside = float((mask[:, [0, -1]] > 0.5).any(1).mean()) > MOST_CUT
    if not (whole or cut_off) or cut_aside or (whole and not floor.any()):
        return None
    if rng.random() < 0.5:
        photo, mask, columns = photo[:, ::-1], mask[:, ::-1], mask.shape[1] - 1 - columns[::-1]
    feet = (float(rows[-1] + 1), float(columns[0] + columns[-1] + 1) / 2)
    for _ in range(TRIES):
        scale, (y, x), metres = _standing(rng, tall_px, room.depth, floor) if whole else _at_rim(rng, tall_px, room)
        if not DISTANCES_M[0] <= metres <= DISTANCES_M[1] or y - scale * tall_px < 0:
            continue
        matrix = np.array([[scale, 0.0, x - scale * feet[1]], [0.0, scale, y - scale * feet[0]]])
        shown = _put(rng, photo, mask, room, matrix, metres)
        if shown.mask.sum() >= LEAST_SEEN * scale**2 * mask.sum():
            return shown
    return None


Place = tuple[float, tuple[float, float], float]
"""Scale of the photo, where the lowest point of the person comes to lie (row, column), and metres from the camera."""


def focal_px(width: int) -> float:
    """Focal length in pixels of a whole frame of NYU that is ``width`` pixels wide."""
    return FOCAL_PX * width / FOCAL_WIDTH_PX


def _standing(rng: Rng, tall_px: float, depth: np.ndarray, floor: np.ndarray) -> Place:
    """On a random point of the floor, as high as someone of a random height is there."""
    points = np.argwhere(floor)
    y, x = (int(v) for v in points[rng.integers(len(points))])
    metres = float(depth[y, x])
    if metres == 0:
        return 1.0, (y, x), 0.0
    high = focal_px(depth.shape[1]) * rng.uniform(*TALL_M) / metres
    return high / tall_px, (y + 0.5, x + 0.5), metres


def _at_rim(rng: Rng, tall_px: float, room: Scene) -> Place:
    """At the lower rim, in a random size, which says the distance."""
    height, width = room.depth.shape
    high = height * rng.uniform(0.4, 0.95)
    metres = focal_px(width) * rng.uniform(*BUST_M) / high
    return high / tall_px, (float(height), width * rng.uniform(0.2, 0.8)), metres


def _put(rng: Rng, photo: np.ndarray, mask: np.ndarray, room: Scene, matrix: np.ndarray, metres: float) -> Scene:
    """The person laid over what is farther, in the light of the room."""
    target = (room.depth.shape[0], room.depth.shape[1])
    person, alpha = (
        warp(image, matrix, target, False, flags=cv2.INTER_AREA) for image in map(np.ascontiguousarray, (photo, mask))
    )
    near = ((room.depth > 0) & (room.depth < metres - IN_FRONT_M)).astype(np.float32)
    alpha = alpha * (1 - cv2.GaussianBlur(near, (0, 0), 0.7))
    light = float(np.median(room.rgb)) / max(float(np.median(photo[mask > 0.5])), 1e-3)
    person = np.clip(person * np.float32(np.clip(light, 0.5, 2.0) ** 0.5), 0, 1)
    depth = np.where(alpha > 0.5, np.float32(metres), room.depth)
    return Scene(composite(rng, person, alpha, room.rgb), alpha, depth)
