"""``evaluate render``: every renderer on simulated scenes whose truth is known."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.evaluation.ablations import renderings
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.scores import picture_scores
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.photo.write import write_photo
from portraiture.reference.srgb import to_srgb
from portraiture.tools.evaluate.photo_scenes import Scene, list_photos, photo_scenes
from portraiture.tools.evaluate.sheet import SHEET_SCENES, draw_rows
from portraiture.tools.open_pipeline import open_pipeline
from portraiture.tools.progress import over

DEPTH_NOISE = 0.03
"""Standard deviation of the error put on the true depth: predicted depth is never clean. Chosen, not measured."""


Scores = dict[str, dict[str, float]]

Masks = Callable[[np.ndarray], tuple[Floats, Floats | None]]
"""From a photo HxWx3 uint8 to its refined mask HxW in 0..1, and its coarse one where there is one."""


def _predicted(depth: Floats, rng: np.random.Generator) -> Floats:
    """The true depth with blotchy errors, as a network leaves them."""
    noise = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 4.0)
    return np.asarray(np.clip(depth + DEPTH_NOISE * noise / noise.std(), 0.0, 1.0))


def network_masks(weights: Sequence[Path] = (), which_text: str | None = None) -> Masks:
    """Refined and coarse mask by the network of the weights, as ``open_pipeline`` takes them."""
    pipeline = open_pipeline("torch", None, None, weights, which_text, perception_alone=True)

    def masks(rgb: np.ndarray) -> tuple[Floats, Floats | None]:
        refined, coarse = (pipeline.perceive(rgb, model).mask.astype(np.float64) for model in ("perception", "coarse"))
        return refined, coarse

    return masks


def evaluate_render(scenes: int, sheet: Path | None, root: Path | None = None, masks: Masks | None = None) -> Scores:
    """Mean scores of each rendering over seeded scenes.

    Args:
        scenes: how many.
        sheet: PNG of the first four scenes; the truth is the second column.
        root: folder of the photo datasets, for ``photo_scenes``; None takes procedural scenes.
        masks: from a scene's photo, HxWx3 uint8, to its refined and coarse mask; None takes the true matte, and
            ``coarse_mask`` of it.

    Returns:
        ``picture_scores``'s figures of each name of ``renderings``.

    Raises:
        InputError: a folder or a photo under ``root`` is missing.
    """
    source: Iterable[Scene]
    source = (
        (simple_scene(seed) for seed in range(scenes)) if root is None else photo_scenes(*list_photos(root), scenes)
    )
    scores: dict[str, list[dict[str, float]]] = {}
    rows: list[np.ndarray] = []
    for index, (layers, person) in enumerate(over(source, scenes, "scene", "render")):
        truth = to_srgb(np.clip(simulate(layers, PERSON_DEPTH, APERTURE_PAPER), 0.0, 1.0))
        photo = to_srgb(np.clip(all_in_focus(layers), 0.0, 1.0))
        matte = scene_mask(layers, person)
        mask, coarse = (matte, None) if masks is None else masks(np.rint(photo * 255).astype(np.uint8))
        depth = _predicted(scene_depth(layers), np.random.default_rng([1, index]))
        pictures = renderings(photo, mask, depth, APERTURE_PAPER, coarse)
        for name, picture in pictures.items():
            scores.setdefault(name, []).append(picture_scores(np.clip(picture, 0.0, 1.0), truth, matte))
        if sheet is not None and index < SHEET_SCENES:
            rows += draw_rows({"photo": photo, "truth": truth, **pictures}, matte, header=not rows)
    if sheet is not None:
        write_photo(sheet, np.concatenate(rows))
    return {name: {key: float(np.mean([s[key] for s in found])) for key in found[0]} for name, found in scores.items()}
