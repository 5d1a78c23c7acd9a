"""What is decided before the blur: mode, matte, depth layers and radii."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, Labels, as_map, as_rgb
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.focus import Focus, person_depth
from portraiture.reference.lens.radii import image_diagonal_px, layer_radii, lens_radii
from portraiture.reference.matting.closed_form import closed_form_matte_band
from portraiture.reference.matting.knn_band import knn_matte_band
from portraiture.reference.matting.matte import matte
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.settings import Compositing, Matting, Mode, RenderSettings

SELFIE_COVER = 0.20

SELFIE_BOTTOM = 1 / 3


@dataclass(frozen=True)
class Plan:
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


def solve(rgb: AnyArray, mask: AnyArray, depth: AnyArray | None, settings: RenderSettings) -> tuple[Floats, Plan]:
    """Matte, layers and radii, and the photo as HxWx3 float64. Arguments and errors are ``render``'s."""
    image, person, far, mode = check_inputs(rgb, mask, depth, settings)
    alpha = _matte(image, person, settings)
    if mode is Mode.SELFIE or far is None:
        lens = Focus(np.array([settings.aperture * image_diagonal_px(image.shape)]))
        return image, Plan(mode, alpha, np.zeros(person.shape, dtype=np.int64), lens, None)
    layers = depth_layers(far, settings.layers, settings.seed)
    labels = label_layers(far, layers.unary, settings.smoothness)
    focus = person_depth(person, far) if settings.focus is None else settings.focus
    return image, Plan(mode, alpha, labels, _lens(layers.centres, focus, person, far, settings), focus)


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


def check_inputs(
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
