"""The held-out photos at the network's size, and the figures on them while a network is trained."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from portraiture.reference.arrays import person_pixels
from portraiture.reference.metrics import iou, share_found
from portraiture.training.data.cache import (
    cached,
    photo_only,
    photo_with_depth,
    photo_with_mask,
    photo_with_relative_depth,
)
from portraiture.training.data.datasets import Split, split_of
from portraiture.training.data.depth_order import draw_point_pairs
from portraiture.training.tasks.people_sets import PeopleSets, Stage, is_landscape

PAIRS_PER_PHOTO = 3000
"""Pairs of points drawn per room; chosen, not measured."""

PredictNamed = Callable[[Tensor], dict[str, Tensor]]
"""From rgb (1, 3, H, W) in 0..1 to maps (1, 1, H, W) in 0..1 by name."""

Figure = tuple[str, float]

WORST = 12
"""Photos that are kept of a validation, those of the lowest IoU; chosen, not measured."""


@dataclass(frozen=True)
class Judged:
    """A person's photo as it was judged.

    Attributes:
        name: set and id.
        iou: of the finest mask.
        pair: (H, W, 4) uint8, photo and true mask.
        mask: (H, W) in 0..1.
    """

    name: str
    iou: float
    pair: np.ndarray
    mask: np.ndarray


class HeldOut:
    """Photos of the validation parts; people keep the shape they have, upright or landscape.

    Args:
        sets: all photos.
        stage: its sizes.
        cache: where decoded photos are kept.
        judge_every: of people and rooms, judge the first photo and every ``judge_every``-th after it.

    Attributes:
        worst: the people's photos of the lowest IoU at the last validation, the lowest first.
    """

    def __init__(self, sets: PeopleSets, stage: Stage, cache: Path, judge_every: int) -> None:
        self.judge_every = judge_every
        long_px, short_px = stage.long_px, stage.short_px
        self.people: dict[str, list[np.ndarray]] = {}
        self.ids: dict[str, list[str]] = {}
        self.worst: list[Judged] = []
        self.parts = frozenset(name for name, samples in sets.folders.items() if any(s.partial for s in samples))
        people = {"shen2016": sets.selfies, "ccp": sets.full_bodies, **sets.folders}
        for name, samples in people.items():
            held_out = [(sample, is_landscape(sample)) for sample in split_of(samples, Split.VALIDATION)]
            upright, wide = ([s for s, is_wide in held_out if is_wide == shape] for shape in (False, True))
            if held_out:
                self.people[name], self.ids[name] = [], [sample.id for sample in (*upright, *wide)]
            if upright:
                self.people[name] += list(cached(upright, photo_with_mask, long_px, short_px, cache))
            if wide:
                self.people[name] += list(cached(wide, photo_with_mask, short_px, long_px, cache))
        self.rooms: dict[str, list[np.ndarray]] = {}
        with_depths = {"nyu": (sets.rooms, photo_with_depth)}
        with_depths |= {name: (samples, photo_with_relative_depth) for name, samples in sets.scenes.items()}
        for name, (samples, decode) in with_depths.items():
            if rooms := split_of(samples, Split.VALIDATION):
                self.rooms[name] = list(cached(rooms, decode, short_px, long_px, cache))
        nobody = sets.nobody(Split.VALIDATION)
        self.nobody = list(cached(nobody, photo_only, long_px, short_px, cache)) if nobody else []

    def figures(self, predict: PredictNamed) -> dict[str, float]:
        """Means over the photos, by name.

        ``iou_SET`` on people, ``found_SET`` (share of the label that the mask has) on parts of them,
        ``false_area_bsds`` on photos of nobody, ``whdr_SET`` on rooms and scenes; each with what
        follows ``mask`` or ``depth`` in the map's name, such as ``_coarse``.

        Args:
            predict: names that begin with ``mask`` are judged on people, names that begin with ``depth`` on rooms.
        """
        found: dict[str, list[float]] = {}
        for judged in (self._people(predict), self._nobody(predict), self._rooms(predict)):
            for name, value in judged:
                found.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _people(self, predict: PredictNamed) -> Iterator[Figure]:
        self.worst = []
        for name, pairs in self.people.items():
            named = zip(self.ids[name], pairs, strict=True)
            for sample_id, pair in list(named)[:: self.judge_every]:
                truth = person_pixels(pair[..., 3] / 255)
                for ending, mask in _maps("mask", predict, pair):
                    if name in self.parts:
                        yield f"found_{name}{ending}", share_found(person_pixels(mask), truth)
                        continue
                    figure = iou(person_pixels(mask), truth)
                    if not ending:
                        self.worst.append(Judged(f"{name} {sample_id}", figure, pair, mask))
                        self.worst = sorted(self.worst, key=lambda judged: judged.iou)[:WORST]
                    yield f"iou_{name}{ending}", figure

    def _nobody(self, predict: PredictNamed) -> Iterator[Figure]:
        for photo in self.nobody:
            for ending, mask in _maps("mask", predict, photo):
                yield f"false_area_bsds{ending}", float(person_pixels(mask).mean())

    def _rooms(self, predict: PredictNamed) -> Iterator[Figure]:
        rng = np.random.default_rng(1)
        for name, pairs in self.rooms.items():
            for pair in pairs[:: self.judge_every]:
                points = draw_point_pairs(pair[..., 3], PAIRS_PER_PHOTO, rng)
                for ending, depth in _maps("depth", predict, pair):
                    z = depth.ravel()
                    wrong = np.sign(z[points.a] - z[points.b]) != points.relation
                    if wrong.size:
                        yield f"whdr_{name}{ending}", float(wrong.mean())


def _maps(kind: str, predict: PredictNamed, photo: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The maps (H, W) of one kind, by the rest of their names; the first three channels of the photo are RGB."""
    rgb = torch.from_numpy(photo[None, ..., :3].astype(np.float32) / 255).permute(0, 3, 1, 2)
    for name, value in predict(rgb.contiguous(memory_format=torch.channels_last)).items():
        if name.startswith(kind):
            yield name.removeprefix(kind), value[0, 0].numpy()
