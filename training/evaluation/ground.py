"""Figures of the ground that people stand on: as far as their feet beside them, nearer at the photo's lower rim."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.training.data.ground import Contact, find_contacts
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.predict import Predict, read_photo_and_mask

FAR_PERCENTILE = 90
"""The far background's depth is this percentile of the depth above the feet and beside the person; chosen."""


def far_depth(depth: np.ndarray, person: np.ndarray, contact: Contact) -> float:
    """Depth of the far background, in the depth's units: a high percentile of what is no person above a foot.

    Args:
        depth: (H, W), larger is farther, any scale.
        person: (H, W) of bool.
        contact: a foot of the person.
    """
    above = ~person
    above[int(np.nonzero(contact.foot.any(1))[0][-1]) :] = False
    return float(np.percentile(depth[above], FAR_PERCENTILE))


def contact_share(depth: np.ndarray, person: np.ndarray, contact: Contact) -> float:
    """How far the ground beside a foot lies from the foot towards the far background: 0 in the world, 1 on a cut-out.

    A foot that is not nearer than the far background counts as 1.

    Args:
        depth: (H, W), larger is farther, any scale.
        person: (H, W) of bool.
        contact: a foot of the person.
    """
    foot, beside = float(np.median(depth[contact.foot])), float(np.median(depth[contact.beside]))
    reach = far_depth(depth, person, contact) - foot
    return abs(beside - foot) / reach if reach > 0 else 1.0


def nearer_at_rim(depth: np.ndarray, contact: Contact) -> bool:
    """Whether the ground at the photo's lower rim is nearer than the foot: the median of the lowest third below it."""
    rows = np.nonzero(contact.below.any(1))[0]
    lowest = contact.below.copy()
    lowest[: rows[0] + (len(rows) * 2) // 3] = False
    return bool(np.median(depth[lowest]) < np.median(depth[contact.foot]))


class GroundScore(NamedTuple):
    """A photo's id, the mean :func:`contact_share` of its feet, and whether the rim is nearer than each of them."""

    id: str
    contact: float
    rim_nearer: bool


def score_ground(samples: Sequence[Sample], predict: Predict) -> list[GroundScore]:
    """Depth at the feet of people who stand in the photo, by the true masks.

    Args:
        samples: photos with masks; those that show nobody's feet are passed over.
        predict: gives depth.

    Raises:
        InputError: as :func:`score_masks`, or no photo shows feet.
    """
    scores = []
    for sample in tqdm(samples, unit="photo", desc="ground", disable=None):
        rgb, person = read_photo_and_mask(sample)
        contacts = find_contacts(person)
        if contacts:
            depth = predict(rgb).depth
            if depth is None:
                raise InputError(
                    "evaluate ground: expected a network that gives depth, found masks alone; leave it out"
                )
            share = float(np.mean([contact_share(depth, person, contact) for contact in contacts]))
            scores.append(GroundScore(sample.id, share, all(nearer_at_rim(depth, contact) for contact in contacts)))
    if not scores:
        raise InputError(
            f"evaluate ground: expected people who stand in the photo with their feet, found none in {len(samples)}"
            " masks; choose photos of whole bodies"
        )
    return scores


def ground_figures(scores: Sequence[GroundScore], considered: int) -> dict[str, float]:
    """Figures of one photo or more.

    Args:
        scores: of the photos that show feet.
        considered: number of all photos.

    Returns:
        ``contact_median`` (0 in the world), ``rim_nearer``, the share of photos whose lower rim is nearer, ``photos``
        and ``photos_passed_over``.
    """
    return {
        "photos": len(scores),
        "photos_passed_over": considered - len(scores),
        "contact_median": float(np.median([score.contact for score in scores])),
        "rim_nearer": float(np.mean([score.rim_nearer for score in scores])),
    }


def evaluate_ground(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """:func:`ground_figures` of what :func:`score_ground` finds, with its errors."""
    return ground_figures(score_ground(samples, predict), len(samples))
