"""The phone's picture against the reference's: what ``render`` writes by ``--renderer rnn`` and by ``crf``."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from portraiture.export.pipeline.compose import to_bytes
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import InputError
from portraiture.reference.full_size.render import render_photo
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.metrics import psnr_db, ssim
from portraiture.reference.photo.read import read_photo
from portraiture.reference.plan import choose_mode
from portraiture.reference.presence import Presence, find_person
from portraiture.reference.settings import Mode, RenderSettings
from portraiture.tools.progress import over
from portraiture.training.data.layouts import Sample


class PortraitScore(NamedTuple):
    """How near the filter's portrait of a photo is to the reference's, at the photo's own size."""

    id: str
    mode: Mode
    psnr_db: float
    ssim: float


def score_portraits(samples: Sequence[Sample], pipeline: Pipeline) -> list[PortraitScore]:
    """Both portraits from the pipeline's maps, rounded to 8 bits, at the paper setting and in the photo's own mode.

    Args:
        samples: photos; those on which nobody is found are left out.
        pipeline: gives maps and the filter's portraits.

    Raises:
        InputError: a photo cannot be read, or nobody is found on any.
    """
    scores = []
    for sample in over(samples, len(samples), "photo", "filter"):
        rgb = read_photo(sample.photo)
        maps = pipeline.perceive(rgb)
        if find_person(maps.mask).presence is Presence.ABSENT:
            continue
        found = to_bytes(pipeline.render(rgb, maps, APERTURE_PAPER)) / 255
        expected = render_photo(rgb, maps.mask, maps.depth, RenderSettings(aperture=APERTURE_PAPER)) / 255
        mode = choose_mode(maps.mask, maps.depth)
        scores.append(PortraitScore(sample.id, mode, psnr_db(found, expected), ssim(found, expected)))
    if not scores:
        raise InputError("evaluate filter: expected a photo on which a person is found, found none; take other photos")
    return scores


def portrait_figures(scores: Sequence[PortraitScore]) -> dict[str, float]:
    """Means and the least PSNR of one photo or more, over all and by mode: ``psnr_db``, ``psnr_db_selfie``, ..."""
    figures: dict[str, float] = {}
    for suffix, mode in (("", None), ("_selfie", Mode.SELFIE), ("_full_body", Mode.FULL_BODY)):
        chosen = [score for score in scores if mode in (None, score.mode)]
        if chosen:
            figures[f"photos{suffix}"] = len(chosen)
            figures[f"psnr_db{suffix}"] = float(np.mean([score.psnr_db for score in chosen]))
            figures[f"least_psnr_db{suffix}"] = min(score.psnr_db for score in chosen)
            figures[f"ssim{suffix}"] = float(np.mean([score.ssim for score in chosen]))
    return figures
