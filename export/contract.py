"""The contract of every exported model, stated once.

From it come the signatures and layouts of the files, the manifest and the checks at run time. Whatever a mobile team
must know to call a model is a field here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from portraiture.reference.errors import InputError, unknown

VERSION = "3.0.0"
"""Semantic version of the contract: major when a name, shape, range or rule changes."""

MASK_WINDOW_PX = 5
"""Half width of the guided filter's windows that enlarge a mask, in pixels of the model's size."""

MASK_RIDGE = 1e-3
"""Its regularisation: variance of colour in 0..1 below this counts as none."""

RESIZE_RULE = {
    "shrink": "area average",
    "enlarge": "bilinear",
    "enlarge_mask": f"guided filter on the photo, windows of {2 * MASK_WINDOW_PX + 1} px at the model's size, "
    f"ridge {MASK_RIDGE:g}, coefficients enlarged bilinearly; bilinear where an app wants no more",
    "pixel_centres": "half-pixel: source = (target + 0.5) * scale - 0.5",
    "aspect": "stretched to the model's size; choose the size whose aspect is nearest to the photo's",
    "rounding": "the resized photo is rounded to 8 bits before it enters the model",
}

COMPOSE_LEAST = 1e-3
"""Added to the blur's share before it divides: where nothing is blurred the quotient is the model's portrait."""

COMPOSE_RULE = {
    "portrait": "photo + k (behind - photo), clipped to 0..1, rounded to 8 bits; where k is 0 the photo stays",
    "k": "(1 - mask at the photo's size) enlarge(c)",
    "behind": "enlarge(model portrait - (1 - s) model photo + e model portrait) / (enlarge(s) + e), the blurred light"
    f" without the person's, e = {COMPOSE_LEAST:g}",
    "s": "(1 - mask) c at the model's size",
    "c": "clip(radius_px, 0, 1) at the model's size",
    "enlarge": "bilinear, half-pixel",
    "radius_px": "aperture diagonal_px clip((depth - focus) / max(far - focus, 0.001), 0, 1) at the model's size",
    "focus": "as given to the model; where negative, sum(mask depth) / sum(mask)",
    "far": "sum(s depth) / sum(s), s = clip(100 (depth - low - 5/6 (high - low)) / max(high - low, 0.001), 0, 1),"
    " low and high the least and largest depth",
}
"""How an app brings the model's portrait to the photo's own size: what ``export/compose.py`` does."""


class Kind(Enum):
    """What a tensor holds; fixes its channels."""

    IMAGE = 3
    MAP = 1
    SCALAR = 0


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        name: in every target.
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
        """From ``512x384``; both numbers are multiples of 32 from 64 to 2048."""
        parts = text.lower().split("x")
        if len(parts) != 2 or not all(p.isdigit() for p in parts):
            raise InputError(f"--size: expected HxW such as 512x384, found {text!r}")
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
    0.04,
    "largest disk radius as a share of the image diagonal; 0 leaves the photo as is",
)
FOCUS = TensorSpec("focus", Kind.SCALAR, -1, 1, "depth that stays sharp; a negative value means the person's depth")
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


class Target(Enum):
    """File format."""

    TFLITE = "tflite"
    COREML = "coreml"
    ONNX = "onnx"


class Route(Enum):
    """What converts PyTorch to TFLite."""

    LITERT = "litert"
    ONNX_TF = "onnx-tf"


class Precision(Enum):
    """How weights are stored and arithmetic is done; finest first. Inputs and outputs are float in all of them.

    FP32: all float32.
    FP16: weights as fp16; Core ML's arithmetic too.
    INT8: the convolutions' weights as int8 by channel. TFLite quantizes what enters such a convolution when it runs;
        Core ML computes in fp16, ONNX in float32.
    INT8_STATIC: the convolutions' weights and activations as int8, the activations' ranges found on photos.
    PALETTIZED: each weight an index into its layer's table of 256 values, arithmetic in fp16.

    In the last three the recurrences, and all else that is no convolution, stay float.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT8_STATIC = "int8-static"
    PALETTIZED = "palettized"


class Packaging(Enum):
    """How models lie in files."""

    SINGLE = "single"
    """A file a model, size and precision."""
    SHARED = "shared"
    """A file a target and precision, weights kept once: TFLite signatures, Core ML functions (iOS 18)."""
    BOTH = "both"


LAYOUT = {Target.TFLITE: "NHWC", Target.COREML: "NCHW", Target.ONNX: "NCHW"}
SUFFIX = {Target.TFLITE: ".tflite", Target.COREML: ".mlpackage", Target.ONNX: ".onnx"}
DEFAULT_TARGETS = (Target.TFLITE, Target.COREML)
PRECISIONS = {
    Target.TFLITE: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT8_STATIC),
    Target.COREML: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.PALETTIZED),
    Target.ONNX: (Precision.FP32, Precision.FP16, Precision.INT8),
}
"""What each target can be written in."""


def model_contract(name: str) -> ModelContract:
    """The contract of a model by name; raises with the valid names."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return MODELS[name]


def describe(name: str, target: Target, size: Size) -> dict[str, Any]:
    """Manifest entry of a model's interface in a target."""
    contract = model_contract(name)
    layout = LAYOUT[target]

    def tensor(spec: TensorSpec, is_input: bool) -> dict[str, Any]:
        entry = asdict(spec) | {"kind": spec.kind.name.lower(), "layout": layout, "dtype": "float32"}
        entry["range"] = [entry.pop("low"), entry.pop("high")]
        entry["shape"] = list(spec.shape(size, layout))
        if target is Target.COREML and is_input and spec is RGB:
            entry |= {"dtype": "uint8 image (CVPixelBuffer)", "range": [0, 255], "layout": "image RGB"}
        if spec.kind is Kind.IMAGE:
            entry["colour_order"] = "RGB"
        return entry

    return {
        "meaning": contract.meaning,
        "inputs": [tensor(s, True) for s in contract.inputs],
        "outputs": [tensor(s, False) for s in contract.outputs],
    }


CONTRACT_KEY = "portraiture.contract"


def contract_json(models: Sequence[tuple[str, Size]], target: Target) -> str:
    """What a file carries of the contract, whatever its format: names, shapes, ranges, layouts, resize and composition.

    Args:
        models: name and size of each model in the file.
        target: the file's format.
    """
    entries = {f"{name}_{size}": describe(name, target, size) for name, size in models}
    rules = {"resize": RESIZE_RULE, "compose": COMPOSE_RULE}
    return json.dumps({"contract_version": VERSION, **rules, "models": entries}, sort_keys=True)
