"""Training of the RNN filter on pairs that the CRF reference rendered (paper 3.4)."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from portraiture.training.data.rendered import RenderedPair, read_pair
from portraiture.training.models.lens import FOCUS_ON_PERSON, blur_radius_px
from portraiture.training.models.rnn_filter import RnnFilter

Rng = np.random.Generator


class FilterBatch(NamedTuple):
    """Crops: rgb and target (N, 3, c, c), mask, depth and radius in pixels (N, 1, c, c)."""

    rgb: Tensor
    mask: Tensor
    depth: Tensor
    radius_px: Tensor
    target: Tensor


@dataclass(frozen=True)
class FilterData:
    """Pair files to train on and to validate on."""

    train: list[Path]
    validation: list[Path]


def _picture(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)


def _map(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values)[None]


def _scalar(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value)


def _radius(pair: RenderedPair, aperture: float) -> Tensor:
    """(1, h, w)"""
    mask, depth = _map(pair.mask)[None], _map(pair.depth)[None]
    return blur_radius_px(mask, depth, _scalar(aperture), _scalar(FOCUS_ON_PERSON))[0]


class FilterTask:
    """Batches, loss and validation of :class:`RnnFilter`.

    Args:
        crop: side of the random crops, a multiple of 16.
        batch: crops a step.
    """

    def __init__(self, data: FilterData, crop: int, batch: int) -> None:
        self.train = [read_pair(p) for p in data.train]
        self.validation = [read_pair(p) for p in data.validation]
        self.radii = [[_radius(p, float(a)) for a in p.apertures] for p in self.train]
        self.crop, self.size = crop, batch

    def _crop(self, rng: Rng) -> FilterBatch:
        i = int(rng.integers(len(self.train)))
        pair = self.train[i]
        # the paper setting as often as the others together
        k = 0 if rng.random() < 0.5 else int(rng.integers(1, len(pair.apertures)))
        h, w = pair.mask.shape
        y, x = int(rng.integers(h - self.crop + 1)), int(rng.integers(w - self.crop + 1))
        window = np.s_[y : y + self.crop, x : x + self.crop]
        parts = [
            _picture(pair.rgb[window]),
            _map(pair.mask[window]),
            _map(pair.depth[window]),
            self.radii[i][k][:, window[0], window[1]],
            _picture(pair.targets[k][window]),
        ]
        if rng.random() < 0.5:
            parts = [p.flip(2) for p in parts]
        return FilterBatch(*parts)

    def batch(self, step: int, rng: Rng) -> FilterBatch:
        """Random crops of random photos at random apertures."""
        crops = [self._crop(rng) for _ in range(self.size)]
        return FilterBatch(*(torch.stack(parts) for parts in zip(*crops, strict=True)))

    def loss(self, model: nn.Module, batch: FilterBatch) -> tuple[Tensor, dict[str, float]]:
        """Root mean squared error (PSNR is its logarithm) plus mean absolute error."""
        assert isinstance(model, RnnFilter)
        out = model.blur(batch.rgb, batch.mask, batch.depth, batch.radius_px)
        error = out - batch.target
        mse = error.square().mean((1, 2, 3))
        loss = torch.sqrt(mse + 1e-6).mean() + 0.5 * error.abs().mean()
        return loss, {"psnr_db": -10 * math.log10(float(mse.detach().mean()) + 1e-12)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean PSNR on the held-out pairs at every aperture, whole pictures."""
        found: dict[str, list[float]] = {}
        for pair in self.validation:
            for aperture, target in zip(pair.apertures, pair.targets, strict=True):
                out = model(
                    _picture(pair.rgb)[None],
                    _map(pair.mask)[None],
                    _map(pair.depth)[None],
                    _scalar(float(aperture)),
                    _scalar(FOCUS_ON_PERSON),
                )
                mse = float((out[0] - _picture(target)).square().mean())
                found.setdefault(f"psnr_db_{aperture:.3f}", []).append(-10 * math.log10(mse + 1e-12))
        return {k: float(np.mean(v)) for k, v in found.items()}
