"""The sets of people that a run draws from, and how often it draws each photo."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from portraiture.training.data.labels import read_mask
from portraiture.training.data.layouts import Sample

FULL_BODY_SHARE = 1.6

FOLDER_SHARE = 1.8
"""How often a folder's photo is drawn against a selfie: two photos in three on 2,120 of them; chosen, not measured."""

HARD_SHARE = 3.0


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one size (long side, short side) and batch; rooms have the people's size by default."""

    until: int
    long_px: int
    short_px: int
    people: int
    rooms: int
    rooms_long: int | None = None
    rooms_short: int | None = None

    @property
    def rooms_size(self) -> tuple[int, int]:
        """Height and width of the rooms, which are landscape."""
        return self.rooms_short or self.short_px, self.rooms_long or self.long_px


@dataclass(frozen=True)
class PeopleData:
    """Top folders of the sets. Backgrounds hold photos without people; folders ``images/`` and ``masks/``."""

    shen2016: Path
    ccp: Path
    nyu: Path
    backgrounds: tuple[Path, ...]
    cache: Path
    folders: tuple[Path, ...] = ()


class PeopleBatch(NamedTuple):
    """People (N, 3, H, W), masks (N, 1, H, W), and flags (N,): a selfie; one body alone, which has one depth.

    Rooms (M, 3, h, w), their depth levels (M, 1, h, w), and flags (M,) of those known to show nobody.
    """

    people: Tensor
    masks: Tensor
    selfie: Tensor
    one_body: Tensor
    rooms: Tensor
    levels: Tensor
    empty: Tensor


def is_landscape(sample: Sample) -> bool:
    """Whether a photo is wider than high, by its label; the sets' own photos are upright."""
    height, width = read_mask(sample.label).shape
    return bool(width > height)


def draw_shares(people: list[Sample], n_selfies: int, n_upright: int, hard: frozenset[str]) -> np.ndarray:
    """How often each person is drawn, (n,) of sum 1.

    Args:
        people: selfies, then full bodies, then folders' photos.
        n_selfies: number of selfies.
        n_upright: number of selfies and full bodies.
        hard: ids that are drawn ``HARD_SHARE`` times as often.
    """
    place = np.arange(len(people))
    weight = np.where(place < n_selfies, 1.0, np.where(place < n_upright, FULL_BODY_SHARE, FOLDER_SHARE))
    weight *= [HARD_SHARE if person.id in hard else 1.0 for person in people]
    return np.asarray(weight / weight.sum())
