"""``compositing="occlusion"`` from end to end: linear light, highlights, foreground colour, iris, grain."""

import numpy as np

from portraiture.reference.arrays import Floats, Labels
from portraiture.reference.lens.focus import LensSetup
from portraiture.reference.matting.foreground import estimate_foreground
from portraiture.reference.occlusion.compose import compose_layers
from portraiture.reference.occlusion.grain import add_grain, noise_sigma
from portraiture.reference.occlusion.highlights import recover_highlights
from portraiture.reference.occlusion.iris import Iris
from portraiture.reference.settings import RenderSettings
from portraiture.reference.srgb import to_linear, to_srgb


def render_lens(rgb: Floats, alpha: Floats, labels: Labels, lens: LensSetup, settings: RenderSettings) -> Floats:
    """The photo as a large lens would have taken it. It trusts that arrays and lens are of one ``Plan``.

    Args:
        rgb: HxWx3 float64 sRGB in 0..1.
        alpha: HxW matte in 0..1.
        labels: HxW depth layer of each pixel, 0..K-1, near to far.
        lens: radii and order of the layers.
        settings: highlights, blades, rotation_deg, grain and seed are used.

    Returns:
        HxWx3 float64 sRGB in 0..1; the photo's own values where nothing blurred shows or covers.
    """
    linear = to_linear(rgb)
    foreground = estimate_foreground(linear, alpha) if lens.person_radius_px > 1 else None
    picture, share = render_linear(linear, alpha, labels, lens, settings, foreground)
    portrait = np.where((share > 0)[..., None], to_srgb(picture), rgb)
    if settings.grain:
        left = noise_left(labels, lens.radii_px, settings.blades)
        portrait = add_grain(portrait, share, noise_sigma(rgb, share == 0), left, settings.seed)
    return portrait


def render_linear(
    linear: Floats,
    alpha: Floats,
    labels: Labels,
    lens: LensSetup,
    settings: RenderSettings,
    foreground: Floats | None,
    with_person: bool = True,
) -> tuple[Floats, Floats]:
    """``compose_layers`` with the iris and the highlights of the settings.

    Args:
        linear, alpha, labels, lens, foreground, with_person: as there.
        settings: blades, rotation_deg and highlights are used.

    Returns:
        HxWx3 picture in linear light, and HxW share of light that was blurred.
    """
    iris = Iris(settings.blades, settings.rotation_deg)
    recovered = recover_highlights(linear, gain=settings.highlights) if settings.highlights else None
    return compose_layers(linear, alpha, labels, lens, iris, recovered, foreground, with_person)


def noise_left(labels: Labels, radii_px: Floats, blades: int) -> Floats:
    """The share of the noise's variance that the blur of each pixel's layer leaves.

    A sharp layer's pixel that is blurred is seen through a nearer layer's blur: counted as one that leaves none.

    Args:
        labels: HxW depth layer of each pixel, 0..K-1.
        radii_px: K radii in pixels.
        blades: as in ``Iris``; a rotation changes next to nothing.

    Returns:
        HxW float64 in 0..1.
    """
    iris = Iris(blades)
    energy = [float((iris.kernel(float(r)) ** 2).sum()) if r > 1 else 0.0 for r in radii_px]
    return np.array(energy)[labels]
