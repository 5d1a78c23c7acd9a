"""``evaluate render``: every renderer on simulated scenes whose truth is known."""

from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from portraiture.reference.ablations import judge, renderings
from portraiture.reference.arrays import Floats
from portraiture.reference.lens import APERTURE_PAPER
from portraiture.reference.photo import write_png
from portraiture.reference.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simple_scene, simulate
from portraiture.reference.transfer import to_srgb

DEPTH_NOISE = 0.03
"""Standard deviation of the error put on the true depth: predicted depth is never clean."""

Scores = dict[str, dict[str, float]]


def _predicted(depth: Floats, rng: np.random.Generator) -> Floats:
    """The true depth with blotchy errors, as a network leaves them."""
    noise = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 4.0)
    return np.asarray(np.clip(depth + DEPTH_NOISE * noise / noise.std(), 0.0, 1.0))


def _contact_sheet(rows: list[dict[str, Floats]]) -> np.ndarray:
    """A row a scene, a column a picture, names on top; uint8 RGB."""
    lines = []
    for i, row in enumerate(rows):
        pictures = [np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for p in row.values()]
        if i == 0:
            for name, picture in zip(row, pictures, strict=True):
                cv2.putText(picture, name, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        lines.append(np.hstack(pictures))
    return np.vstack(lines)


def evaluate_render(scenes: int, sheet: Path | None) -> Scores:
    """Mean scores of each rendering over seeded scenes.

    Args:
        scenes: how many.
        sheet: PNG of the first four scenes; the truth is the second column.
    """
    scores: dict[str, list[dict[str, float]]] = {}
    rows: list[dict[str, Floats]] = []
    for seed in tqdm(range(scenes), unit="scene", desc="render"):
        layers, person = simple_scene(seed)
        truth = to_srgb(np.clip(simulate(layers, PERSON_DEPTH, APERTURE_PAPER), 0.0, 1.0))
        photo = to_srgb(np.clip(all_in_focus(layers), 0.0, 1.0))
        mask = scene_mask(layers, person)
        depth = _predicted(scene_depth(layers), np.random.default_rng([1, seed]))
        pictures = renderings(photo, mask, depth, APERTURE_PAPER)
        for name, picture in pictures.items():
            scores.setdefault(name, []).append(judge(np.clip(picture, 0.0, 1.0), truth, mask))
        if len(rows) < 4:
            rows.append({"photo": photo, "truth": truth, **pictures})
    if sheet is not None:
        write_png(sheet, _contact_sheet(rows))
    return {name: {key: float(np.mean([s[key] for s in found])) for key in found[0]} for name, found in scores.items()}
