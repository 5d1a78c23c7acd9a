"""The sets of people, rooms and photos of nobody that a run draws from, and how often it draws each person."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.reference.errors import InputError, OptionError
from portraiture.training.data.datasets import Split, digest_of, held_out_by_name, list_depths, list_samples, split_of
from portraiture.training.data.diw_levels import DIW_TRAIN
from portraiture.training.data.labels import mask_size
from portraiture.training.data.layouts import LABEL_FOLDERS, Sample, has_depths, has_people
from portraiture.training.data.near_duplicates import listed_sets
from portraiture.training.data.negatives import person_free_photos, person_free_rooms
from portraiture.training.data.own_groups import hold_out_groups

FULL_BODY_SHARE = 4.0
"""How often a photo of CCP is drawn against a selfie: there are fewer of them; chosen, not measured."""

FOLDER_SHARE = 2.5
"""How often a folder's photo is drawn against a selfie: three photos in four on 2,120 of them; chosen, not measured.
A folder's own weight multiplies it."""

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
class Folder:
    """A folder of a user's own: photos with masks, mattes or annotations, with ``depths/``, or with both.

    Attributes:
        path: the folder.
        weight: how often its photos are drawn, against 1 of other folders.
    """

    path: Path
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Its name in figures."""
        return self.path.absolute().name

    @property
    def has_people(self) -> bool:
        """Whether there are masks, mattes or annotations."""
        return has_people(self.path)

    @property
    def has_depths(self) -> bool:
        """Whether there are depth maps or pairs."""
        return has_depths(self.path)


@dataclass(frozen=True)
class PeopleData:
    """Top folders of the sets; what is None or empty is not there.

    Attributes:
        shen2016, ccp, nyu: the data sets.
        backgrounds: folders of photos that show nobody.
        cache: where decoded photos are kept.
        folders: of the user's own.
        held_out: ids of photos that are held out, ``ID`` or ``SET/ID``; a set without one has a split of its own.
    """

    shen2016: Path | None
    ccp: Path | None
    nyu: Path | None
    backgrounds: tuple[Path, ...]
    cache: Path
    folders: tuple[Folder, ...] = ()
    held_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PeopleSets:
    """The photos of all sets, in the order of their ids, listed and not yet decoded.

    Attributes:
        selfies, full_bodies: Shen and CCP, all upright.
        folders: people in any shape, by the folder's name.
        weights: of the folders, by the same names.
        rooms: NYU, whose depths are in metres.
        scenes: photos with depths of unknown unit, by the folder's name.
        backgrounds: photos of nobody, a list per folder.
        data: where all that is.
        of_one_sitting: names of sets whose photos are all near-duplicates, so that the held-out ones are so too.
    """

    selfies: list[Sample]
    full_bodies: list[Sample]
    folders: dict[str, list[Sample]]
    weights: dict[str, float]
    rooms: list[Sample]
    scenes: dict[str, list[Sample]]
    backgrounds: list[list[Sample]]
    data: PeopleData
    of_one_sitting: tuple[str, ...] = ()

    @staticmethod
    def of(data: PeopleData) -> "PeopleSets":
        """List the sets.

        Raises:
            OptionError: two folders have one name, by which their figures are told apart, or ``held_out`` names no
                photo.
            InputError: a folder has neither masks nor depths.
        """
        named = set[str]()

        def own_split(name: str, samples: list[Sample]) -> list[Sample]:
            found = held_out_by_name(name, samples, data.held_out)
            named.update(i for s in found if s.held_out for i in (s.id, f"{name}/{s.id}"))
            return found

        def listed(name: str, root: Path | None) -> list[Sample]:
            return [] if root is None else own_split(name, list_samples(name, root))

        folders, scenes = dict[str, list[Sample]](), dict[str, list[Sample]]()
        for folder in data.folders:
            if folder.name in {*folders, *scenes, "shen2016", "ccp", "nyu"}:
                raise OptionError(
                    f"--data folder=DIR: expected folders of different names, found {folder.name} twice; rename one"
                )
            if not (folder.has_people or folder.has_depths):
                raise InputError(
                    f"{folder.path}: expected {'/, '.join(LABEL_FOLDERS)}/ beside images/,"
                    f" annotations or {DIW_TRAIN}, found none; add labels of the photos' stems"
                )
            if folder.has_people:
                folders[folder.name] = own_split(folder.name, list_samples("folder", folder.path, parts=True))
            if folder.has_depths:
                scenes[folder.name] = own_split(folder.name, list_depths("folder", folder.path))
        backgrounds = [(path.absolute().name, path) for path in data.backgrounds]
        nobody = [(name, own_split(name, person_free_photos(path))) for name, path in backgrounds]
        own = [
            (name, samples)
            for name, samples in [*folders.items(), *scenes.items(), *nobody]
            if name not in listed_sets() and not any(s.held_out for s in samples)
        ]
        for (_, samples), marked in zip(own, hold_out_groups([samples for _, samples in own], data.cache), strict=True):
            samples[:] = marked
        sets = PeopleSets(
            listed("shen2016", data.shen2016),
            listed("ccp", data.ccp),
            folders,
            {folder.name: folder.weight for folder in data.folders},
            listed("nyu", data.nyu),
            scenes,
            [samples for _, samples in nobody],
            data,
            tuple(name for name, samples in own if not any(s.held_out for s in samples)),
        )
        unknown = data.held_out - named
        if unknown:
            raise OptionError(
                f"--held-out: expected ids of photos of --data, found {len(unknown)} that are not there, such as"
                f" {min(unknown)}; write ID, without an ending, or SET/ID in each line"
            )
        return sets

    def held_out_ids(self) -> list[str]:
        """``SET/ID`` of every photo that is held out, in order: what ``--held-out`` takes."""
        every = [(name, split_of(samples, Split.VALIDATION)) for name, _, samples in self._every()]
        return list(dict.fromkeys(f"{name}/{s.id}" for name, held_out in every for s in held_out))

    def digests(self) -> dict[str, dict[str, Any]]:
        """Of each set by name: photos, those held out, and the SHA-256 of their ids, photos and labels."""
        return {f"{name}{kind}": digest_of(samples) for name, kind, samples in self._every() if samples}

    def _every(self) -> list[tuple[str, str, list[Sample]]]:
        """Of each set its name, what tells it from another one of that name, and its photos."""
        whole = {"shen2016": self.selfies, "ccp": self.full_bodies, "nyu": self.rooms, **self.folders}
        parts = [(name, "", samples) for name, samples in whole.items()]
        parts += [(name, " depths", samples) for name, samples in self.scenes.items()]
        backgrounds = zip(self.data.backgrounds, self.backgrounds, strict=True)
        return parts + [(path.absolute().name, " backgrounds", samples) for path, samples in backgrounds]

    def upright(self, split: Split) -> list[Sample]:
        """Selfies, then full bodies."""
        return split_of(self.selfies, split) + split_of(self.full_bodies, split)

    def any_shape(self, split: Split) -> list[Sample]:
        """The folders' people."""
        return [sample for samples in self.folders.values() for sample in split_of(samples, split)]

    def with_depths(self, split: Split) -> list[Sample]:
        """Rooms, then the folders' scenes."""
        scenes = [sample for samples in self.scenes.values() for sample in split_of(samples, split)]
        return split_of(self.rooms, split) + scenes

    def nobody(self, split: Split) -> list[Sample]:
        """Photos without a person."""
        return [sample for samples in self.backgrounds for sample in split_of(samples, split)]

    def empty_rooms(self) -> np.ndarray:
        """Flags (n,) of the training part of :meth:`with_depths`: rooms that are known to show nobody."""
        rooms, every = split_of(self.rooms, Split.TRAIN), self.with_depths(Split.TRAIN)
        known = person_free_rooms(self.data.nyu, rooms) if self.data.nyu is not None else np.zeros(0, bool)
        return np.concatenate([known, np.zeros(len(every) - len(rooms), bool)])

    def draw_shares(self, hard: frozenset[str], left_out: frozenset[str] = frozenset()) -> np.ndarray:
        """How often each person of the training part is drawn, (n,) of sum 1: upright ones, then the folders'.

        Args:
            hard: ids that are drawn ``HARD_SHARE`` times as often.
            left_out: ids that are never drawn.

        Raises:
            OptionError: all are left out.
        """
        parts = [(1.0, self.selfies), (FULL_BODY_SHARE, self.full_bodies)]
        parts += [(FOLDER_SHARE * self.weights[name], samples) for name, samples in self.folders.items()]
        weight = np.array(
            [
                share * (0.0 if s.id in left_out else HARD_SHARE if s.id in hard else 1.0)
                for share, part in parts
                for s in split_of(part, Split.TRAIN)
            ]
        )
        if weight.size and not weight.any():
            raise OptionError(
                "--leave-out: expected some photos of people to learn from, found all left out; list fewer"
            )
        return weight / weight.sum() if weight.size else weight


def is_landscape(sample: Sample) -> bool:
    """Whether a photo is wider than high, by its label."""
    height, width = mask_size(sample.label)
    return width > height
