"""What the RNN filter learns (paper 3.4): the CRF reference's pictures of one photo at several lens settings.

Matting and depth layers do not depend on the lens, so that they are solved once per photo; a further setting costs the
blurs alone.
"""

from typing import NamedTuple

import numpy as np

from portraiture.reference.lens.focus import person_depth
from portraiture.reference.lens.radii import image_diagonal_px, layer_radii
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.paper.selfie import render_selfie
from portraiture.reference.plan import Plan, choose_mode, solve
from portraiture.reference.settings import Mode, RenderSettings
from portraiture.training.rendered.settings import LensSetting


class Solved(NamedTuple):
    """What does not depend on the lens.

    Attributes:
        person, depth: (h, w) float64 in 0..1.
        image, plan: as ``plan.solve`` gives them.
        centres: of the depth layers.
        is_selfie: whether the photo is one.
    """

    person: np.ndarray
    depth: np.ndarray
    image: np.ndarray
    plan: Plan
    centres: np.ndarray
    is_selfie: bool


def solved(rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, base: RenderSettings) -> Solved:
    """Matte, layers and their labels of a photo.

    Args:
        rgb: (h, w, 3) uint8.
        mask, depth: (h, w) in 0..1; some pixel of the mask is 0.5 or more.
        base: what counts for every setting.

    Raises:
        InputError: no person.
    """
    person, z = mask.astype(np.float64), depth.astype(np.float64)
    image, plan = solve(rgb, person, z, base)
    centres = depth_layers(z, base.layers).centres
    return Solved(person, z, image, plan, centres, choose_mode(person, z) is Mode.SELFIE)


def render_targets(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, settings: tuple[LensSetting, ...]
) -> np.ndarray:
    """The CRF reference at every setting: a selfie as one where the focus is the person's, whole bodies otherwise.

    Args:
        rgb: (h, w, 3) uint8.
        mask, depth: (h, w) in 0..1; some pixel of the mask is 0.5 or more.
        settings: what to render.

    Returns:
        (settings, h, w, 3) uint16, 0..65535 for 0..1: the rounding is far below the filter's error.

    Raises:
        InputError: no person.
    """
    known = solved(rgb, mask, depth, RenderSettings(mode=Mode.FULL_BODY))
    pictures = []
    for setting in settings:
        if known.is_selfie and setting.focus < 0:
            radius_px = setting.aperture * image_diagonal_px(mask.shape)
            pictures.append(coded(render_selfie(known.image, known.plan.alpha, radius_px)))
            continue
        focus = person_depth(known.person, known.depth) if setting.focus < 0 else setting.focus
        radii_px = layer_radii(known.centres, focus, setting.aperture, mask.shape)
        pictures.append(coded(render_full_body(known.image, known.plan.alpha, known.plan.labels, radii_px)))
    return np.stack(pictures)


def coded(picture: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) in 0..1 as uint16, 0..65535."""
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 65535), np.uint16)
