"""Photos of two to four people, composed of photos of one, and how many of the people a network keeps.

The people of other photos are pasted beside the person of a photo, feet or lower rim at one height, about as tall, and
partly before one another. Each photo's draws are seeded by its place, so that the set is always the same.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.tools.progress import over
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import Predict, read_photo_and_mask

HEIGHTS = (0.75, 1.1)
"""Height of a pasted person against the first one's; chosen."""

MOST_COVERED = 0.25
"""A pasted person covers at most this share of anybody before; chosen."""

TRIES = 20
"""Places that are drawn for a person; where none will do, the person is left out."""

LEAST_KEPT = 0.8
"""A person is kept if this share of what is seen of the person is in the mask; chosen."""


class Crowd(NamedTuple):
    """A composed photo.

    Attributes:
        rgb: HxWx3 uint8.
        people: HxW of bool each, what is seen of each person, two or more.
    """

    rgb: np.ndarray
    people: list[np.ndarray]


def _cut_out(sample: Sample, height: int) -> tuple[np.ndarray, np.ndarray] | None:
    """A photo's people at a height in pixels: hxwx3 float64 and mask hxw in 0..1; None where it shows nobody."""
    rgb, person = read_photo_and_mask(sample)
    if not person.any():
        return None
    rows, columns = (np.nonzero(person.any(axis))[0] for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = height / (rows[-1] + 1 - rows[0])
    size = max(1, round((columns[-1] + 1 - columns[0]) * scale)), height
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    photo = cv2.resize(np.ascontiguousarray(rgb[box]), size, interpolation=kind)
    return photo.astype(np.float64), cv2.resize(person[box].astype(np.float64), size, interpolation=kind)


def compose_crowd(samples: Sequence[Sample], place: int) -> Crowd | None:
    """The photo of a place with one to three people of other photos.

    Args:
        samples: photos with masks.
        place: of the photo, from 0.

    Returns:
        The composed photo; None where the photo shows nobody, or no other person fits.
    """
    rgb, first = read_photo_and_mask(samples[place])
    if not first.any():
        return None
    rng = np.random.default_rng(place)
    picture, people = rgb.astype(np.float64), [first]
    rows = np.nonzero(first.any(1))[0]
    lowest, tall = int(rows[-1]) + 1, int(rows[-1]) + 1 - int(rows[0])
    others = rng.permutation(np.delete(np.arange(len(samples)), place))[: rng.integers(1, 4)]
    for other in others:
        cut_out = _cut_out(samples[other], min(lowest, round(tall * rng.uniform(*HEIGHTS))))
        if cut_out is None or cut_out[1].shape[1] > rgb.shape[1]:
            continue  # nobody, or wider than the photo
        photo, matte = cut_out
        height, width = matte.shape
        for _ in range(TRIES):
            left = int(rng.integers(-width // 4, rgb.shape[1] - width * 3 // 4 + 1))
            inside = slice(max(left, 0), min(left + width, rgb.shape[1]))
            part = np.s_[:, inside.start - left : inside.stop - left]
            there = np.s_[lowest - height : lowest, inside]
            new = np.zeros_like(first)
            new[there] = matte[part] >= 0.5
            if new.any() and all((new & person).sum() <= MOST_COVERED * person.sum() for person in people):
                alpha = cv2.GaussianBlur(matte, (0, 0), 0.7)[part][..., None]
                picture[there] = alpha * photo[part] + (1 - alpha) * picture[there]
                people = [*(person & ~new for person in people), new]
                break
    if len(people) < 2:
        return None
    return Crowd(np.rint(picture).astype(np.uint8), people)


def crowds(samples: Sequence[Sample]) -> Iterator[Crowd]:
    """All photos that can be composed of photos with masks."""
    for place in range(len(samples)):
        crowd = compose_crowd(samples, place)
        if crowd is not None:
            yield crowd


def evaluate_crowd(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """How many of the people are kept.

    Args:
        samples: photos with masks of one person each; others serve too.
        predict: gives masks.

    Returns:
        ``photos``, ``people``, ``people_kept`` in 0..1, and ``photos_whole``, the share of photos that keep everybody.

    Raises:
        InputError: a file cannot be read, or no photo can be composed.
    """
    kept: list[list[bool]] = []
    for rgb, people in over(crowds(samples), len(samples), "photo", "crowds"):
        mask = predict(rgb).mask
        assert mask is not None
        kept.append([float((mask[person] >= 0.5).mean()) >= LEAST_KEPT for person in people])
    if not kept:
        raise InputError(f"evaluate crowd: expected people to compose, found none in {len(samples)} photos; add masks")
    everybody = [k for photo in kept for k in photo]
    return {
        "photos": len(kept),
        "people": len(everybody),
        "people_kept": float(np.mean(everybody)),
        "photos_whole": float(np.mean([all(photo) for photo in kept])),
    }
