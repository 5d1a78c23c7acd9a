"""Training of the filters on pairs that the CRF reference rendered (paper 3.4)."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes
from portraiture.training.data.augment import Rng
from portraiture.training.models.filters.base import (
    FilterInput,
    LensFilter,
    blended_depth,
    blended_radius,
    person_depth,
    radius_of,
    scene_depth,
    selfie_share,
)
from portraiture.training.models.filters.layers import layered_depth
from portraiture.training.rendered.files import PAIR_FILE, read_maps, read_pair, read_settings, read_target
from portraiture.training.rendered.settings import PAPER_SETTING, LensSetting


class FilterBatch(NamedTuple):
    """Crops: a :class:`FilterInput`'s tensors, and the target (N, 3, c, c)."""

    rgb: Tensor
    mask: Tensor
    depth: Tensor
    radius_px: Tensor
    aperture_px: Tensor
    diagonal_px: Tensor
    person_px: Tensor
    target: Tensor


@dataclass(frozen=True)
class FilterData:
    """Pair folders to train on and to validate on."""

    train: list[Path]
    validation: list[Path]

    def digests(self) -> dict[str, dict[str, Any]]:
        """Of both parts: how many pairs, and a SHA-256 of their names and of what each says of itself."""
        return {"pairs": _digest(self.train), "held-out": _digest(self.validation)}


def _digest(pairs: list[Path]) -> dict[str, Any]:
    whole = hashlib.sha256()
    for pair in pairs:
        whole.update(pair.name.encode() + read_bytes(pair / PAIR_FILE, "a pair's description"))
    return {"photos": len(pairs), "sha256": whole.hexdigest()}


def _tensor(values: np.ndarray) -> Tensor:
    """An image (h, w, 3) or a map (h, w), 8 or 16 bit -> (channels, h, w) float in 0..1."""
    planes = values[..., None] if values.ndim == 2 else values
    scaled = planes.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return torch.from_numpy(np.ascontiguousarray(scaled)).permute(2, 0, 1)


def _scalar(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value)


@dataclass(frozen=True)
class _Photo:
    """A pair as stored, without its targets, which stay on disk.

    Attributes:
        layers: depth of each pixel's layer, (h, w) float32 in 0..1.
        selfie: share of a selfie in 0..1, see ``selfie_share``.
        person: depth of the person.
    """

    path: Path
    rgb: np.ndarray
    mask: np.ndarray
    depth: np.ndarray
    layers: np.ndarray
    settings: tuple[LensSetting, ...]
    selfie: float
    person: float
    found: dict[int, tuple[np.ndarray, Tensor]]

    @staticmethod
    def read(path: Path) -> "_Photo":
        rgb, mask, depth = read_maps(path)
        m, z = _tensor(mask)[None], _tensor(depth)[None]
        layers = layered_depth(z)[0, 0].numpy()
        selfie, person = float(selfie_share(m)), float(person_depth(m, z))
        return _Photo(path, rgb, mask, depth, layers, read_settings(path), selfie, person, {})

    def radii(self, k: int, filter_of: LensFilter) -> tuple[np.ndarray, Tensor]:
        """Radii (h, w) in pixels and the person's at a setting, remembered as float16."""
        if k not in self.found:
            setting, (m, z) = self.settings[k], (_tensor(plane)[None] for plane in (self.mask, self.depth))
            with torch.no_grad():
                radius, person_px = filter_of.radii(m, z, _scalar(setting.aperture), _scalar(setting.focus))
            self.found[k] = radius[0, 0].numpy().astype(np.float16), person_px[0]
        return self.found[k]

    def crop(self, k: int, y: int, x: int, side: int, both_sides: LensFilter | None = None) -> list[Tensor]:
        """The tensors of a :class:`FilterBatch`, without the batch axis.

        Args:
            k: number of the setting, from 0.
            y, x: row and column of the crop's corner, in pixels.
            side: length of the crop's sides, in pixels.
            both_sides: a filter that has radii of its own, negative before the focus; None: those behind the focus.
        """
        window = np.s_[y : y + side, x : x + side]
        setting = self.settings[k]
        rgb, mask, depth = (_tensor(plane[window]) for plane in (self.rgb, self.mask, self.depth))
        selfie = self.selfie if setting.focus < 0 else 0.0
        focus = self.person if setting.focus < 0 else setting.focus
        diagonal_px = math.hypot(*self.mask.shape)
        aperture_px, far = _scalar(setting.aperture * diagonal_px)[0], _scalar(float(self.layers.max()))[0]
        layers = torch.from_numpy(np.ascontiguousarray(self.layers[window]))[None]
        radius = blended_radius(selfie, radius_of(layers, aperture_px, _scalar(focus)[0], far), aperture_px)
        person_px = _scalar(0.0)[0]
        if both_sides is not None:
            own, person_px = self.radii(k, both_sides)
            radius = torch.from_numpy(own[window].astype(np.float32))[None]
        target = _tensor(read_target(self.path, k, (self.mask.shape[0], self.mask.shape[1]))[window])
        scene = blended_depth(selfie, mask, depth)
        return [rgb, mask, scene, radius, aperture_px, _scalar(diagonal_px)[0], person_px, target]


class FilterTask:
    """Batches, loss and validation of a :class:`LensFilter`.

    Args:
        data: pairs; photos and maps are held in memory as stored (1.3 MB at 512x384), targets are read when drawn.
        crop: side of the random crops in pixels, a multiple of 16.
        batch: crops per step.
        paper_share: share of the crops at the paper setting, 0..1; the others draw from all of the pair's. Chosen.
        both_sides: the filter of the lens look, whose radii are its own; None for the others.
    """

    def __init__(
        self, data: FilterData, crop: int, batch: int, paper_share: float = 0.4, both_sides: LensFilter | None = None
    ) -> None:
        self.both_sides = both_sides
        self.train = [_Photo.read(p) for p in data.train]
        self.validation = data.validation
        self.crop, self.size, self.paper_share = crop, batch, paper_share
        small = [p.path for p in self.train if min(p.mask.shape) < crop]
        if small:
            raise InputError(f"{small[0]}: expected a pair of {crop} px or more per side; render it at a larger --size")

    def _crop(self, rng: Rng) -> list[Tensor]:
        photo = self.train[int(rng.integers(len(self.train)))]
        # setting 0 is the paper's
        k = 0 if rng.random() < self.paper_share else int(rng.integers(len(photo.settings)))
        h, w = photo.mask.shape
        y, x = int(rng.integers(h - self.crop + 1)), int(rng.integers(w - self.crop + 1))
        parts = photo.crop(k, y, x, self.crop, self.both_sides)
        return [p.flip(2) for p in parts] if rng.random() < 0.5 else parts

    def batch(self, step: int, rng: Rng) -> FilterBatch:
        """Random crops of random photos at random settings."""
        crops = [self._crop(rng) for _ in range(self.size)]
        return FilterBatch(*(torch.stack(parts) for parts in zip(*crops, strict=True)))

    def loss(self, model: nn.Module, batch: FilterBatch) -> tuple[Tensor, dict[str, float]]:
        """The filter's own loss, and the PSNR of the batch in dB."""
        assert isinstance(model, LensFilter)
        loss, mse = model.loss(FilterInput(*batch[:7]), batch.target)
        return loss, {"psnr_db": -10 * math.log10(float(mse.detach().mean()) + 1e-12)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean PSNR in dB on the held-out pairs, whole pictures: at the paper setting and at the others."""
        assert isinstance(model, LensFilter)
        found: dict[str, list[float]] = {"psnr_db_paper": [], "psnr_db_others": []}
        for path in self.validation:
            pair = read_pair(path)
            maps = (pair.rgb / 255.0, pair.mask / 255.0, pair.depth / 65535.0)
            for setting, target in zip(pair.settings, pair.targets, strict=True):
                out = filtered(model, *maps, setting)
                mse = float(np.square(out - target / 65535.0).mean())
                key = "psnr_db_paper" if setting == PAPER_SETTING else "psnr_db_others"
                found[key].append(-10 * math.log10(mse + 1e-12))
        return {k: float(np.mean(v)) for k, v in found.items() if v}


def filtered(
    model: LensFilter, rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, setting: LensSetting
) -> np.ndarray:
    """A filter's picture at any size.

    A size that is no multiple of the filter's stride is padded below and on the right with person, so that as in the
    reference nothing outside the photo enters a blur; radii are those of the photo's own size.

    Args:
        model: in evaluation mode.
        rgb: (h, w, 3) in 0..1.
        mask, depth: (h, w) in 0..1.
        setting: aperture and focus.

    Returns:
        (h, w, 3) float64 in 0..1.
    """
    height, width = mask.shape

    def planes(values: np.ndarray) -> Tensor:
        image = values[..., None] if values.ndim == 2 else values
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32))[None]

    x, m = planes(rgb), planes(mask)
    focus, diagonal_px = _scalar(setting.focus), _scalar(math.hypot(height, width))
    radius, person_px = model.radii(m, planes(depth), _scalar(setting.aperture), focus)
    z = scene_depth(m, planes(depth), focus)
    pad = (0, -width % model.stride, 0, -height % model.stride)
    x, z, radius = (F.pad(plane, pad, mode="replicate") for plane in (x, z, radius))
    aperture_px = setting.aperture * diagonal_px
    inputs = FilterInput(x, F.pad(m, pad, value=1.0), z, radius, aperture_px, diagonal_px, person_px)
    with torch.no_grad():
        out = model.render(inputs)[0, :, :height, :width]
    return out.permute(1, 2, 0).double().numpy()
