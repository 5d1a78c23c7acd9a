"""The sets of people, rooms and photos of nobody that a run draws from, and how often it draws each person."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.reference.errors import OptionError
from portraiture.training.data.datasets import Split, list_samples, split_of
from portraiture.training.data.labels import mask_size
from portraiture.training.data.layouts import Sample
from portraiture.training.data.negatives import person_free_photos

FULL_BODY_SHARE = 4.0
"""How often a photo of CCP is drawn against a selfie: there are fewer of them; chosen, not measured."""

FOLDER_SHARE = 1.8
"""How often a folder's photo is drawn against a selfie: two photos in three on 2,120 of them; chosen, not measured."""

HARD_SHARE = 3.0
"""How often a photo of ``--hard`` is drawn against its equals; chosen, not measured."""


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one size and batch.

    Attributes:
        until: the step at which the stage ends.
        long_px, short_px: sides of the people, in pixels.
        people, rooms: photos per step.
        rooms_long, rooms_short: sides of the rooms, in pixels; None takes the people's.
    """

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
    """Top folders of the sets.

    Attributes:
        shen2016, ccp, nyu: the data sets.
        backgrounds: folders of photos that show nobody.
        cache: where decoded photos are kept.
        folders: each holds ``images/`` and ``masks/``.
    """

    shen2016: Path
    ccp: Path
    nyu: Path
    backgrounds: tuple[Path, ...]
    cache: Path
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PeopleSets:
    """The photos of all sets, in the order of their ids, listed and not yet decoded.

    Attributes:
        selfies, full_bodies: Shen and CCP, all upright.
        folders: people in any shape, by the folder's name.
        rooms: NYU.
        backgrounds: photos of nobody, a list per folder.
    """

    selfies: list[Sample]
    full_bodies: list[Sample]
    folders: dict[str, list[Sample]]
    rooms: list[Sample]
    backgrounds: list[list[Sample]]

    @staticmethod
    def of(data: PeopleData) -> "PeopleSets":
        """List the sets.

        Raises:
            OptionError: two folders have one name, by which their figures are told apart.
        """
        selfies, full_bodies = list_samples("shen2016", data.shen2016), list_samples("ccp", data.ccp)
        folders: dict[str, list[Sample]] = {}
        for folder in data.folders:
            name = folder.absolute().name
            if name in folders or name in ("shen2016", "ccp"):
                raise OptionError(
                    f"--data folder=DIR: expected folders of different names, found {name} twice; rename one"
                )
            folders[name] = list_samples("folder", folder)
        backgrounds = [person_free_photos(folder) for folder in data.backgrounds]
        return PeopleSets(selfies, full_bodies, folders, list_samples("nyu", data.nyu), backgrounds)

    def upright(self, split: Split) -> list[Sample]:
        """Selfies, then full bodies."""
        return split_of(self.selfies, split) + split_of(self.full_bodies, split)

    def any_shape(self, split: Split) -> list[Sample]:
        """The folders' people."""
        return [sample for samples in self.folders.values() for sample in split_of(samples, split)]

    def nobody(self, split: Split) -> list[Sample]:
        """Photos without a person."""
        return [sample for samples in self.backgrounds for sample in split_of(samples, split)]


def is_landscape(sample: Sample) -> bool:
    """Whether a photo is wider than high, by its label."""
    height, width = mask_size(sample.label)
    return width > height


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
