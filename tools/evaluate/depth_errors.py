"""What the CRF and the feather give where the depth is wrong: ``python -m portraiture.tools.evaluate.depth_errors``.

Fig. 11 of the paper leaves the CRF out and the feather with it. Here each is left out alone, on drawn scenes whose true
depth was damaged as networks damage it: blotches, noise of single pixels, and steps that leak over their edge.
"""

import argparse
import sys
from dataclasses import dataclass

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.scores import picture_scores
from portraiture.reference.evaluation.simulator import PERSON_DEPTH, all_in_focus, scene_depth, scene_mask, simulate
from portraiture.reference.lens.focus import person_depth
from portraiture.reference.lens.radii import APERTURE_PAPER, layer_radii
from portraiture.reference.matting.matte import matte
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.layers import depth_layers, nearest_layer
from portraiture.reference.settings import DEFAULT_SETTINGS
from portraiture.reference.srgb import to_srgb
from portraiture.tools.evaluate.table import markdown_table
from portraiture.tools.progress import over

SCENES = 8
"""Drawn scenes, two minutes of work; chosen."""


@dataclass(frozen=True)
class DepthError:
    """What is done to a true depth in 0..1.

    Attributes:
        name: of the row.
        noise: standard deviation that is added.
        blotch_px: sigma of the blur of the noise, in pixels; 0 leaves single pixels.
        leak_px: sigma of the blur of the depth, in pixels.
    """

    name: str
    noise: float
    blotch_px: float = 0.0
    leak_px: float = 0.0

    def damage(self, depth: Floats, rng: np.random.Generator) -> Floats:
        """The damaged depth HxW in 0..1."""
        noise = rng.normal(size=depth.shape)
        if self.blotch_px:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), self.blotch_px), np.float64)
        leaked = cv2.GaussianBlur(depth, (0, 0), self.leak_px) if self.leak_px else depth
        return np.asarray(np.clip(leaked + self.noise * noise / noise.std(), 0, 1))


ERRORS = (
    DepthError("blotches of 4 px, 0.03", 0.03, 4.0),
    DepthError("blotches of 4 px, 0.1", 0.1, 4.0),
    DepthError("blotches of 16 px, 0.1", 0.1, 16.0),
    DepthError("single pixels, 0.03", 0.03),
    DepthError("single pixels, 0.1", 0.1),
    DepthError("steps leak by 8 px", 0.0, 0.0, 8.0),
    DepthError("steps leak by 8 px, single pixels, 0.1", 0.1, 0.0, 8.0),
)


def scores_of(seed: int, error: DepthError) -> list[float]:
    """PSNR in dB of thresholds and CRF without feather, then of both with it, on one scene."""
    layers, person = simple_scene(seed)
    truth = to_srgb(np.clip(simulate(layers, PERSON_DEPTH, APERTURE_PAPER), 0, 1))
    photo, mask = to_srgb(np.clip(all_in_focus(layers), 0, 1)), scene_mask(layers, person)
    depth = error.damage(scene_depth(layers), np.random.default_rng([1, seed]))
    alpha = matte(photo, mask, DEFAULT_SETTINGS.trimap_px)
    found = depth_layers(depth, DEFAULT_SETTINGS.layers)
    radii = layer_radii(found.centres, person_depth(mask, depth), APERTURE_PAPER, photo.shape)
    labels = nearest_layer(depth, found.centres), label_layers(depth, found.unary, DEFAULT_SETTINGS.smoothness)
    pictures = (render_full_body(photo, alpha, chosen, radii, px) for px in (0.0, None) for chosen in labels)
    return [picture_scores(np.clip(picture, 0, 1), truth, mask)["psnr_db"] for picture in pictures]


def main() -> int:
    """The command line: a Markdown table."""
    parser = argparse.ArgumentParser(description="What the CRF and the feather give where the depth is wrong.")
    parser.add_argument("--scenes", type=int, default=SCENES, help="number of drawn scenes (default: %(default)s)")
    count = parser.parse_args().scenes
    rows = []
    for error in over(ERRORS, len(ERRORS), "error", "scenes"):
        mean = np.mean([scores_of(seed, error) for seed in range(count)], 0)
        rows.append([error.name, *(f"{value:.2f}" for value in mean)])
    titles = ["error of the depth", "thresholds", "CRF", "thresholds, feather", "CRF, feather"]
    sys.stdout.write(markdown_table(titles, rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
