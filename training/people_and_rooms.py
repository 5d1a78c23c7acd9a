"""Batches of people with masks (Shen, CCP) and rooms with depth (NYU), and the figures on those held out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from portraiture.reference.metrics import iou
from portraiture.training.data.augment import composite, jitter_colour, random_affine, warp
from portraiture.training.data.cache import cached, depth_pair, mask_pair, photo_only
from portraiture.training.data.ordinal import sample_pairs
from portraiture.training.data.pairs import Sample, Split, list_samples, split_of

Rng = np.random.Generator
PAIRS_PER_PHOTO = 3000


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one size (long side, short side) and batch."""

    until: int
    long_px: int
    short_px: int
    people: int
    rooms: int


@dataclass(frozen=True)
class PeopleData:
    """Top folders of the sets; a set that is None is left out."""

    shen2016: Path
    ccp: Path
    nyu: Path
    backgrounds: Path | None
    cache: Path


class PeopleBatch(NamedTuple):
    """People (N, 3, H, W), masks (N, 1, H, W), selfie flags (N,); rooms (M, 3, W, H) with depth levels (M, 1, W, H)."""

    people: Tensor
    masks: Tensor
    selfie: Tensor
    rooms: Tensor
    levels: Tensor


Predict = Callable[[Tensor], dict[str, Tensor]]


def _tensor(images: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


class PeopleAndRooms:
    """Random training batches and fixed held-out photos.

    Args:
        data: where the sets are.
        stages: in order of ``until``; the last one's ``until`` is the number of steps.
    """

    def __init__(self, data: PeopleData, stages: tuple[Stage, ...]) -> None:
        self.stages = stages
        selfies = list_samples("shen2016", data.shen2016)
        full_body = list_samples("ccp", data.ccp)
        rooms = list_samples("nyu", data.nyu)
        self.n_selfies = len(split_of(selfies, Split.TRAIN))
        people = split_of(selfies, Split.TRAIN) + split_of(full_body, Split.TRAIN)
        held_out = {
            "shen2016": split_of(selfies, Split.VALIDATION),
            "ccp": split_of(full_body, Split.VALIDATION),
        }
        backgrounds = _backgrounds(data.backgrounds) if data.backgrounds else []
        self.people, self.rooms, self.backgrounds = {}, {}, {}
        for stage in stages:
            # an eighth more than the network's size, so that augmentation can zoom without blur
            long_px, short_px = stage.long_px * 9 // 8, stage.short_px * 9 // 8
            self.people[stage.long_px] = cached(people, mask_pair, long_px, short_px, data.cache)
            self.rooms[stage.long_px] = cached(split_of(rooms, Split.TRAIN), depth_pair, short_px, long_px, data.cache)
            if backgrounds:
                self.backgrounds[stage.long_px] = cached(backgrounds, photo_only, long_px, short_px, data.cache)
        last = stages[-1]
        self.held_out = {k: cached(v, mask_pair, last.long_px, last.short_px, data.cache) for k, v in held_out.items()}
        self.held_out_rooms = cached(
            split_of(rooms, Split.VALIDATION), depth_pair, last.short_px, last.long_px, data.cache
        )

    def _stage(self, step: int) -> Stage:
        return next(s for s in self.stages if step < s.until)

    def _person(self, rng: Rng, stage: Stage, index: int) -> tuple[np.ndarray, np.ndarray]:
        pair = self.people[stage.long_px][index]
        target = (stage.long_px, stage.short_px)
        if rng.random() < 0.2:  # landscape content, so that the network has seen wide photos squeezed
            pair = np.asarray(cv2.resize(pair, (pair.shape[1] * 4 // 7, pair.shape[0])))
            pair = cv2.copyMakeBorder(pair, 0, 0, pair.shape[1] // 3, pair.shape[1] // 3, cv2.BORDER_REFLECT_101)
        matrix = random_affine(rng, pair.shape[:2], target)
        border = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_CONSTANT
        out = warp(pair, matrix, target, rng.random() < 0.5, flags=cv2.INTER_LINEAR, borderMode=border)
        rgb, mask = out[..., :3].astype(np.float32) / 255, out[..., 3].astype(np.float32) / 255
        if stage.long_px in self.backgrounds and rng.random() < 0.15:
            photos = self.backgrounds[stage.long_px]
            background = photos[rng.integers(len(photos))]
            crop = warp(background, random_affine(rng, background.shape[:2], target), target, False,
                        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
            rgb = composite(rng, rgb, mask, crop.astype(np.float32) / 255)
        return jitter_colour(rng, rgb), mask[..., None]

    def _room(self, rng: Rng, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
        rooms = self.rooms[stage.long_px]
        pair = rooms[rng.integers(len(rooms))]
        target = (stage.short_px, stage.long_px)
        scale = rng.uniform(0.6, 1.0)
        h, w = (int(n * scale) for n in pair.shape[:2])
        y, x = rng.integers(0, pair.shape[0] - h + 1), rng.integers(0, pair.shape[1] - w + 1)
        crop = pair[y : y + h, x : x + w]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        crop = np.ascontiguousarray(crop)
        rgb = cv2.resize(np.ascontiguousarray(crop[..., :3]), target[::-1], interpolation=cv2.INTER_AREA)
        level = cv2.resize(np.ascontiguousarray(crop[..., 3]), target[::-1], interpolation=cv2.INTER_NEAREST)
        return jitter_colour(rng, rgb.astype(np.float32) / 255), level.astype(np.float32)[..., None]

    def batch(self, step: int, rng: Rng) -> PeopleBatch:
        """Random people (full bodies drawn 1.6 times as often) and rooms."""
        stage = self._stage(step)
        n = len(self.people[stage.long_px])
        weight = np.where(np.arange(n) < self.n_selfies, 1.0, 1.6)
        indices = rng.choice(n, stage.people, p=weight / weight.sum())
        people = [self._person(rng, stage, int(i)) for i in indices]
        rooms = [self._room(rng, stage) for _ in range(stage.rooms)]
        return PeopleBatch(
            _tensor([p[0] for p in people]),
            _tensor([p[1] for p in people]),
            torch.from_numpy(indices < self.n_selfies),
            _tensor([r[0] for r in rooms]),
            _tensor([r[1] for r in rooms]),
        )

    def figures(self, predict: Predict) -> dict[str, float]:
        """Mean IoU of the held-out photos and WHDR of the held-out rooms, at the network's size.

        Args:
            predict: from rgb (1, 3, H, W) to maps by name; names that begin with ``mask`` are judged on people,
                names that begin with ``depth`` on rooms.
        """
        found: dict[str, list[float]] = {}
        for name, pairs in self.held_out.items():
            for pair in pairs:
                truth = pair[..., 3] > 127
                for key, value in predict(_tensor([pair[..., :3].astype(np.float32) / 255])).items():
                    if key.startswith("mask"):
                        found.setdefault(f"iou_{name}{key[4:]}", []).append(iou(value[0, 0].numpy() > 0.5, truth))
        rng = np.random.default_rng(1)
        for pair in self.held_out_rooms:
            pairs_of = sample_pairs(pair[..., 3], PAIRS_PER_PHOTO, rng)
            for key, value in predict(_tensor([pair[..., :3].astype(np.float32) / 255])).items():
                if key.startswith("depth"):
                    z = value[0, 0].numpy().ravel()
                    wrong = np.sign(z[pairs_of.a] - z[pairs_of.b]) != pairs_of.relation
                    found.setdefault(f"whdr_nyu{key[5:]}", []).append(float(wrong.mean()))
        return {k: float(np.mean(v)) for k, v in found.items()}


def _backgrounds(folder: Path) -> list[Sample]:
    return [Sample(p.stem, p, p) for p in sorted(folder.glob("*.jpg"))]
