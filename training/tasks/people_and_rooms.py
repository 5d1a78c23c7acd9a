"""Batches of people with masks (Shen, CCP, folders) and rooms with depth (NYU), and the figures on those held out."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from portraiture.reference.errors import OptionError
from portraiture.reference.metrics import iou
from portraiture.training.data.augment import composite, jitter_colour, random_affine, warp
from portraiture.training.data.cache import cached, photo_only, photo_with_depth, photo_with_mask
from portraiture.training.data.datasets import Split, list_samples, split_of
from portraiture.training.data.depth_order import sample_pairs
from portraiture.training.data.negatives import person_free_photos, person_free_rooms
from portraiture.training.tasks.people_sets import PeopleBatch, PeopleData, Stage, draw_shares, is_landscape

Rng = np.random.Generator

PAIRS_PER_PHOTO = 3000

COMPOSITE_SHARE = 0.2
"""Share of people who are put before another background; chosen, not measured."""

CROWD_SHARE = 0.3
"""With folders: share of photos onto which one or two more people are pasted; chosen, not measured."""

CROWD_SCALES = (0.3, 1.1)
"""Size of a pasted person against the person's own photo."""

NOBODY_SHARE = 0.06


Predict = Callable[[Tensor], dict[str, Tensor]]


def _tensor(images: list[np.ndarray], empty: tuple[int, int, int] = (0, 0, 0)) -> Tensor:
    """Images (H, W, C) -> (N, C, H, W); ``empty`` is the shape of an image where there may be none."""
    array = np.stack(images) if images else np.zeros((0, *empty), np.float32)
    return torch.from_numpy(array).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


class PeopleAndRooms:
    """Random training batches and fixed held-out photos.

    Args:
        data: where the sets are.
        stages: in order of ``until``; the last one's ``until`` is the number of steps.
        judge_every: take every so many held-out photos for the figures.
        hard: ids of photos that are drawn ``HARD_SHARE`` times as often.
    """

    def __init__(
        self, data: PeopleData, stages: tuple[Stage, ...], judge_every: int = 1, hard: frozenset[str] = frozenset()
    ) -> None:
        self.stages, self.judge_every = stages, judge_every
        selfies = list_samples("shen2016", data.shen2016)
        full_body = list_samples("ccp", data.ccp)
        wild = {folder.name: list_samples("folder", folder) for folder in data.folders}
        if len(wild) < len(data.folders):
            raise OptionError("--data folder=DIR: expected folders of different names, found one twice; rename one")
        rooms = list_samples("nyu", data.nyu)
        self.n_selfies = len(split_of(selfies, Split.TRAIN))
        upright = split_of(selfies, Split.TRAIN) + split_of(full_body, Split.TRAIN)
        any_shape = [sample for samples in wild.values() for sample in split_of(samples, Split.TRAIN)]
        self.n_upright = len(upright)
        self.people_share = draw_shares(upright + any_shape, self.n_selfies, self.n_upright, hard)
        self.landscape = np.array([False] * len(upright) + [is_landscape(sample) for sample in any_shape])
        self.landscape_share = float(self.people_share[self.landscape].sum())
        nobody = [person_free_photos(folder) for folder in data.backgrounds]
        self.empty_rooms = person_free_rooms(data.nyu, split_of(rooms, Split.TRAIN))
        self.people: dict[int, list[np.ndarray]] = {}
        self.rooms, self.backgrounds = {}, {}
        for stage in stages:
            # an eighth more than the network's size, so that augmentation can zoom without blur
            long_px, short_px = stage.long_px * 9 // 8, stage.short_px * 9 // 8
            self.people[stage.long_px] = list(cached(upright, photo_with_mask, long_px, short_px, data.cache))
            if any_shape:
                self.people[stage.long_px] += list(cached(any_shape, photo_with_mask, long_px, long_px, data.cache))
            height, width = (n * 9 // 8 for n in stage.rooms_size)
            self.rooms[stage.rooms_size] = cached(
                split_of(rooms, Split.TRAIN), photo_with_depth, height, width, data.cache
            )
            photos = [sample for samples in nobody for sample in split_of(samples, Split.TRAIN)]
            if photos:
                self.backgrounds[stage.long_px] = cached(photos, photo_only, long_px, short_px, data.cache)
        last = stages[-1]
        self.held_out: dict[str, list[np.ndarray]] = {}
        for name, samples in {"shen2016": selfies, "ccp": full_body, **wild}.items():
            for sides in ((last.long_px, last.short_px), (last.short_px, last.long_px)):
                shaped = [s for s in split_of(samples, Split.VALIDATION) if is_landscape(s) == (sides[0] < sides[1])]
                if shaped:
                    self.held_out.setdefault(name, []).extend(cached(shaped, photo_with_mask, *sides, data.cache))
        self.held_out_rooms = cached(
            split_of(rooms, Split.VALIDATION), photo_with_depth, last.short_px, last.long_px, data.cache
        )
        self.held_out_nobody: list[np.ndarray] = []
        photos = [sample for samples in nobody for sample in split_of(samples, Split.VALIDATION)]
        if photos:
            self.held_out_nobody = list(cached(photos, photo_only, last.long_px, last.short_px, data.cache))

    def _stage(self, step: int) -> Stage:
        return next(s for s in self.stages if step < s.until)

    def _background(self, rng: Rng, stage: Stage, target: tuple[int, int]) -> np.ndarray:
        """A random crop of a photo without a person, float32 (H, W, 3) of the target (H, W)."""
        photos = self.backgrounds[stage.long_px]
        photo = photos[rng.integers(len(photos))]
        crop = warp(photo, random_affine(rng, photo.shape[:2], target), target, False,
                    flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
        return crop.astype(np.float32) / 255

    def _pasted(self, rng: Rng, stage: Stage, rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One or two more people, in any place and smaller, laid over a photo (H, W, 3) and its mask (H, W)."""
        target = (rgb.shape[0], rgb.shape[1])
        for _ in range(rng.integers(1, 3)):
            pair = self.people[stage.long_px][rng.integers(len(self.people_share))]
            matrix = random_affine(rng, pair.shape[:2], target, scales=CROWD_SCALES, spread=0.25)
            out = warp(pair, matrix, target, rng.random() < 0.5, flags=cv2.INTER_LINEAR)
            person = out[..., 3].astype(np.float32) / 255
            rgb = composite(rng, out[..., :3].astype(np.float32) / 255, person, rgb)
            mask = np.maximum(mask, person)
        return rgb, mask

    def _person(
        self, rng: Rng, stage: Stage, index: int, target: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Photo (H, W, 3), mask (H, W, 1), and whether it shows one body alone."""
        has_backgrounds = stage.long_px in self.backgrounds
        if has_backgrounds and rng.random() < NOBODY_SHARE:
            return jitter_colour(rng, self._background(rng, stage, target)), np.zeros((*target, 1), np.float32), False
        pair = self.people[stage.long_px][index]
        if index < self.n_upright and rng.random() < 0.12:
            # landscape content, so that the network has seen wide photos squeezed
            pair = np.asarray(cv2.resize(pair, (pair.shape[1] * 4 // 7, pair.shape[0])))
            pair = cv2.copyMakeBorder(pair, 0, 0, pair.shape[1] // 3, pair.shape[1] // 3, cv2.BORDER_REFLECT_101)
        matrix = random_affine(rng, pair.shape[:2], target)
        border = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_CONSTANT
        out = warp(pair, matrix, target, rng.random() < 0.5, flags=cv2.INTER_LINEAR, borderMode=border)
        rgb, mask = out[..., :3].astype(np.float32) / 255, out[..., 3].astype(np.float32) / 255
        if has_backgrounds and rng.random() < COMPOSITE_SHARE:
            rgb = composite(rng, rgb, mask, self._background(rng, stage, target))
        one_body = index < self.n_upright
        if len(self.people_share) > self.n_upright and rng.random() < CROWD_SHARE:
            rgb, mask = self._pasted(rng, stage, rgb, mask)
            one_body = False
        return jitter_colour(rng, rgb), mask[..., None], one_body

    def _room(self, rng: Rng, stage: Stage, index: int) -> tuple[np.ndarray, np.ndarray]:
        pair, target = self.rooms[stage.rooms_size][index], stage.rooms_size
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
        """Random people (full bodies, folders' and hard photos more often) and rooms.

        The people of a batch have one shape: upright, or landscape as often as landscape photos are drawn.
        """
        stage = self._stage(step)
        target, share = (stage.long_px, stage.short_px), self.people_share
        if self.landscape.any():
            wide = rng.random() < self.landscape_share
            target = target[::-1] if wide else target
            share = np.where(self.landscape == wide, share, 0.0)
            share = share / share.sum()
        indices = rng.choice(len(share), stage.people, p=share)
        people = [self._person(rng, stage, int(i), target) for i in indices]
        room_indices = rng.integers(len(self.empty_rooms), size=stage.rooms)
        rooms = [self._room(rng, stage, int(i)) for i in room_indices]
        return PeopleBatch(
            _tensor([p[0] for p in people]),
            _tensor([p[1] for p in people]),
            torch.from_numpy(indices < self.n_selfies),
            torch.tensor([p[2] for p in people]),
            _tensor([r[0] for r in rooms], (*stage.rooms_size, 3)),
            _tensor([r[1] for r in rooms], (*stage.rooms_size, 1)),
            torch.from_numpy(self.empty_rooms[room_indices]),
        )

    def mean_mask(self) -> Tensor:
        """Mean mask of the training people (1, 1, H, W) in 0..1 at the first stage's size."""
        first = self.people[self.stages[0].long_px][: self.n_upright]
        mean = np.mean([pair[..., 3] for pair in first[::8]], 0, dtype=np.float32) / 255
        return torch.from_numpy(mean)[None, None]

    def figures(self, predict: Predict) -> dict[str, float]:
        """Mean IoU of the held-out photos, WHDR of the rooms and area found where nobody is, at the network's size.

        Args:
            predict: from rgb (1, 3, H, W) to maps by name; names that begin with ``mask`` are judged on people,
                names that begin with ``depth`` on rooms.
        """
        found: dict[str, list[float]] = {}
        for name, pairs in self.held_out.items():
            for pair in pairs[:: self.judge_every]:
                truth = pair[..., 3] > 127
                for key, value in predict(_tensor([pair[..., :3].astype(np.float32) / 255])).items():
                    if key.startswith("mask"):
                        found.setdefault(f"iou_{name}{key[4:]}", []).append(iou(value[0, 0].numpy() > 0.5, truth))
        for photo in self.held_out_nobody:
            for key, value in predict(_tensor([photo.astype(np.float32) / 255])).items():
                if key.startswith("mask"):
                    found.setdefault(f"false_area_bsds{key[4:]}", []).append(float((value > 0.5).float().mean()))
        rng = np.random.default_rng(1)
        for pair in self.held_out_rooms[:: self.judge_every]:
            pairs_of = sample_pairs(pair[..., 3], PAIRS_PER_PHOTO, rng)
            for key, value in predict(_tensor([pair[..., :3].astype(np.float32) / 255])).items():
                if key.startswith("depth"):
                    z = value[0, 0].numpy().ravel()
                    wrong = np.sign(z[pairs_of.a] - z[pairs_of.b]) != pairs_of.relation
                    found.setdefault(f"whdr_nyu{key[5:]}", []).append(float(wrong.mean()))
        return {k: float(np.mean(v)) for k, v in found.items()}
