"""What propagation makes of an app's own coarse mask: the truth made small and wrong at its outline, then refined."""

import zlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.masks import score

LONG_CELLS = 32
"""Cells along the longer side of the coarse mask: 1/16 of the model's size; chosen."""

ERROR = 0.35
"""Standard deviation of the errors at the outline, in shares of a mask; chosen: the mean IoU falls to about .75."""

_SPREAD_CELLS = 1.5

Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From a photo HxWx3 uint8 and a coarse mask HxW in 0..1 to the refined mask HxW in 0..1."""


def coarse_mask(truth: np.ndarray, seed: int) -> np.ndarray:
    """A mask as a small network of an app gives it: few cells, soft, with lumps at the outline that are not there.

    Args:
        truth: (H, W) of bool.
        seed: of the errors.

    Returns:
        (H, W) float32 in 0..1.
    """
    height, width = truth.shape
    cells = LONG_CELLS / max(height, width)
    size = max(2, round(width * cells)), max(2, round(height * cells))
    small = cv2.resize(truth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    noise = np.asarray(np.random.default_rng(seed).standard_normal(small.shape), np.float32)
    lumps = cv2.GaussianBlur(noise, (0, 0), _SPREAD_CELLS)
    soft = cv2.GaussianBlur(small, (0, 0), 1.0)
    outline = 4 * soft * (1 - soft)  # 1 where the mask is a half
    wrong = np.clip(soft + ERROR * outline * lumps / lumps.std(), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(wrong, (width, height), interpolation=cv2.INTER_LINEAR))


def evaluate_refined(samples: Sequence[Sample], refine: Refine) -> dict[str, float]:
    """Figures of the refined masks, and of the coarse ones that were given (``_coarse``), as ``score_masks`` has them.

    Args:
        samples: photos with masks.
        refine: what is judged.

    Raises:
        InputError: as ``score_masks``.
    """

    def masks_of(sample: Sample, rgb: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
        given = coarse_mask(truth, zlib.crc32(sample.id.encode()))
        return {"": refine(rgb, given), "_coarse": given}

    return score(samples, masks_of, "refine")[0]
