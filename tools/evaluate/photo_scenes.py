"""Scenes for the lens simulator made of real photos: a person cut by a soft matte, before layers of other photos.

Person, objects and backgrounds come from different photos, so that the colours behind each cut are known. All colour
here is linear light.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.arrays import Floats, person_pixels
from portraiture.reference.errors import InputError
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, Layer
from portraiture.reference.matting.foreground import estimate_foreground
from portraiture.reference.matting.matte import matte
from portraiture.reference.photo.read import read_photo
from portraiture.reference.srgb import to_linear, to_srgb
from portraiture.training.data.datasets import Split, list_samples, split_of
from portraiture.training.data.labels import read_label
from portraiture.training.data.layouts import Sample
from portraiture.training.data.near_duplicates import in_training
from portraiture.training.data.negatives import person_free_photos
from portraiture.training.data.nyu import BORDER_PX

SHAPE = (500, 375)
"""(H, W) of a scene in pixels: upright, as the photos of both sets of people are."""


PEOPLE = ("ccp", "shen2016")

BACKGROUNDS = ("bsds500", "nyu")

NYU_PHOTOS = "nyu_images"


MIN_COVER = 0.03
"""Least share of the scene that a person covers; chosen, not measured."""


CUT_TRIMAP_PX = 4.0
"""Half width of the band that a cut's matting solves: a label is right to a few pixels, and in a band of 10 the solver
grows spikes where person and old background look alike."""


FAR, NEAR = 0.9, 0.45
"""Depths of the farthest and the nearest layer between the wall at 1 and the person at 0.3; chosen."""


Scene = tuple[tuple[Layer, ...], int]
"""Layers far to near, and the index of the person."""


def list_photos(root: Path) -> tuple[list[list[Sample]], list[Path]]:
    """The held-out people and the held-out backgrounds of each set.

    Args:
        root: the folder that holds shen2016/, ccp/, bsds500/ and nyu/.

    Raises:
        InputError: a folder is missing or empty.
    """
    missing = [name for name in (*PEOPLE, *BACKGROUNDS) if not (root / name).is_dir()]
    if missing:
        raise InputError(
            f"simulated-photos: expected {', '.join((*PEOPLE, *BACKGROUNDS))} in {root}, found no {', '.join(missing)};"
            " point --root at the folder that holds them"
        )
    people = [list_samples(name, root / name, Split.VALIDATION) for name in PEOPLE]
    held_out = split_of(person_free_photos(root / "bsds500"), Split.VALIDATION)
    rooms = sorted((root / "nyu" / NYU_PHOTOS).glob("*.jpg"), key=lambda p: int(p.stem))
    trained = in_training()
    held_out += split_of([Sample(p.stem, p, p, ("nyu", p.stem) in trained) for p in rooms], Split.VALIDATION)
    if not rooms:
        raise InputError(f"nyu: expected photos (*.jpg) in {root / 'nyu' / NYU_PHOTOS}, found none; check --root")
    return people, [sample.photo for sample in held_out]


def photo_scenes(
    people: Sequence[Sequence[Sample]],
    backgrounds: Sequence[Path],
    count: int,
    seed: int = 0,
    shape: tuple[int, int] = SHAPE,
) -> Iterator[Scene]:
    """Scenes of real photos; the sets of people take turns.

    Args:
        people: photos with masks, one list or more; those whose person is too small are passed over.
        backgrounds: photos of what is behind.
        count: how many scenes; each of the first takes another person. Lights shine in half of them.
        seed: equal seeds give equal scenes, and a higher count the same first ones.
        shape: (H, W) of a scene.

    Returns:
        One scene after the other: a wall at depth 1, two to four layers at 0.45..0.9, the person last at 0.3.

    Raises:
        InputError: a list is empty, a file cannot be read, or no photo shows a person large enough.
    """
    if not backgrounds or not people or not all(people):
        raise InputError("photo scenes: expected people and backgrounds, found an empty list; check the folders")
    orders = [np.random.default_rng([seed, 0, k]).permutation(len(found)) for k, found in enumerate(people)]
    turns = [0] * len(people)
    for index in range(count):
        rng = np.random.default_rng([seed, 1, index])
        which = index % len(people)
        for _ in range(len(people[which])):
            sample = people[which][orders[which][turns[which] % len(people[which])]]
            turns[which] += 1
            colour, alpha = cut_person(sample, shape)
            if person_pixels(alpha).mean() >= MIN_COVER:
                break
        else:
            raise InputError(
                f"photo scenes: expected a person on {MIN_COVER:.0%} of a photo or more, found none in the"
                f" {len(people[which])} photos up to {sample.photo}; check the masks"
            )
        behind = _background(rng, people, backgrounds, shape, lights=index // len(people) % 2 == 0)
        yield (*behind, Layer(colour, alpha, PERSON_DEPTH)), len(behind)


def cut_person(sample: Sample, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """A person's own colour and matte. The photo is scaled to cover ``shape`` and cropped around the person.

    Args:
        sample: a photo with its mask.
        shape: (H, W) of the result.

    Returns:
        HxWx3 linear light, 0 where the matte is; HxW in 0..1.
    """
    photo, person = to_linear(read_photo(sample.photo) / 255.0), read_label(sample)
    if photo.shape[:2] != person.shape:
        raise InputError(
            f"{sample.label}: expected a mask of {photo.shape[:2]} like its photo, found {person.shape}; check the pair"
        )
    rows, columns = np.nonzero(person)
    middle = (float(rows.mean()), float(columns.mean())) if rows.size else None
    light = _cover(photo, shape, middle)
    mask = _cover(person.astype(np.float64), shape, middle)
    alpha = matte(to_srgb(light), mask, CUT_TRIMAP_PX)
    return np.asarray(np.where((alpha > 0)[..., None], estimate_foreground(light, alpha), 0.0)), alpha


def _read_background(path: Path) -> Floats:
    """A photo in linear light, without NYU's white border."""
    rgb = read_photo(path)
    if path.parent.name == NYU_PHOTOS:
        rgb = rgb[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX]
    return to_linear(rgb / 255.0)


def _resize(image: Floats, shape: tuple[int, int]) -> Floats:
    """Area means where it shrinks, linear where it grows: neither leaves the range of the values."""
    shrinks = shape[0] < image.shape[0]
    small = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.clip(np.asarray(small, dtype=np.float64), 0.0, 1.0)


def _cover(image: Floats, shape: tuple[int, int], middle: tuple[float, float] | None = None) -> Floats:
    """Scaled to cover ``shape`` and cropped, with the point ``middle`` (row, column) as central as it can be."""
    scale = max(shape[0] / image.shape[0], shape[1] / image.shape[1])
    size = max(round(image.shape[0] * scale), shape[0]), max(round(image.shape[1] * scale), shape[1])
    row, column = (size[0] / 2, size[1] / 2) if middle is None else (middle[0] * scale, middle[1] * scale)
    top = int(np.clip(round(row - shape[0] / 2), 0, size[0] - shape[0]))
    left = int(np.clip(round(column - shape[1] / 2), 0, size[1] - shape[1]))
    return np.ascontiguousarray(_resize(image, size)[top : top + shape[0], left : left + shape[1]])


def _background(
    rng: np.random.Generator,
    people: Sequence[Sequence[Sample]],
    backgrounds: Sequence[Path],
    shape: tuple[int, int],
    lights: bool,
) -> list[Layer]:
    """Wall, receding ground and objects, far to near."""
    height = shape[0]
    horizon = height * rng.uniform(0.55, 0.75)
    wall, floor = (_read_background(backgrounds[int(rng.integers(len(backgrounds)))]) for _ in range(2))
    wall = _cover(wall, shape)
    if lights:
        wall = _with_lights(rng, wall, horizon)
    layers = [Layer(wall, np.ones(shape), 1.0)]
    # the lower half of a photo, as ground from the horizon to the bottom; one picture for all slices
    ground = np.zeros((*shape, 3))
    top = int(horizon)
    ground[top:] = _cover(floor[floor.shape[0] // 2 :], (height - top, shape[1]))
    slices = int(rng.integers(1, 3))
    y = np.arange(height)[:, None] + 0.5 + np.zeros(shape)
    for k in range(slices):
        edge = top + (height - top) * (k / slices) ** 1.5
        layers.append(Layer(ground, np.clip(y - edge, 0.0, 1.0), FAR - 0.3 * k))
    for _ in range(int(rng.integers(1, 3))):
        depth = float(rng.uniform(NEAR, FAR - 0.05))
        base = horizon + (height - horizon) * (FAR - depth) / (FAR - NEAR)
        tall = height * 0.27 / depth
        layers.append(_object(rng, people, backgrounds, shape, base, tall, depth))
    return sorted(layers, key=lambda layer: -layer.depth)


def _with_lights(rng: np.random.Generator, wall: Floats, horizon: float) -> Floats:
    """Round lights of 1 to 3 px radius, 2 to 12 times white: a photo clips them."""
    lit = wall.copy()
    y, x = np.mgrid[: wall.shape[0], : wall.shape[1]] + 0.5
    for _ in range(int(rng.integers(6, 15))):
        radius, row, column = rng.uniform(1, 3), rng.uniform(0, horizon), rng.uniform(0, wall.shape[1])
        share = np.clip(radius + 0.5 - np.hypot(y - row, x - column), 0.0, 1.0)[..., None]
        lit = lit * (1 - share) + share * rng.uniform(2.0, 12.0) * rng.uniform(0.6, 1.0, 3)
    return np.asarray(lit, dtype=np.float64)


def _object(
    rng: np.random.Generator,
    people: Sequence[Sequence[Sample]],
    backgrounds: Sequence[Path],
    shape: tuple[int, int],
    base: float,
    tall: float,
    depth: float,
) -> Layer:
    """A passer-by, or a soft-edged box or oval of a photo, that stands on row ``base`` and is ``tall`` pixels high."""
    size = max(round(tall), 16), max(round(tall * rng.uniform(0.5, 0.8)), 12)
    if rng.random() < 0.5:
        crowd = people[int(rng.integers(len(people)))]
        colour, alpha = cut_person(crowd[int(rng.integers(len(crowd)))], size)
    else:
        colour = _cover(_read_background(backgrounds[int(rng.integers(len(backgrounds)))]), size)
        y, x = np.mgrid[: size[0], : size[1]] + 0.5
        beyond = np.abs(y / size[0] * 2 - 1), np.abs(x / size[1] * 2 - 1)
        distance = np.hypot(*beyond) if rng.random() < 0.5 else np.maximum(*beyond)
        alpha = np.clip((0.97 - distance) * min(size) / 2 / 1.5, 0.0, 1.0)  # an edge of 1.5 px
    top = round(base) - size[0]
    left = int(rng.integers(-size[1] // 3, shape[1] - 2 * size[1] // 3))
    return Layer(_place(colour, shape, top, left), _place(alpha, shape, top, left), depth)


def _place(image: Floats, shape: tuple[int, int], top: int, left: int) -> Floats:
    """The image on zeros of ``shape``, its corner at (top, left), which may lie outside."""
    canvas = np.zeros((*shape, *image.shape[2:]))
    rows = slice(max(top, 0), min(top + image.shape[0], shape[0]))
    columns = slice(max(left, 0), min(left + image.shape[1], shape[1]))
    canvas[rows, columns] = image[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return canvas
