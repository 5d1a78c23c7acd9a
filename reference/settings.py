"""What a user of the CRF renderer can choose, and what of it is the paper's."""

import math
from dataclasses import dataclass
from enum import Enum

from portraiture.reference.errors import OptionError, unknown
from portraiture.reference.lens.radii import APERTURE_PAPER

BLADES = (0, 5, 6, 7, 8, 9)
"""Numbers of blades that an iris can have; 0 is a disk."""


TRIMAP_PX = 10
"""Half width of the unknown band, as in the paper."""


MAX_APERTURE = 0.25
"""Largest aperture of the CRF renderer, 16 times the paper's: a disk as wide as half the diagonal. Chosen."""


class Mode(Enum):
    """Which renderer: (4) blurs everything but the person by one disk, (10) blurs by depth."""

    AUTO = "auto"
    SELFIE = "selfie"
    FULL_BODY = "full-body"


class Compositing(Enum):
    """How the blurred layers meet.

    PAPER is equation (10), (4) for selfies: the person is sharp, nothing before the focus is blurred, and a sharp
    layer's colours enter the blur of its neighbours. OCCLUSION is ours, what a lens does: each layer is blurred by
    itself in linear light and composed from far to near; with a focus behind the person, the person and everything
    nearer than the focus are blurred too.
    """

    PAPER = "paper"
    OCCLUSION = "occlusion"


class Matting(Enum):
    """How the band at the mask's edge is solved: the paper's KNN matting, closed form, or the mask as it is.

    AUTO is KNN with PAPER. With OCCLUSION it is closed form: equation (10) hides a matte that is too low inside
    the person, because its blur then takes in the person's colours; shown against what is behind, it is a hole.
    """

    AUTO = "auto"
    KNN = "knn"
    CLOSED_FORM = "closed-form"
    NONE = "none"


@dataclass(frozen=True)
class RenderSettings:
    """What a user can choose. The defaults are the paper's method.

    Attributes:
        mode: AUTO decides by ``choose_mode``, or takes FULL_BODY where a focus is given.
        aperture: largest disk radius as a share of the image diagonal, 0 to ``MAX_APERTURE``; 0 returns the photo.
        focus: depth in 0..1 that stays sharp, ``lens.depth_at`` of a tapped point; None takes the person's, and
            then nothing nearer is blurred. Needs a depth.
        full: depth in 0..1 whose radius is the aperture, others in proportion to their distance from the focus; None
            takes the farthest layer's. A lens in its own units needs it, see ``lens/metres.py``.
        layers: K, at least 1.
        smoothness: lambda of (7), 0 or more.
        trimap_px: half width of the band that matting solves, 0 or more pixels.
        matting: see ``Matting``.
        compositing: see ``Compositing``.
        linear_light: PAPER blurs linear light instead of coded values. OCCLUSION always does.
        highlights: gain of ``recover_highlights``, 0 or more; 0 recovers none. With OCCLUSION only.
        blades: number of blades of the iris, 5..9, or 0 for the disk of (5). With OCCLUSION only.
        rotation_deg: how far the iris is turned, in degrees, see ``iris_kernel``.
        grain: adds the sharp region's noise where the blur took it away. With OCCLUSION only.
        seed: of the grain, 0 or more.
    """

    mode: Mode = Mode.AUTO
    aperture: float = APERTURE_PAPER
    focus: float | None = None
    full: float | None = None
    layers: int = 6
    smoothness: float = 10.0
    trimap_px: float = TRIMAP_PX
    matting: Matting = Matting.AUTO
    compositing: Compositing = Compositing.PAPER
    linear_light: bool = False
    highlights: float = 0.0
    blades: int = 0
    rotation_deg: float = 0.0
    grain: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises OptionError where a value is out of range or two of them conflict."""
        for name, choice, kind in (
            ("mode", self.mode, Mode),
            ("matting", self.matting, Matting),
            ("compositing", self.compositing, Compositing),
        ):
            if not isinstance(choice, kind):
                raise unknown(name, choice, [f"{kind.__name__}.{member.name}" for member in kind])
        if self.focus is not None and self.mode is Mode.SELFIE:
            raise OptionError("focus: the selfie mode has no depth to focus in; drop focus or use full-body")
        focus, full = (0.0 if depth is None else depth for depth in (self.focus, self.full))
        for name, value, valid, wanted, usual in (
            ("aperture", self.aperture, 0 <= self.aperture <= MAX_APERTURE, f"0..{MAX_APERTURE}", APERTURE_PAPER),
            ("focus", focus, 0 <= focus <= 1, "a depth in 0..1", None),
            ("full", full, 0 <= full <= 1, "a depth in 0..1", None),
            ("layers", self.layers, self.layers >= 1, "1 or more", 6),
            ("smoothness", self.smoothness, 0 <= self.smoothness < math.inf, "0 or more", 10),
            ("trimap_px", self.trimap_px, 0 <= self.trimap_px < math.inf, "0 or more", TRIMAP_PX),
            ("highlights", self.highlights, 0 <= self.highlights < math.inf, "0 or more", 0),
            ("blades", self.blades, self.blades in BLADES, f"one of {', '.join(map(str, BLADES))}", 0),
            ("rotation_deg", self.rotation_deg, math.isfinite(self.rotation_deg), "an angle in degrees", 0),
            ("seed", self.seed, self.seed >= 0, "0 or more", 0),
        ):
            if not valid:
                raise OptionError(f"{name}: expected {wanted}, found {value}; the default is {usual}")
        if self.compositing is Compositing.PAPER and (self.highlights or self.blades or self.grain):
            raise OptionError(
                "highlights, blades, grain: expected compositing occlusion with them, found paper; choose occlusion"
            )


DEFAULT_SETTINGS = RenderSettings()
