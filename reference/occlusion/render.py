"""``compositing="occlusion"`` from end to end: linear light, highlights, foreground colour, iris, grain."""

import numpy as np

from portraiture.reference.arrays import Floats, Labels
from portraiture.reference.lens.focus import Focus
from portraiture.reference.matting.foreground import estimate_foreground
from portraiture.reference.occlusion.compose import render_occlusion
from portraiture.reference.occlusion.grain import add_grain, noise_sigma
from portraiture.reference.occlusion.highlights import recover_highlights
from portraiture.reference.occlusion.iris import iris_kernel
from portraiture.reference.settings import RenderSettings
from portraiture.reference.srgb import to_linear, to_srgb


def render_lens(rgb: Floats, alpha: Floats, labels: Labels, focus: Focus, settings: RenderSettings) -> Floats:
    """The photo as a large lens would have taken it.

    Args:
        rgb: HxWx3 float64 sRGB in 0..1.
        alpha: HxW matte in 0..1.
        labels: HxW depth layer of each pixel, 0..K-1, near to far.
        focus: radii and order of the layers.
        settings: highlights, blades, rotation_deg, grain and seed are used.

    Returns:
        HxWx3 float64 sRGB in 0..1; the photo's own values where nothing blurred shows or covers.
    """
    linear = to_linear(rgb)
    foreground = estimate_foreground(linear, alpha) if focus.person_radius_px > 1 else None
    picture, share = render_linear(linear, alpha, labels, focus, settings, foreground)
    portrait = np.where((share > 0)[..., None], to_srgb(picture), rgb)
    if settings.grain:
        left = noise_left(labels, focus.radii_px, settings.blades)
        portrait = add_grain(portrait, share, noise_sigma(rgb, share == 0), left, settings.seed)
    return portrait


def render_linear(
    linear: Floats,
    alpha: Floats,
    labels: Labels,
    focus: Focus,
    settings: RenderSettings,
    foreground: Floats | None,
    with_person: bool = True,
) -> tuple[Floats, Floats]:
    """``render_occlusion`` with the settings' iris and highlights; picture in linear light, and blurred share."""
    return render_occlusion(
        linear,
        alpha,
        labels,
        focus.radii_px,
        focus.person_layer,
        settings.blades,
        settings.rotation_deg,
        recovered=recover_highlights(linear, gain=settings.highlights) if settings.highlights else None,
        foreground=foreground,
        person_radius_px=focus.person_radius_px,
        focus_layer=focus.focus_layer,
        with_person=with_person,
    )


def noise_left(labels: Labels, radii_px: Floats, blades: int) -> Floats:
    """HxW: the share of the noise's variance that the blur of each pixel's layer leaves.

    A sharp layer's pixel that is blurred is seen through a nearer layer's blur: counted as one that leaves none.
    """
    energy = [float((iris_kernel(float(r), blades) ** 2).sum()) if r > 1 else 0.0 for r in radii_px]
    return np.array(energy)[labels]
