"""The lens settings at which pairs are rendered."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import person_pixels
from portraiture.reference.lens import LEARNT_APERTURE
from portraiture.reference.lens.focus import FOCUS_ON_PERSON, depth_at
from portraiture.reference.lens.radii import APERTURE_PAPER

GRID_APERTURES = tuple(LEARNT_APERTURE * share for share in (0.25, 0.5, 0.75, 1.0))
"""Apertures of the validation grid."""

GRID_DEPTHS = (0.25, 0.5)
"""Quantiles of the background's depth that the grid focuses on, after the person."""


@dataclass(frozen=True)
class LensSetting:
    """One setting of the filter.

    Attributes:
        aperture: largest disk radius as a share of the diagonal, 0..LEARNT_APERTURE.
        focus: depth in 0..1 that stays sharp; negative: the person's.
    """

    aperture: float
    focus: float = FOCUS_ON_PERSON


PAPER_SETTING = LensSetting(APERTURE_PAPER)


def drawn_settings(
    mask: np.ndarray, depth: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[LensSetting, ...]:
    """The paper setting, then one on the person, then others as a user taps: on a pixel drawn anywhere.

    Args:
        mask, depth: (h, w) in 0..1.
        count: number of settings, at least 1.
        rng: draws apertures, uniform in 0..LEARNT_APERTURE, and pixels.
    """
    settings = [PAPER_SETTING]
    for k in range(1, count):
        aperture = float(rng.uniform(0, LEARNT_APERTURE))
        y, x = (int(rng.integers(n)) for n in mask.shape)
        on_person = k == 1 or bool(person_pixels(mask[y, x]))
        settings.append(LensSetting(aperture, FOCUS_ON_PERSON if on_person else depth_at(depth, x, y)))
    return tuple(settings)


def grid_settings(mask: np.ndarray, depth: np.ndarray) -> tuple[LensSetting, ...]:
    """The paper setting, then four apertures of the range times three focus depths: for validation."""
    behind = depth[~person_pixels(mask)]
    depths = [float(np.quantile(behind, q)) for q in GRID_DEPTHS] if behind.size else []
    grid = [LensSetting(a, focus) for focus in (FOCUS_ON_PERSON, *depths) for a in GRID_APERTURES]
    return (PAPER_SETTING, *grid)
