"""The CRF renderer, sections 3.3 and 4.1: photo, mask and depth in, portrait out."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, Labels, as_map, as_rgb
from portraiture.reference.closed_form import closed_form_matte_band
from portraiture.reference.crf import label_layers
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.full_body import render_full_body
from portraiture.reference.knn_band import knn_matte_band
from portraiture.reference.layers import depth_layers
from portraiture.reference.lens import image_diagonal_px, layer_radii, lens_radii, person_depth
from portraiture.reference.lens_look import Focus, render_lens
from portraiture.reference.matting import matte
from portraiture.reference.selfie import render_selfie
from portraiture.reference.settings import DEFAULT_SETTINGS as DEFAULT_SETTINGS
from portraiture.reference.settings import Compositing as Compositing
from portraiture.reference.settings import Matting as Matting
from portraiture.reference.settings import Mode as Mode
from portraiture.reference.settings import RenderSettings as RenderSettings
from portraiture.reference.transfer import to_linear, to_srgb

SELFIE_COVER = 0.20
SELFIE_BOTTOM = 1 / 3


@dataclass(frozen=True)
class Layout:
    """What is decided before anything is blurred.

    Attributes:
        mode: SELFIE or FULL_BODY, as used.
        alpha: HxW matte in 0..1.
        labels: HxW depth layers, near to far; all 0 for a selfie.
        lens: radii and order of the layers; one layer for a selfie.
        focus: the depth that stays sharp; None for a selfie.
    """

    mode: Mode
    alpha: Floats
    labels: Labels
    lens: Focus
    focus: float | None


@dataclass(frozen=True)
class RenderStages:
    """What each stage made, for a look.

    Attributes:
        mode, alpha, labels, focus: as in ``Layout``.
        radii_px: disk radius of each layer; one entry for a selfie.
        portrait: HxWx3 float64 in 0..1.
    """

    mode: Mode
    alpha: Floats
    labels: Labels
    radii_px: Floats
    focus: float | None
    portrait: Floats


def choose_mode(mask: AnyArray, depth: AnyArray | None) -> Mode:
    """SELFIE without a depth, or where the person fills the frame as in a selfie; FULL_BODY otherwise.

    Args:
        mask: HxW in 0..1, person from 0.5 on.
        depth: HxW, or None.

    Returns:
        SELFIE if ``depth`` is None, or if the person covers 20 % of the photo or more and a third of its
        bottom row or more; else FULL_BODY.
    """
    person = mask >= 0.5
    fills = bool(person.mean() >= SELFIE_COVER and person[-1].mean() >= SELFIE_BOTTOM)
    return Mode.SELFIE if depth is None or fills else Mode.FULL_BODY


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
        return _check(rgb, mask, depth, settings)[0]
    return render_stages(rgb, mask, depth, settings).portrait


def render_stages(
    rgb: AnyArray, mask: AnyArray, depth: AnyArray | None = None, settings: RenderSettings = DEFAULT_SETTINGS
) -> RenderStages:
    """``render``, with the result of every stage. Arguments and errors are the same."""
    image, layout = solve(rgb, mask, depth, settings)
    if settings.aperture == 0:
        portrait = image.copy()
    elif settings.compositing is Compositing.OCCLUSION:
        portrait = render_lens(image, layout.alpha, layout.labels, layout.lens, settings)
    else:
        portrait = _paper(image, layout, settings.linear_light)
    return RenderStages(layout.mode, layout.alpha, layout.labels, layout.lens.radii_px, layout.focus, portrait)


def solve(rgb: AnyArray, mask: AnyArray, depth: AnyArray | None, settings: RenderSettings) -> tuple[Floats, Layout]:
    """Matte, layers and radii, and the photo as HxWx3 float64. Arguments and errors are ``render``'s."""
    image, person, far, mode = _check(rgb, mask, depth, settings)
    alpha = _matte(image, person, settings)
    if mode is Mode.SELFIE or far is None:
        lens = Focus(np.array([settings.aperture * image_diagonal_px(image.shape)]))
        return image, Layout(mode, alpha, np.zeros(person.shape, dtype=np.int64), lens, None)
    layers = depth_layers(far, settings.layers, settings.seed)
    labels = label_layers(far, layers.unary, settings.smoothness)
    focus = person_depth(person, far) if settings.focus is None else settings.focus
    return image, Layout(mode, alpha, labels, _lens(layers.centres, focus, person, far, settings), focus)


def _matte(image: Floats, person: Floats, settings: RenderSettings) -> Floats:
    """HxW matte by the chosen solver."""
    if settings.matting is Matting.NONE:
        return person
    by_compositing = Matting.KNN if settings.compositing is Compositing.PAPER else Matting.CLOSED_FORM
    chosen = by_compositing if settings.matting is Matting.AUTO else settings.matting
    solver = knn_matte_band if chosen is Matting.KNN else closed_form_matte_band
    return matte(image, person, settings.trimap_px, solver)


def _lens(centres: Floats, focus: float, person: Floats, depth: Floats, settings: RenderSettings) -> Focus:
    """Radii by the paper's rule; for OCCLUSION with a focus on both sides of the layer in focus."""
    person_layer = _nearest(centres, person_depth(person, depth)) if (person >= 0.5).any() else 0
    if settings.focus is None or settings.compositing is Compositing.PAPER:
        radii_px = layer_radii(centres, focus, settings.aperture, depth.shape)
        return Focus(radii_px, person_layer, person_layer)
    focus_layer = _nearest(centres, focus)
    radii_px = lens_radii(centres, float(centres[focus_layer]), settings.aperture, depth.shape)
    return Focus(radii_px, person_layer, focus_layer, float(radii_px[person_layer]))


def _nearest(centres: Floats, depth: float) -> int:
    return int(np.abs(centres - depth).argmin())


def _paper(image: Floats, layout: Layout, linear_light: bool) -> Floats:
    """Equation (10), or (4) with (6) for a selfie; of linear light or of coded values."""
    light = to_linear(image) if linear_light else image
    if layout.mode is Mode.FULL_BODY:
        blurred = render_full_body(light, layout.alpha, layout.labels, layout.lens.radii_px)
    else:
        blurred = render_selfie(light, layout.alpha, float(layout.lens.radii_px[0]))
    # The clip takes off rounding only: every colour is a convex combination of colours in 0..1.
    return to_srgb(blurred) if linear_light else np.clip(blurred, 0.0, 1.0)


def _check(
    rgb: AnyArray, mask: AnyArray, depth: AnyArray | None, settings: RenderSettings
) -> tuple[Floats, Floats, Floats | None, Mode]:
    """The arrays as float64, and the mode; raises as ``render`` says."""
    image = as_rgb(rgb)
    shape = image.shape[0], image.shape[1]
    person = as_map("mask", mask, shape)
    far = None if depth is None else as_map("depth", depth, shape)
    if settings.focus is not None and far is None:
        raise OptionError("focus: expected a depth to focus in, found none; give a depth or drop focus")
    if settings.mode is Mode.FULL_BODY and far is None:
        raise InputError("depth: expected one for the full-body mode, found none; give one or use selfie")
    if settings.focus is None and not (person >= 0.5).any():
        raise InputError("mask: expected a person, found no pixel of 0.5 or more; give a mask or a focus")
    if settings.mode is not Mode.AUTO:
        return image, person, far, settings.mode
    return image, person, far, Mode.FULL_BODY if settings.focus is not None else choose_mode(person, far)
