"""The contract of every exported model, stated once.

The signatures and layouts of the files, the manifest and the checks at run time come from it. Whatever an app's
developer must know to call a model is a field here.
"""

from dataclasses import dataclass
from enum import Enum

from portraiture.reference.errors import InputError, unknown
from portraiture.reference.lens import LEARNT_APERTURE

VERSION = "5.0.0"
"""Semantic version of the contract: major when a name, shape, range or rule changes."""


class Kind(Enum):
    """What a tensor holds; fixes its channels."""

    IMAGE = 3
    MAP = 1
    SCALAR = 0


class FilterLook(Enum):
    """What the filter draws; the models' contract is the same.

    PAPER is equation (10), LENS the occlusion renderer: what is nearer than the focus is blurred over what is sharp, in
    linear light, and clipped lights bloom.
    """

    PAPER = "paper"
    LENS = "lens"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        name: the same in every target.
        kind: image (3 channels), map (1 channel) or scalar.
        low, high: range of values.
        meaning: one line for the app developer.
    """

    name: str
    kind: Kind
    low: float
    high: float
    meaning: str

    def shape(self, size: "Size", layout: str) -> tuple[int, ...]:
        """Shape at a size, layout ``NHWC`` or ``NCHW``; a scalar is (1,)."""
        if self.kind is Kind.SCALAR:
            return (1,)
        channels = self.kind.value
        if layout == "NHWC":
            return (1, size.height, size.width, channels)
        return (1, channels, size.height, size.width)


@dataclass(frozen=True, order=True)
class Size:
    """Height and width in pixels, written HxW."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"

    @staticmethod
    def parse(text: str) -> "Size":
        """A size from text; both numbers are multiples of 32 from 64 to 2048.

        >>> Size.parse("512x384")
        Size(height=512, width=384)
        """
        parts = text.lower().split("x")
        if len(parts) != 2 or not all(p.isdigit() for p in parts):
            raise InputError(
                f"--size: expected HxW such as 512x384, found {text!r}; give height, x and width in pixels"
            )
        size = Size(int(parts[0]), int(parts[1]))
        if any(n % 32 or not 64 <= n <= 2048 for n in (size.height, size.width)):
            raise InputError(f"--size: expected multiples of 32 from 64 to 2048, found {text!r}; try 512x384")
        return size


@dataclass(frozen=True)
class ModelContract:
    """Inputs and outputs of an exported model, in order."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    meaning: str


RGB = TensorSpec("rgb", Kind.IMAGE, 0, 1, "photo, sRGB, channel order R G B, 8-bit values divided by 255")

MASK = TensorSpec("mask", Kind.MAP, 0, 1, "probability that a pixel belongs to a person")

DEPTH = TensorSpec("depth", Kind.MAP, 0, 1, "relative depth, larger is farther")

COARSE_MASK = TensorSpec("coarse_mask", Kind.MAP, 0, 1, "the app's own mask of any quality, at the model's size")

COARSE_DEPTH = TensorSpec("coarse_depth", Kind.MAP, 0, 1, "the app's own relative depth, larger is farther")

APERTURE = TensorSpec(
    "aperture",
    Kind.SCALAR,
    0,
    LEARNT_APERTURE,
    "largest disk radius as a share of the image diagonal; 0 leaves the photo as is",
)

FOCUS = TensorSpec(
    "focus",
    Kind.SCALAR,
    -1,
    1,
    "depth that stays sharp; a negative value means the person's depth, and one blur behind the person of a selfie",
)

PORTRAIT = TensorSpec("portrait", Kind.IMAGE, 0, 1, "photo with shallow depth of field, sRGB, R G B")


MODELS = {
    m.name: m
    for m in (
        ModelContract("perception", (RGB,), (MASK, DEPTH), "person mask and relative depth of a photo"),
        ModelContract("filter", (RGB, MASK, DEPTH, APERTURE, FOCUS), (PORTRAIT,), "renders depth of field"),
        ModelContract(
            "portrait", (RGB, APERTURE, FOCUS), (PORTRAIT, MASK, DEPTH), "perception and filter in one model"
        ),
        ModelContract("coarse", (RGB,), (MASK, DEPTH), "mask and depth before the spatial propagation"),
        ModelContract("segmentation_spn", (RGB, COARSE_MASK), (MASK,), "refines an app's own mask along the photo"),
        ModelContract("depth_spn", (RGB, COARSE_DEPTH), (DEPTH,), "refines an app's own depth along the photo"),
    )
}

DEFAULT_MODELS = ("perception", "filter", "portrait")

DEFAULT_SIZE = Size(512, 384)


def model_contract(name: str) -> ModelContract:
    """The contract of a model by name; raises with the valid names."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return MODELS[name]
