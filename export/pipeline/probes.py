"""Inputs that every file is judged on beside photos: what a pipeline meets at the ends of the contract's ranges.

They are made here, so that no data set is needed, and at a model's own size, so that nothing is resized.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from portraiture.export.contract import Size
from portraiture.export.pipeline.settings import SETTINGS, Setting
from portraiture.export.sample_photo import sample_photo

_SEED = 20180301


@dataclass(frozen=True)
class Probe:
    """One input.

    Attributes:
        name: in words.
        setting: at which filter and portrait are run.
        maps_of_noise: the filter's mask and depth are noise, too; else perception's of the photo.
    """

    name: str
    setting: Setting
    maps_of_noise: bool = False

    def photo(self, size: Size) -> np.ndarray:
        """The photo, HxWx3 uint8."""
        return np.asarray(_PHOTOS[self.name](size))

    def noise_map(self, size: Size, which: int) -> np.ndarray:
        """Noise over the full range, HxW float32 in 0..1; another one for each ``which``."""
        return _random(which).random((size.height, size.width), np.float32)


def _random(which: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, which])


def _part(size: Size, top: float, left: float, share: float, mirrored: bool = False) -> np.ndarray:
    """A square part of the astronaut, stretched to the size; top, left and share in parts of its side."""
    photo = sample_photo()
    side = photo.shape[0]
    rows, columns = (slice(round(start * side), round((start + share) * side)) for start in (top, left))
    part = photo[rows, columns][:, :: -1 if mirrored else 1]
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (size.width, size.height), interpolation=cv2.INTER_AREA))


def _dark(size: Size) -> np.ndarray:
    """At night: most of it under 25 of 255, with grain."""
    clean = _part(size, 0.0, 0.2, 0.55, mirrored=True) * 0.1
    return np.asarray(np.clip(clean + _random(1).normal(2, 2, clean.shape), 0, 255).round().astype(np.uint8))


def _bright(size: Size) -> np.ndarray:
    """Overexposed: much of it clipped at 255, and lamps."""
    photo = np.clip(_part(size, 0.0, 0.0, 0.8).astype(np.float64) * 1.8 + 40, 0, 255).astype(np.uint8)
    for row, column in ((0.15, 0.8), (0.3, 0.1), (0.55, 0.9)):
        centre = round(column * size.width), round(row * size.height)
        cv2.circle(photo, centre, max(2, size.width // 24), (255, 255, 255), -1, cv2.LINE_AA)
    return photo


def _text(size: Size) -> np.ndarray:
    """Saturated fields, with letters over them and over a person: edges of one pixel in every colour."""
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]], np.uint8)
    rows, columns = np.indices((size.height, size.width)) // 16
    photo: np.ndarray = colours[(rows * 5 + columns) % len(colours)]
    half = size.width // 2
    photo[:, half:] = _part(size, 0.0, 0.2, 0.6)[:, half:]
    for k, row in enumerate(range(12, size.height, 24)):
        colour = (255, 255, 255) if k % 2 else (0, 0, 0)
        cv2.putText(photo, "Portraiture 0123456789 " * 4, (-7 * k, row), cv2.FONT_HERSHEY_PLAIN, 0.8, colour, 1)
    return photo


def _noise(size: Size) -> np.ndarray:
    return np.asarray(_random(0).integers(0, 256, (size.height, size.width, 3), np.uint8))


def _flat(level: int, size: Size) -> np.ndarray:
    return np.full((size.height, size.width, 3), level, np.uint8)


_PHOTOS: dict[str, Callable[[Size], np.ndarray]] = {
    "dark": _dark,
    "bright": _bright,
    "text": _text,
    "noise": _noise,
    "gray": lambda size: _flat(128, size),
    "black": lambda size: _flat(0, size),
    "white": lambda size: _flat(255, size),
}

PICTURES = (
    Probe("dark", SETTINGS[3]),
    Probe("bright", SETTINGS[4]),
    Probe("text", SETTINGS[5]),
    Probe("noise", SETTINGS[2], maps_of_noise=True),
)
"""What every model is judged on. In noise ``perception`` finds depths that are nearly equal, about 0.35: focused among
them, a radius multiplies what rounding does to the depth by a hundred, of a sound file too."""

FLAT = tuple(Probe(name, SETTINGS[0]) for name in ("gray", "black", "white"))
"""What models are judged on that find people and depth: a filter gives a flat photo back."""


def probes_of(name: str) -> tuple[Probe, ...]:
    """The probes of a model, by its name in the contract."""
    return PICTURES if name in ("filter", "portrait") else PICTURES + FLAT
