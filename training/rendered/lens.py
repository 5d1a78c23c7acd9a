"""What the filter of the lens look learns: the occlusion renderer's pictures of one photo at several lens settings."""

import numpy as np

from portraiture.reference.lens.focus import LensSetup, person_depth
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.occlusion.highlights import GAIN
from portraiture.reference.occlusion.render import render_lens
from portraiture.reference.paper.layers import depth_layers, nearest_layer
from portraiture.reference.plan import lens_setup
from portraiture.reference.settings import Compositing, Mode, RenderSettings
from portraiture.training.rendered.render import coded, solved
from portraiture.training.rendered.settings import LensSetting


def at_layers(settings: tuple[LensSetting, ...], depth: np.ndarray) -> tuple[LensSetting, ...]:
    """The settings with each chosen focus moved to the centre of its depth layer.

    The reference turns the lens to the layer in focus. The filter focuses on the depth that it is given, so that a
    focus that is moved slowly changes the picture slowly; both are asked the same where they agree.

    Args:
        settings: what is to be rendered.
        depth: (h, w) in 0..1.
    """
    centres = depth_layers(depth.astype(np.float64), RenderSettings().layers).centres
    return tuple(
        s if s.focus < 0 else LensSetting(s.aperture, float(centres[nearest_layer(np.array(s.focus), centres)]))
        for s in settings
    )


def render_lens_targets(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, settings: tuple[LensSetting, ...]
) -> np.ndarray:
    """The occlusion renderer at every setting, clipped lights recovered: as ``render_targets`` for the paper's.

    Args:
        rgb: (h, w, 3) uint8.
        mask, depth: (h, w) in 0..1; some pixel of the mask is 0.5 or more.
        settings: what to render; see :func:`at_layers`.

    Returns:
        (settings, h, w, 3) uint16, 0..65535 for 0..1.

    Raises:
        InputError: no person.
    """
    base = RenderSettings(mode=Mode.FULL_BODY, compositing=Compositing.OCCLUSION)
    person, z, image, plan, centres, is_selfie = solved(rgb, mask, depth, base)
    pictures = []
    for setting in settings:
        chosen = None if setting.focus < 0 else setting.focus
        look = RenderSettings(
            aperture=setting.aperture, focus=chosen, compositing=Compositing.OCCLUSION, highlights=GAIN
        )
        if is_selfie and chosen is None:
            lens, labels = LensSetup(np.array([setting.aperture * image_diagonal_px(z.shape)])), 0 * plan.labels
        else:
            focus = person_depth(person, z) if chosen is None else chosen
            lens, labels = lens_setup(centres, focus, person, z, look), plan.labels
        pictures.append(coded(render_lens(image, plan.alpha, labels, lens, look)))
    return np.stack(pictures)
