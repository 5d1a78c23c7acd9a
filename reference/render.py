"""The CRF renderer, sections 3.3 and 4.1: photo, mask and depth in, portrait out."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, Labels, as_map, as_rgb
from portraiture.reference.crf import label_layers
from portraiture.reference.errors import InputError, OptionError, unknown
from portraiture.reference.full_body import render_full_body
from portraiture.reference.layers import depth_layers
from portraiture.reference.lens import APERTURE_PAPER, image_diagonal_px, layer_radii, person_depth
from portraiture.reference.matting import TRIMAP_PX, matte
from portraiture.reference.selfie import render_selfie

MAX_APERTURE = 0.25
SELFIE_COVER = 0.20
SELFIE_BOTTOM = 1 / 3


class Mode(Enum):
    """Which renderer: (4) blurs all that is not the person alike, (10) blurs by depth."""

    AUTO = "auto"
    SELFIE = "selfie"
    FULL_BODY = "full-body"


@dataclass(frozen=True)
class RenderSettings:
    """What a user can choose.

    Attributes:
        mode: AUTO decides by ``choose_mode``, or takes FULL_BODY where a focus is given.
        aperture: largest disk radius as a share of the image diagonal, 0..0.25; 0 returns the photo.
        focus: depth in 0..1 up to which nothing is blurred; None takes the person's. Needs a depth.
        layers: K, at least 1.
        smoothness: lambda of (7), 0 or more.
        trimap_px: half width of the band that matting solves, 0 or more pixels.
        matting: False composites with the mask itself.
        seed: of the K-means starts.
    """

    mode: Mode = Mode.AUTO
    aperture: float = APERTURE_PAPER
    focus: float | None = None
    layers: int = 6
    smoothness: float = 10.0
    trimap_px: float = TRIMAP_PX
    matting: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises OptionError where a value is out of range or two of them conflict."""
        if not isinstance(self.mode, Mode):
            raise unknown("mode", self.mode, [f"Mode.{mode.name}" for mode in Mode])
        if self.focus is not None and self.mode is Mode.SELFIE:
            raise OptionError("focus: the selfie mode has no depth to focus in; drop focus or use full-body")
        focus = 0.0 if self.focus is None else self.focus
        for name, value, valid, wanted, usual in (
            ("aperture", self.aperture, 0 <= self.aperture <= MAX_APERTURE, "0..0.25", APERTURE_PAPER),
            ("focus", focus, 0 <= focus <= 1, "a depth in 0..1", None),
            ("layers", self.layers, self.layers >= 1, "1 or more", 6),
            ("smoothness", self.smoothness, 0 <= self.smoothness < math.inf, "0 or more", 10),
            ("trimap_px", self.trimap_px, 0 <= self.trimap_px < math.inf, "0 or more", TRIMAP_PX),
        ):
            if not valid:
                raise OptionError(f"{name}: expected {wanted}, found {value}; the default is {usual}")


DEFAULT_SETTINGS = RenderSettings()


@dataclass(frozen=True)
class RenderStages:
    """What each stage made, for a look.

    Attributes:
        mode: SELFIE or FULL_BODY, as used.
        alpha: HxW matte in 0..1.
        labels: HxW depth layers, near to far; all 0 for a selfie.
        radii_px: disk radius of each layer; one entry for a selfie.
        focus: the depth that stayed sharp; None for a selfie.
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
    image, person, far, mode = _check(rgb, mask, depth, settings)
    alpha = matte(image, person, settings.trimap_px) if settings.matting else person
    labels: Labels = np.zeros(person.shape, dtype=np.int64)
    radii_px: Floats = np.array([settings.aperture * image_diagonal_px(image.shape)])
    focus: float | None = None
    if mode is Mode.FULL_BODY and far is not None:
        layers = depth_layers(far, settings.layers, settings.seed)
        labels = label_layers(far, layers.unary, settings.smoothness)
        focus = person_depth(person, far) if settings.focus is None else settings.focus
        radii_px = layer_radii(layers.centres, focus, settings.aperture, image.shape)
        portrait = render_full_body(image, alpha, labels, radii_px)
    else:
        portrait = render_selfie(image, alpha, float(radii_px[0]))
    # The clip takes off rounding only: every colour is a convex combination of colours in 0..1.
    portrait = image.copy() if settings.aperture == 0 else np.clip(portrait, 0.0, 1.0)
    return RenderStages(mode, alpha, labels, radii_px, focus, portrait)


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
