"""The ablations of Fig. 11: the full method, and the same with one part taken away; and, last, ours by occlusion.

All renderings take the same photo, maps and aperture, so that what differs between two of them is the named part.
"""

import cv2
import numpy as np

from portraiture.reference.arrays import Floats, Labels
from portraiture.reference.lens.focus import person_depth
from portraiture.reference.lens.radii import image_diagonal_px, layer_radii
from portraiture.reference.matting.matte import matte
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.disk import disk_blur
from portraiture.reference.paper.full_body import FEATHER_SHARE, layer_weights, render_full_body
from portraiture.reference.paper.layers import depth_layers, nearest_layer
from portraiture.reference.render import render
from portraiture.reference.settings import Compositing, Mode, RenderSettings
from portraiture.reference.srgb import to_linear, to_srgb

FULL = "paper, full method"

LINEAR = "full method, linear light"

OCCLUSION = "occlusion"

COARSE_SCALE = 8
"""How many times smaller a coarse mask is along each side; chosen, not measured."""


def coarse_mask(mask: Floats) -> Floats:
    """What a network without propagation gives: the mask at an eighth of the size, enlarged."""
    height, width = mask.shape
    small = cv2.resize(mask, (width // COARSE_SCALE, height // COARSE_SCALE), interpolation=cv2.INTER_AREA)
    return np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), 0.0, 1.0)


def renderings(
    rgb: Floats, mask: Floats, depth: Floats, aperture: float, coarse: Floats | None = None
) -> dict[str, Floats]:
    """Pictures by name, HxWx3 each.

    Args:
        rgb: HxWx3 in 0..1.
        mask: HxW in 0..1, as a network would give it; some pixel is 0.5 or more.
        depth: HxW in 0..1, larger is farther, as a network would give it.
        aperture: largest radius as a share of the diagonal, 0..0.25.
        coarse: HxW in 0..1, the mask before propagation; None takes ``coarse_mask``.
    """
    settings = RenderSettings(aperture=aperture)
    ours = RenderSettings(mode=Mode.FULL_BODY, aperture=aperture, compositing=Compositing.OCCLUSION)
    alpha = matte(rgb, mask, settings.trimap_px)
    layers = depth_layers(depth, settings.layers)
    labels = label_layers(depth, layers.unary, settings.smoothness)
    radii = layer_radii(layers.centres, person_depth(mask, depth), aperture, rgb.shape)
    largest = np.array([aperture * image_diagonal_px(rgb.shape)])
    one_layer = np.zeros_like(labels)
    coarse = coarse_mask(mask) if coarse is None else coarse
    return {
        "uniform kernel, no depth": _unguided(rgb, alpha, one_layer, largest),
        "no depth": render_full_body(rgb, alpha, one_layer, largest),
        "thresholds, no CRF": render_full_body(rgb, alpha, nearest_layer(depth, layers.centres), radii),
        "no guided kernel": _unguided(rgb, alpha, labels, radii),
        "coarse mask": render_full_body(rgb, matte(rgb, coarse, settings.trimap_px), labels, radii),
        FULL: render_full_body(rgb, alpha, labels, radii),
        LINEAR: to_srgb(render_full_body(to_linear(rgb), alpha, labels, radii)),
        OCCLUSION: render(rgb, mask, depth, ours),
    }


def _unguided(rgb: Floats, alpha: Floats, labels: Labels, radii_px: Floats) -> Floats:
    """Equation (10) with the kernel (5) in place of (6): the person's colours enter the blur."""
    weights = layer_weights(labels, radii_px.size, FEATHER_SHARE * image_diagonal_px(rgb.shape))
    background = sum(
        (weights[..., k, None] * disk_blur(rgb, float(r)) for k, r in enumerate(radii_px)), np.zeros_like(rgb)
    )
    person = alpha[..., None]
    return np.asarray(person * rgb + (1.0 - person) * background)
