"""Batches of people with masks (Shen, CCP, folders) and rooms with depth (NYU, folders), and held-out figures."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from portraiture.reference.errors import OptionError
from portraiture.training.data.augment import Rng
from portraiture.training.data.datasets import Split, split_of
from portraiture.training.tasks.held_out import HeldOut, PredictNamed
from portraiture.training.tasks.people_sets import PeopleData, PeopleSets, Stage, is_landscape
from portraiture.training.tasks.stage_photos import StagePhotos


class PeopleBatch(NamedTuple):
    """What one step is trained on.

    Attributes:
        people: photos (N, 3, H, W) in 0..1.
        masks: (N, 1, H, W) in 0..1.
        known: (N, 1, H, W), 1 where the mask is known, 0 around a part of the person that alone is labelled.
        selfie: flags (N,) of selfies.
        one_body: flags (N,) of photos that show one body alone, which has one depth.
        as_taken: (N, 1, H, W), 1 inside photos in which people stand where the camera saw them, 0 elsewhere.
        rooms: photos (M, 3, h, w) in 0..1.
        levels: depth levels of the rooms (M, 1, h, w), 0 unknown.
        room_masks: (M, 1, h, w) in 0..1, people put into the rooms.
        empty: flags (M,) of rooms that are known to show nobody else.
        metric: flags (M,) of rooms whose levels are of NYU's unit; of others their order alone is known.
    """

    people: Tensor
    masks: Tensor
    known: Tensor
    selfie: Tensor
    one_body: Tensor
    as_taken: Tensor
    rooms: Tensor
    levels: Tensor
    room_masks: Tensor
    empty: Tensor
    metric: Tensor


class PeopleAndRooms:
    """Random training batches and fixed held-out photos.

    Args:
        data: where the sets are.
        stages: in order of ``until``; the last one's ``until`` is the number of steps.
        judge_every: of the held-out photos, judge the first and every ``judge_every``-th after it.
        hard: ids of photos that are drawn ``HARD_SHARE`` times as often.
        left_out: ids of people's photos that are never drawn.
    """

    def __init__(
        self,
        data: PeopleData,
        stages: tuple[Stage, ...],
        judge_every: int = 1,
        hard: frozenset[str] = frozenset(),
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.stages = stages
        self.sets = sets = PeopleSets.of(data)
        upright, any_shape = sets.upright(Split.TRAIN), sets.any_shape(Split.TRAIN)
        self.n_selfies = len(split_of(sets.selfies, Split.TRAIN))
        self.people_share = sets.draw_shares(hard, left_out)
        self.landscape = np.array([False] * len(upright) + [is_landscape(sample) for sample in any_shape], bool)
        self.landscape_share = float(self.people_share[self.landscape].sum())
        self.empty_rooms = sets.empty_rooms()
        self.n_metric = len(split_of(sets.rooms, Split.TRAIN))
        if not (self.has_people or self.has_depths):
            raise OptionError(
                "--data: expected people with masks or rooms with depth, found none;"
                " add one of shen2016, ccp, nyu and folder"
            )
        self.photos = {stage: StagePhotos(sets, stage, data.cache) for stage in stages}
        self.held_out = HeldOut(sets, stages[-1], data.cache, judge_every)

    @property
    def has_people(self) -> bool:
        """Whether there are people with masks."""
        return bool(self.people_share.size)

    @property
    def has_depths(self) -> bool:
        """Whether there are rooms or scenes with depth."""
        return bool(self.empty_rooms.size)

    def batch(self, step: int, rng: Rng) -> PeopleBatch:
        """Random people (full bodies, folders' and hard photos more often) and rooms.

        The people of a batch have one shape: upright, or landscape as often as landscape photos are drawn.
        """
        stage = next(s for s in self.stages if step < s.until)
        photos, target, share = self.photos[stage], (stage.long_px, stage.short_px), self.people_share
        if self.landscape.any():
            wide = rng.random() < self.landscape_share
            target = target[::-1] if wide else target
            share = np.where(self.landscape == wide, share, 0.0)
            share = share / share.sum()
        indices = rng.choice(len(share), stage.people, p=share) if self.has_people else np.zeros(0, int)
        people = [photos.person(rng, int(i), target) for i in indices]
        room_indices = rng.integers(len(self.empty_rooms), size=stage.rooms) if self.has_depths else np.zeros(0, int)
        rooms = [photos.room(rng, int(i)) for i in room_indices]
        return PeopleBatch(
            _tensor([view.rgb for view in people], (*target, 3)),
            _tensor([view.mask for view in people], (*target, 1)),
            _tensor([view.known for view in people], (*target, 1)),
            torch.from_numpy(indices < self.n_selfies),
            torch.tensor([view.one_body for view in people], dtype=torch.bool),
            _tensor([view.as_taken for view in people], (*target, 1)),
            _tensor([room.rgb for room in rooms], (*stage.rooms_size, 3)),
            _tensor([room.level for room in rooms], (*stage.rooms_size, 1)),
            _tensor([room.mask for room in rooms], (*stage.rooms_size, 1)),
            torch.from_numpy(self.empty_rooms[room_indices]),
            torch.from_numpy(room_indices < self.n_metric),
        )

    def mean_mask(self) -> Tensor:
        """Mean mask of every eighth upright photo (1, 1, H, W) in 0..1; of a folder's where there is no other."""
        first = self.photos[self.stages[0]]
        masks = [pair[..., 3] for pair in first.people[: first.n_upright or None : 8]]
        return torch.from_numpy(np.mean(masks, 0, dtype=np.float32) / 255)[None, None]

    def figures(self, predict: PredictNamed) -> dict[str, float]:
        """Figures on the held-out photos, see :meth:`HeldOut.figures`."""
        return self.held_out.figures(predict)


def _tensor(images: list[np.ndarray], empty: tuple[int, int, int]) -> Tensor:
    """Images (H, W, C) -> (N, C, H, W); ``empty`` is the shape of an image where there may be none."""
    array = np.stack(images) if images else np.zeros((0, *empty), np.float32)
    return torch.from_numpy(array).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
