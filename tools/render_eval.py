"""``evaluate render``: every renderer on simulated scenes whose truth is known."""

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from portraiture.reference.ablations import edge_band, judge, renderings
from portraiture.reference.arrays import Floats
from portraiture.reference.lens import APERTURE_PAPER
from portraiture.reference.photo import write_photo
from portraiture.reference.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simple_scene, simulate
from portraiture.reference.transfer import to_srgb
from portraiture.tools.photo_scenes import Scene, list_photos, photo_scenes

DEPTH_NOISE = 0.03
"""Standard deviation of the error put on the true depth: predicted depth is never clean."""

SHEET_SCENES = 4
GAP_PX = 6
HEADER_PX = 36
FONT, MAX_FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.7

Scores = dict[str, dict[str, float]]
Masks = Callable[[np.ndarray], tuple[Floats, Floats | None]]


def _predicted(depth: Floats, rng: np.random.Generator) -> Floats:
    """The true depth with blotchy errors, as a network leaves them."""
    noise = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 4.0)
    return np.asarray(np.clip(depth + DEPTH_NOISE * noise / noise.std(), 0.0, 1.0))


def evaluate_render(scenes: int, sheet: Path | None, root: Path | None = None, masks: Masks | None = None) -> Scores:
    """Mean scores of each rendering over seeded scenes.

    Args:
        scenes: how many.
        sheet: PNG of the first four scenes; the truth is the second column.
        root: folder of the photo datasets, for ``photo_scenes``; None takes procedural scenes.
        masks: from a scene's photo, HxWx3 uint8, to its refined and coarse mask; None takes the true matte, and
            ``coarse_mask`` of it.

    Returns:
        ``judge``'s figures of each name of ``renderings``.

    Raises:
        InputError: a folder or a photo under ``root`` is missing.
    """
    source: Iterable[Scene]
    source = (
        (simple_scene(seed) for seed in range(scenes)) if root is None else photo_scenes(*list_photos(root), scenes)
    )
    scores: dict[str, list[dict[str, float]]] = {}
    rows: list[np.ndarray] = []
    for index, (layers, person) in enumerate(tqdm(source, total=scenes, unit="scene", desc="render")):
        truth = to_srgb(np.clip(simulate(layers, PERSON_DEPTH, APERTURE_PAPER), 0.0, 1.0))
        photo = to_srgb(np.clip(all_in_focus(layers), 0.0, 1.0))
        matte = scene_mask(layers, person)
        mask, coarse = (matte, None) if masks is None else masks(np.rint(photo * 255).astype(np.uint8))
        depth = _predicted(scene_depth(layers), np.random.default_rng([1, index]))
        pictures = renderings(photo, mask, depth, APERTURE_PAPER, coarse)
        for name, picture in pictures.items():
            scores.setdefault(name, []).append(judge(np.clip(picture, 0.0, 1.0), truth, matte))
        if sheet is not None and index < SHEET_SCENES:
            rows += _rows({"photo": photo, "truth": truth, **pictures}, matte, header=not rows)
    if sheet is not None:
        write_photo(sheet, np.concatenate(rows))
    return {name: {key: float(np.mean([s[key] for s in found])) for key in found[0]} for name, found in scores.items()}


def _rows(pictures: dict[str, Floats], matte: Floats, header: bool) -> list[np.ndarray]:
    """A scene's part of the sheet: the pictures side by side, and below each its crop at the person's edge, twice.

    Returns:
        uint8 RGB of one width: the names if wanted, the pictures, the crops.
    """
    whole = {name: np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for name, p in pictures.items()}
    rows, columns = _telling_window(pictures["photo"], pictures["truth"], matte)
    crops = [p[rows, columns].repeat(2, axis=0).repeat(2, axis=1) for p in whole.values()]
    corners = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
    cv2.rectangle(whole["photo"], *corners, (255, 255, 0), 1)
    width = matte.shape[1] + GAP_PX
    names = [np.concatenate([_heading(name, width) for name in whole], axis=1)] if header else []
    return [*names, _line(list(whole.values()), width, GAP_PX), _line(crops, width, 3 * GAP_PX)]


def _telling_window(photo: Floats, truth: Floats, matte: Floats) -> tuple[slice, slice]:
    """Half the width and a quarter of the height, where the lens changes most near the person's edge."""
    change = np.abs(photo - truth).mean(axis=2) * edge_band(matte)
    height, width = matte.shape[0] // 4, matte.shape[1] // 2
    integral = cv2.integral(change)
    sums = integral[height:, width:] - integral[:-height, width:] - integral[height:, :-width]
    sums += integral[:-height, :-width]
    top, left = (int(i) for i in np.unravel_index(int(sums.argmax()), sums.shape))
    return slice(top, top + height), slice(left, left + width)


def _heading(name: str, width: int) -> np.ndarray:
    """A column's name, white on dark, as large as fits."""
    strip = np.full((HEADER_PX, width, 3), 32, np.uint8)
    (wide, _), _ = cv2.getTextSize(name, FONT, 1.0, 1)
    scale = min(MAX_FONT_SCALE, (width - 2 * GAP_PX) / wide)
    cv2.putText(strip, name, (GAP_PX, HEADER_PX * 2 // 3), FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return strip


def _line(pictures: list[np.ndarray], width: int, gap_px: int) -> np.ndarray:
    """Pictures side by side, each padded with white to ``width``, and a gap below."""
    cells = [
        np.pad(p, ((0, gap_px), (0, width - p.shape[1]), (0, 0)), mode="constant", constant_values=255)
        for p in pictures
    ]
    return np.concatenate(cells, axis=1)
