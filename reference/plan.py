"""What is decided before the blur: mode, matte, depth layers and radii."""

from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, Labels, as_map, as_rgb, person_pixels
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.focus import LensSetup, person_depth
from portraiture.reference.lens.radii import image_diagonal_px, layer_radii, lens_radii
from portraiture.reference.lens.selfie import fills_the_frame
from portraiture.reference.matting.closed_form import closed_form_matte_band
from portraiture.reference.matting.knn_band import knn_matte_band
from portraiture.reference.matting.matte import matte
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.layers import depth_layers, nearest_layer
from portraiture.reference.settings import MAX_APERTURE, Compositing, Matting, Mode, RenderSettings


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
    lens: LensSetup
    focus: float | None


def choose_mode(mask: AnyArray, depth: AnyArray | None) -> Mode:
    """SELFIE without a depth, or where the person fills the frame as in a selfie; FULL_BODY otherwise.

    Args:
        mask: HxW in 0..1.
        depth: HxW, or None.

    Returns:
        SELFIE if ``depth`` is None, or if the mask's mean is 20 % or more, and that of its bottom row a third or more;
        else FULL_BODY.
    """
    return Mode.SELFIE if depth is None or fills_the_frame(mask) else Mode.FULL_BODY


def check_arrays(rgb: AnyArray, mask: AnyArray, depth: AnyArray | None) -> tuple[Floats, Floats, Floats | None]:
    """Photo, mask and depth as float64 in 0..1.

    Args:
        rgb: HxWx3, uint8, or float in 0..1.
        mask: HxW in 0..1.
        depth: HxW in 0..1, or None.

    Raises:
        InputError: another shape or type, a value that is not finite or outside 0..1.
    """
    image = as_rgb(rgb)
    shape = image.shape[0], image.shape[1]
    return image, as_map("mask", mask, shape), None if depth is None else as_map("depth", depth, shape)


def check_choices(mask: Floats, depth: Floats | None, settings: RenderSettings) -> None:
    """Raises where the settings ask for what the maps do not show.

    Args:
        mask: HxW in 0..1.
        depth: HxW in 0..1, or None.
        settings: mode and focus are looked at.

    Raises:
        InputError: FULL_BODY has no depth, or no pixel is a person and no focus is given.
        OptionError: a focus is given without a depth.
    """
    if settings.focus is not None and depth is None:
        raise OptionError("focus: expected a depth to focus in, found none; give a depth or drop focus")
    if settings.mode is Mode.FULL_BODY and depth is None:
        raise InputError("depth: expected one for the full-body mode, found none; give one or use selfie")
    if settings.focus is None and not person_pixels(mask).any():
        raise InputError("mask: expected a person, found no pixel of 0.5 or more; give a mask or a focus")


def solve(rgb: AnyArray, mask: AnyArray, depth: AnyArray | None, settings: RenderSettings) -> tuple[Floats, Plan]:
    """The photo as HxWx3 float64 in 0..1, and its plan. Errors are those of ``render``.

    Args:
        rgb: HxWx3 sRGB, float in 0..1 or uint8.
        mask: HxW person probability in 0..1.
        depth: HxW relative depth in 0..1, larger is farther, or None.
        settings: see ``RenderSettings``.
    """
    image, person, far = check_arrays(rgb, mask, depth)
    check_choices(person, far, settings)
    return image, make_plan(image, person, far, settings)


def make_plan(image: Floats, mask: Floats, depth: Floats | None, settings: RenderSettings) -> Plan:
    """Matte, layers and radii. It trusts ``check_arrays`` and ``check_choices``.

    Args:
        image: HxWx3 float64 in 0..1.
        mask: HxW float64 in 0..1.
        depth: HxW float64 in 0..1, or None.
        settings: see ``RenderSettings``.
    """
    alpha = _matte(image, mask, settings)
    if depth is None or _used_mode(mask, depth, settings) is Mode.SELFIE:
        lens = LensSetup(np.array([settings.aperture * image_diagonal_px(image.shape)]))
        return Plan(Mode.SELFIE, alpha, np.zeros(mask.shape, dtype=np.int64), lens, None)
    layers = depth_layers(depth, settings.layers)
    labels = label_layers(depth, layers.unary, settings.smoothness)
    focus = person_depth(mask, depth) if settings.focus is None else settings.focus
    return Plan(Mode.FULL_BODY, alpha, labels, lens_setup(layers.centres, focus, mask, depth, settings), focus)


def _used_mode(mask: Floats, depth: Floats, settings: RenderSettings) -> Mode:
    if settings.mode is not Mode.AUTO:
        return settings.mode
    return Mode.FULL_BODY if settings.focus is not None else choose_mode(mask, depth)


def _matte(image: Floats, mask: Floats, settings: RenderSettings) -> Floats:
    """HxW matte by the chosen solver."""
    if settings.matting is Matting.NONE:
        return mask
    by_compositing = Matting.KNN if settings.compositing is Compositing.PAPER else Matting.CLOSED_FORM
    chosen = by_compositing if settings.matting is Matting.AUTO else settings.matting
    solver = knn_matte_band if chosen is Matting.KNN else closed_form_matte_band
    return matte(image, mask, settings.trimap_px, solver)


def lens_setup(centres: Floats, focus: float, mask: Floats, depth: Floats, settings: RenderSettings) -> LensSetup:
    """Radii by the paper's rule; for OCCLUSION with a focus on both sides of the layer in focus.

    Args:
        centres: K layer depths, increasing.
        focus: depth that stays sharp.
        mask, depth: HxW in 0..1.
        settings: aperture, focus, full and compositing are used.
    """
    person_layer = _layer_at(person_depth(mask, depth), centres) if person_pixels(mask).any() else 0
    if settings.focus is None or settings.compositing is Compositing.PAPER:
        radii_px = layer_radii(centres, focus, settings.aperture, depth.shape, settings.full)
        return LensSetup(radii_px, person_layer, person_layer)
    focus_layer = _layer_at(focus, centres)
    sharp = float(centres[focus_layer])
    full = None if settings.full is None else settings.full + sharp - focus  # the lens turns to the layer in focus
    radii_px = lens_radii(centres, sharp, settings.aperture, depth.shape, full)
    if full is not None:  # what is close to the lens
        radii_px = np.minimum(radii_px, MAX_APERTURE * image_diagonal_px(depth.shape))
    return LensSetup(radii_px, person_layer, focus_layer, float(radii_px[person_layer]))


def _layer_at(depth: float, centres: Floats) -> int:
    return int(nearest_layer(np.array(depth), centres))
