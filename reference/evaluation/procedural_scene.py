"""A scene drawn by rule, whose layers are known."""

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.errors import InputError
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, Layer


def simple_scene(seed: int, shape: tuple[int, int] = (300, 500)) -> tuple[tuple[Layer, ...], int]:
    """A procedural scene that needs no photo: wall, objects, receding ground, and a person with loose hair.

    The ground is a stack of slices; each reaches to the bottom below the nearer ones, so that no gap opens
    between two of them when they blur.

    Args:
        seed: equal seeds give equal scenes.
        shape: (H, W), at least 16x16.

    Returns:
        The layers, far to near, and the index of the person (the last, at depth 0.3).

    Raises:
        InputError: the shape is smaller.
    """
    if min(shape) < 16:
        raise InputError(f"shape: expected 16x16 or more, found {shape}; use a larger scene")
    rng = np.random.default_rng(seed)
    height, width = shape
    y, x = np.mgrid[:height, :width] + 0.5
    layers = [Layer(_wall(rng, shape), np.ones(shape), 1.0)]
    horizon = height * rng.uniform(0.5, 0.6)
    slices = 4
    for k in range(slices):  # ground, edges closing in towards the horizon, and an object standing on each but one
        edge = horizon + (height - horizon) * (k / slices) ** 1.5
        depth = 0.9 - 0.5 * k / slices
        layers.append(Layer(_texture(rng, shape, 0.25), np.clip(y - edge, 0, 1), depth))
        if k < slices - 1:
            half, tall = width * rng.uniform(0.04, 0.08), height * rng.uniform(0.2, 0.4)
            inside = np.maximum(np.abs(x - width * rng.uniform(0.05, 0.95)) - half, np.abs(y - edge) - tall)
            object_depth = depth - 0.25 / slices
            layers.append(Layer(_texture(rng, shape, 0.5), np.clip(0.5 - inside, 0, 1), object_depth))
    layers.append(Layer(_texture(rng, shape, 0.15), _person(rng, shape), PERSON_DEPTH))
    return tuple(layers), len(layers) - 1


def _texture(rng: np.random.Generator, shape: tuple[int, int], contrast: float) -> Floats:
    """Noise of four octaves around one colour, HxWx3 in 0..1."""
    height, width = shape
    noise = np.zeros((height, width, 3))
    for octave in range(4):
        coarse = rng.uniform(-1, 1, (3 * 2**octave, 4 * 2**octave, 3))
        noise += np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)) / 2**octave
    return np.asarray(np.clip(rng.uniform(0.1, 0.7, 3) * (1 + contrast * noise), 0, 1), dtype=np.float64)


def _wall(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """A texture with dark stripes and small lights: what shows a wrong blur best."""
    height, width = shape
    wall = 0.5 * _texture(rng, shape, 0.5)
    period = max(width // int(rng.integers(10, 20)), 4)
    wall[:, np.arange(width) % period < period // 4] *= 0.3
    for _ in range(20):
        top, left = int(rng.integers(0, height // 2)), int(rng.integers(0, width))
        wall[top : top + max(height // 100, 1), left : left + max(height // 100, 1)] = rng.uniform(0.7, 1.0, 3)
    return wall


def _person(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Head and shoulders with a soft edge, and hair: thin strands that leave the upper half of the head."""
    height, width = shape
    unit = float(min(height, width))
    y, x = np.mgrid[:height, :width] + 0.5
    middle, top = width * rng.uniform(0.4, 0.6), height * 0.35
    angle, far = np.arctan2(y - top, x - middle), np.hypot((x - middle) / 0.8, y - top)
    head = 0.17 * unit - far
    body = (1 - np.hypot((x - middle) / (0.36 * unit), (y - 1.15 * height) / (0.62 * height))) * 0.36 * unit
    neck = np.minimum(0.07 * unit - np.abs(x - middle), y - top)
    solid = np.clip(0.5 + np.maximum(np.maximum(head, body), neck), 0, 1)
    strands, phase = int(rng.integers(30, 50)), rng.uniform(0, 2 * np.pi)
    length = 0.03 * unit * (1.5 + np.sin(7 * angle + phase))
    fade = np.clip(1 - np.maximum(-head, 0) / length, 0, 1)
    hair = fade * np.clip(0.5 + np.sin(strands * angle + phase + 0.1 * far), 0, 1) * np.clip(-3 * np.sin(angle), 0, 1)
    return np.asarray(np.maximum(solid, hair), dtype=np.float64)
