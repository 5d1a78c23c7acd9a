"""Pairs for the RNN filter: photos with their maps, and what the CRF reference renders from them.

A pair is one ``.npz`` file, written under a temporary name and renamed, so that a killed run leaves no half of one and
the next run goes on where it stopped.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from portraiture.reference.full_body import render_full_body
from portraiture.reference.layers import depth_layers
from portraiture.reference.lens import APERTURE_PAPER, layer_radii
from portraiture.reference.render import Mode, RenderSettings, render_stages
from portraiture.training.data.cache import read_rgb, resize_area
from portraiture.training.data.pairs import Sample, read_mask

APERTURES = (APERTURE_PAPER, APERTURE_PAPER / 2, APERTURE_PAPER * 1.5)
"""Each photo is rendered at the paper setting, half of it and one and a half."""

Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From hxwx3 uint8 to mask and depth, hxw in 0..1."""


@dataclass(frozen=True)
class RenderedPair:
    """A photo hxwx3 uint8, its maps hxw float32, and the reference's pictures, one an aperture, hxwx3 uint8."""

    rgb: np.ndarray
    mask: np.ndarray
    depth: np.ndarray
    targets: np.ndarray
    apertures: np.ndarray


def render_pair(rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray) -> RenderedPair:
    """Run the CRF reference once and blur at every aperture."""
    z = depth.astype(np.float64)
    settings = RenderSettings(mode=Mode.FULL_BODY)
    stages = render_stages(rgb, mask.astype(np.float64), z, settings)
    centres = depth_layers(z, settings.layers, settings.seed).centres
    assert stages.focus is not None  # full-body always has one
    targets = []
    for aperture in APERTURES:
        radii = layer_radii(centres, stages.focus, aperture, rgb.shape)
        picture = render_full_body(rgb / 255.0, stages.alpha, stages.labels, radii)
        targets.append(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return RenderedPair(rgb, mask, depth, np.stack(targets), np.array(APERTURES))


def write_pairs(
    samples: Sequence[Sample], predict: Predict, size: tuple[int, int], folder: Path, true_masks: bool = True
) -> list[Path]:
    """Render the samples that are not rendered yet.

    Args:
        samples: photos with masks.
        predict: the perception network.
        size: (h, w) of the pairs.
        folder: where they go.
        true_masks: every second photo takes the dataset's mask instead of the predicted one.

    Returns:
        The pair files. A photo on which no person is found has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i, sample in enumerate(tqdm(samples, unit="pair", desc="rendering pairs")):
        path = folder / f"{sample.photo.parent.parent.name}_{sample.id}.npz"
        if not path.exists():
            rgb = resize_area(read_rgb(sample.photo), *size)
            mask, depth = predict(rgb)
            if true_masks and i % 2:
                mask = np.clip(resize_area(read_mask(sample.label).astype(np.float32), *size), 0, 1)
            if not (mask >= 0.5).any():
                continue
            pair = render_pair(rgb, mask, depth)
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.savez_compressed(
                    file,
                    rgb=pair.rgb,
                    mask=pair.mask.astype(np.float16),
                    depth=pair.depth.astype(np.float32),
                    targets=pair.targets,
                    apertures=pair.apertures,
                )
            os.replace(temporary, path)
        files.append(path)
    return files


def read_pair(path: Path) -> RenderedPair:
    """One pair file."""
    with np.load(path, allow_pickle=False) as data:
        return RenderedPair(
            data["rgb"],
            data["mask"].astype(np.float32),
            data["depth"].astype(np.float32),
            data["targets"],
            data["apertures"],
        )
