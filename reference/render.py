"""The CRF renderer, sections 3.3 and 4.1: photo, mask and depth in, portrait out."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, Labels
from portraiture.reference.occlusion.render import render_lens
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.selfie import render_selfie
from portraiture.reference.plan import Plan, check_arrays, check_choices, solve
from portraiture.reference.settings import DEFAULT_SETTINGS, Compositing, Mode, RenderSettings
from portraiture.reference.srgb import to_linear, to_srgb


@dataclass(frozen=True)
class RenderStages:
    """What each stage made, to look at or to test.

    Attributes:
        mode, alpha, labels, focus: as in ``Plan``.
        radii_px: disk radius of each layer; one entry for a selfie.
        portrait: HxWx3 float64 in 0..1.
    """

    mode: Mode
    alpha: Floats
    labels: Labels
    radii_px: Floats
    focus: float | None
    portrait: Floats


def render(
    rgb: AnyArray, mask: AnyArray, depth: AnyArray | None = None, settings: RenderSettings = DEFAULT_SETTINGS
) -> Floats:
    """Renders a portrait with shallow depth of field.

    Args:
        rgb: HxWx3 sRGB, float in 0..1 or uint8.
        mask: HxW person probability in 0..1.
        depth: HxW relative depth in 0..1, larger is farther; needed for FULL_BODY.
        settings: see ``RenderSettings``.

    Returns:
        HxWx3 float64 sRGB in 0..1. Aperture 0 returns the photo exactly.

    Raises:
        InputError: an array is not what it must be, FULL_BODY has no depth, or no pixel is a person and no
            focus is given.
        OptionError: a focus is given without a depth.
    """
    if settings.aperture == 0:
        image, person, far = check_arrays(rgb, mask, depth)
        check_choices(person, far, settings)
        return image
    return render_stages(rgb, mask, depth, settings).portrait


def render_stages(
    rgb: AnyArray, mask: AnyArray, depth: AnyArray | None = None, settings: RenderSettings = DEFAULT_SETTINGS
) -> RenderStages:
    """``render``, with the result of every stage. Errors are the same.

    Args:
        rgb: HxWx3 sRGB, float in 0..1 or uint8.
        mask: HxW person probability in 0..1.
        depth: HxW relative depth in 0..1, larger is farther; needed for FULL_BODY.
        settings: see ``RenderSettings``.
    """
    image, plan = solve(rgb, mask, depth, settings)
    if settings.aperture == 0:
        portrait = image.copy()
    elif settings.compositing is Compositing.OCCLUSION:
        portrait = render_lens(image, plan.alpha, plan.labels, plan.lens, settings)
    else:
        portrait = _paper(image, plan, settings.linear_light)
    return RenderStages(plan.mode, plan.alpha, plan.labels, plan.lens.radii_px, plan.focus, portrait)


def _paper(image: Floats, plan: Plan, linear_light: bool) -> Floats:
    """Equation (10), or (4) with (6) for a selfie; of linear light or of coded values."""
    light = to_linear(image) if linear_light else image
    if plan.mode is Mode.FULL_BODY:
        blurred = render_full_body(light, plan.alpha, plan.labels, plan.lens.radii_px)
    else:
        blurred = render_selfie(light, plan.alpha, float(plan.lens.radii_px[0]))
    # The clip takes off rounding only: every colour is a convex combination of colours in 0..1.
    return to_srgb(blurred) if linear_light else np.clip(blurred, 0.0, 1.0)
