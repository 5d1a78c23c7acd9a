"""The training photos at the size of one stage, and random views of them."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from portraiture.training.data.augment import Rng, composite, degrade, jitter_colour, occlude, random_affine, warp
from portraiture.training.data.cache import (
    cached,
    photo_only,
    photo_with_depth,
    photo_with_mask,
    photo_with_relative_depth,
)
from portraiture.training.data.datasets import Split, split_of
from portraiture.training.data.nyu import FOLDER, LEVELS_PER_METRE, floor_of
from portraiture.training.data.standing import Scene, stand
from portraiture.training.tasks.people_sets import PeopleSets, Stage

# shares and scales here were chosen, not measured

NOBODY_SHARE = 0.1
"""Share of the people of a batch in whose place a photo of nobody is shown."""

AS_TAKEN_SHARE = 0.5
"""Share of people whose background, company and upright stand stay as they are, so that they stand on their ground."""

SQUEEZED_SHARE = 0.12
"""Share of upright photos that are squeezed and mirrored outwards, as wide photos are on their way to the network."""

COMPOSITE_SHARE = 0.12
"""Share of people who are put before another background."""

SMALL_SHARE = 0.4
"""Share of those who are put before another background that are made small."""

SMALL_SCALES = (0.15, 0.7)
"""Size of a person made small against the person's own photo."""

TURNED_SHARE = 0.12
"""With folders: share of photos that are turned further, by a normal angle of 18 degrees."""

OCCLUDED_SHARE = 0.05
"""With folders: share of photos of which a part is covered by a piece of another one."""

CROWD_SHARE = 0.15
"""With folders: share of photos onto which one or two more people are pasted."""

CROWD_SCALES = (0.3, 1.1)
"""Size of a pasted person against the person's own photo."""


STANDING_SHARE = 0.4
"""Share of NYU's rooms into which a person is put, where a person can stand."""


class Room(NamedTuple):
    """A random view of a room.

    Attributes:
        rgb: (h, w, 3) float32 in 0..1.
        level: (h, w, 1) float32, depth levels, 0 unknown.
        mask: (h, w, 1) float32 in 0..1, a person who was put there.
    """

    rgb: np.ndarray
    level: np.ndarray
    mask: np.ndarray


class View(NamedTuple):
    """A random view of a person.

    Attributes:
        rgb: (H, W, 3) float32 in 0..1.
        mask: (H, W, 1) float32 in 0..1.
        known: (H, W, 1) float32, 1 where the mask is known, 0 elsewhere.
        one_body: whether the photo shows one body alone.
        as_taken: (H, W, 1) float32, 1 inside the photo if people stand in it where the camera saw them; 0 elsewhere.
    """

    rgb: np.ndarray
    mask: np.ndarray
    known: np.ndarray
    one_body: bool
    as_taken: np.ndarray


class StagePhotos:
    """Decoded people, rooms and backgrounds, an eighth larger than the network's input: zooming in then blurs nothing.

    Args:
        sets: all photos; the training part of each is taken.
        stage: its sizes.
        cache: where decoded photos are kept.
    """

    def __init__(self, sets: PeopleSets, stage: Stage, cache: Path) -> None:
        long_px, short_px = stage.long_px * 9 // 8, stage.short_px * 9 // 8
        upright, any_shape = sets.upright(Split.TRAIN), sets.any_shape(Split.TRAIN)
        self.n_upright = len(upright)
        self.partial = np.array([sample.partial for sample in (*upright, *any_shape)], bool)
        self.whole = np.flatnonzero(~self.partial)
        self.people = list(cached(upright, photo_with_mask, long_px, short_px, cache)) if upright else []
        if any_shape:  # stretched to a square: a view turns it into either shape
            self.people += list(cached(any_shape, photo_with_mask, long_px, long_px, cache))
        self.rooms_size = stage.rooms_size
        height, width = (n * 9 // 8 for n in stage.rooms_size)
        rooms = split_of(sets.rooms, Split.TRAIN)
        scenes = sets.with_depths(Split.TRAIN)[len(rooms) :]
        self.rooms = list(cached(rooms, photo_with_depth, height, width, cache)) if rooms else []
        if scenes:
            self.rooms += list(cached(scenes, photo_with_relative_depth, height, width, cache))
        nyu = sets.data.nyu
        has_floors = bool(rooms) and nyu is not None and (nyu / FOLDER).is_dir()
        self.floors = list(cached(rooms, floor_of, height, width, cache)) if has_floors else []
        nobody = sets.nobody(Split.TRAIN)
        self.backgrounds = list(cached(nobody, photo_only, long_px, short_px, cache)) if nobody else []

    def person(self, rng: Rng, index: int, target: tuple[int, int]) -> View:
        """A random view of a person, or now and then of nobody.

        Args:
            rng: source of all choices.
            index: number of the person, from 0.
            target: height and width of the view, in pixels.

        """
        if self.backgrounds and rng.random() < NOBODY_SHARE:
            nobody = np.zeros((*target, 1), np.float32)
            return View(jitter_colour(rng, self._background(rng, target)), nobody, np.ones_like(nobody), False, nobody)
        pair = self.people[index]
        if index < self.n_upright and rng.random() < SQUEEZED_SHARE:
            pair = np.asarray(cv2.resize(pair, (pair.shape[1] * 4 // 7, pair.shape[0])))
            pair = cv2.copyMakeBorder(pair, 0, 0, pair.shape[1] // 3, pair.shape[1] // 3, cv2.BORDER_REFLECT_101)
        wild = len(self.people) > self.n_upright
        as_taken = rng.random() < AS_TAKEN_SHARE
        turned = wild and not as_taken and rng.random() < TURNED_SHARE
        partial = bool(self.partial[index])  # nobody can be cut out by it
        before_another = not as_taken and bool(self.backgrounds) and rng.random() < COMPOSITE_SHARE and not partial
        crowded = wild and not as_taken and rng.random() < CROWD_SHARE and not partial
        small = wild and before_another and rng.random() < SMALL_SHARE
        scales, spread = (SMALL_SCALES, 0.2) if small else ((0.7, 1.4), 0.05)
        matrix = random_affine(rng, pair.shape[:2], target, scales, spread, 18.0 if turned else 6.0)
        border = cv2.BORDER_CONSTANT if small or rng.random() < 0.5 else cv2.BORDER_REFLECT_101
        flip = rng.random() < 0.5
        view = warp(pair, matrix, target, flip, flags=cv2.INTER_LINEAR, borderMode=border)
        rgb, mask = _split(view)
        if before_another:
            rgb = composite(rng, rgb, mask, self._background(rng, target))
        if crowded:
            rgb, mask = self.pasted(rng, rgb, mask)
        if wild and not as_taken and self.backgrounds and rng.random() < OCCLUDED_SHARE:
            rgb, mask = occlude(rng, rgb, mask, self._background(rng, target))
        inside = np.zeros(target, np.float32)
        if not turned and not before_another and not crowded and not partial:
            inside = warp(np.ones(pair.shape[:2], np.float32), matrix, target, flip, flags=cv2.INTER_NEAREST)
        rgb = jitter_colour(rng, rgb)
        one_body = index < self.n_upright and not crowded
        known = (mask > 0.5).astype(np.float32) if partial else np.ones_like(mask)
        rgb = degrade(rng, rgb) if wild else rgb
        return View(rgb, mask[..., None], known[..., None], one_body, inside[..., None])

    def room(self, rng: Rng, index: int) -> Room:
        """A random crop of a room or scene, now and then with a person where a person can stand."""
        rgb, level = _split(self.rooms[index])
        scene = Scene(rgb, np.zeros_like(level), level * np.float32(255 / LEVELS_PER_METRE))
        if index < len(self.floors) and self.n_upright and rng.random() < STANDING_SHARE:
            photo, person = _split(self.people[rng.integers(self.n_upright)])  # folders' photos are stretched
            scene = stand(rng, photo, person, scene, self.floors[index][..., 0] > 0) or scene
        target, scale = self.rooms_size, rng.uniform(0.6, 1.0)
        h, w = (int(n * scale) for n in level.shape)
        y, x = rng.integers(0, level.shape[0] - h + 1), rng.integers(0, level.shape[1] - w + 1)
        turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
        crop = [np.ascontiguousarray(part[y : y + h, x : x + w][:, turn]) for part in scene]
        ways = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_NEAREST_EXACT)
        rgb, mask, depth = (
            np.asarray(cv2.resize(part, target[::-1], interpolation=way)) for part, way in zip(crop, ways, strict=True)
        )
        return Room(jitter_colour(rng, rgb), (depth * np.float32(LEVELS_PER_METRE))[..., None], mask[..., None])

    def pasted(self, rng: Rng, rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lay one or two more people over a photo, in any place and mostly smaller.

        Args:
            rng: source of all choices.
            rgb: (H, W, 3) float32 in 0..1.
            mask: (H, W) float32 in 0..1.

        Returns:
            Photo and mask of all people, of the same shapes.
        """
        target = (rgb.shape[0], rgb.shape[1])
        for _ in range(rng.integers(1, 3)):
            pair = self.people[self.whole[rng.integers(len(self.whole))]]
            matrix = random_affine(rng, pair.shape[:2], target, scales=CROWD_SCALES, spread=0.25)
            photo, person = _split(warp(pair, matrix, target, rng.random() < 0.5, flags=cv2.INTER_LINEAR))
            rgb = composite(rng, photo, person, rgb)
            mask = np.maximum(mask, person)
        return rgb, mask

    def _background(self, rng: Rng, target: tuple[int, int]) -> np.ndarray:
        """A random crop of a photo without a person, float32 (H, W, 3) in 0..1 of the target (H, W)."""
        photo = self.backgrounds[rng.integers(len(self.backgrounds))]
        matrix = random_affine(rng, photo.shape[:2], target)
        crop = warp(photo, matrix, target, False, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return crop.astype(np.float32) / 255


def _split(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 4) uint8 -> photo (H, W, 3) and mask (H, W), float32 in 0..1."""
    return pair[..., :3].astype(np.float32) / 255, pair[..., 3].astype(np.float32) / 255
