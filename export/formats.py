"""The formats, precisions, routes and packagings that an export can have."""

from enum import Enum
from typing import Any


class Target(Enum):
    """File format."""

    TFLITE = "tflite"
    COREML = "coreml"
    ONNX = "onnx"
    COREAI = "coreai"


class Route(Enum):
    """What converts PyTorch to TFLite."""

    LITERT = "litert"
    ONNX_TF = "onnx-tf"


class Precision(Enum):
    """How weights are stored and arithmetic is done; finest first. Inputs and outputs are float in all of them.

    FP32: everything in float32.
    FP16: weights as fp16; the arithmetic of Core ML and Core AI too.
    INT8: the convolutions' weights as int8, one scale per channel. TFLite quantizes what enters such a convolution
        when it runs; Core ML and Core AI compute in fp16, ONNX in float32.
    INT8_STATIC: the convolutions' weights and activations as int8, the activations' ranges found on photos.
    PALETTIZED: each weight is an index into its layer's table of 256 values; arithmetic in fp16.
    PLAN: each layer's weights as a plan's file says, see ``plan.py``; arithmetic as in fp16.

    In the three before the last everything but the convolutions stays float, the recurrences among it.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT8_STATIC = "int8-static"
    PALETTIZED = "palettized"
    PLAN = "plan"


class Packaging(Enum):
    """How models lie in files."""

    SINGLE = "single"
    """One file per model, size and precision."""
    SHARED = "shared"
    """One file per target and precision, weights kept once: TFLite signatures, Core ML functions (iOS 18)."""
    BOTH = "both"


ROUTES: dict[Target, tuple[Route, ...]] = {Target.TFLITE: (Route.LITERT, Route.ONNX_TF)}
"""The routes by which a target can be written, the default first. A target that is not named has one way, which needs
no name."""

LAYOUT = {Target.TFLITE: "NHWC", Target.COREML: "NCHW", Target.ONNX: "NCHW", Target.COREAI: "NCHW"}

IMAGE_INPUT: dict[Target, dict[str, Any]] = {
    Target.COREML: {"dtype": "uint8 image (CVPixelBuffer)", "range": [0, 255], "layout": "image RGB"}
}
"""What the contract says of the photo's input where a format takes an image and no array of floats."""

SUFFIX = {Target.TFLITE: ".tflite", Target.COREML: ".mlpackage", Target.ONNX: ".onnx", Target.COREAI: ".aimodel"}

DEFAULT_TARGETS = (Target.TFLITE, Target.COREML)

OWN_EXTRAS = {Target.COREAI: "coreai"}
"""Targets whose packages the default install leaves out, and the extra that has them."""

BUILT_IN = tuple(target for target in Target if target not in OWN_EXTRAS)
"""Targets that every install writes and runs."""

PRECISIONS = {
    Target.TFLITE: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT8_STATIC, Precision.PLAN),
    Target.COREML: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.PALETTIZED, Precision.PLAN),
    Target.ONNX: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.PLAN),
    Target.COREAI: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.PALETTIZED),
}
"""What each target can be written in."""

FP16_ARITHMETIC = frozenset({Target.COREML, Target.COREAI})
"""Targets whose fp16 files compute in fp16. The fp16 files of the others store fp16 and compute in float32."""

INT8_LEAST_WEIGHTS = 8192
"""A convolution of fewer weights stays float in the int8 files of every format: it saves little, and the encoder's
first blocks, its depthwise convolutions and the layers that merge the propagated maps are such layers."""

PALETTE_LEAST_WEIGHTS = 16384
"""The same of palettized files. A table of 256 values costs more than a scale per channel, so that palettizing begins
at larger layers; chosen, not measured."""

SENSITIVE_BLOCKS = "6|12"
"""Blocks of the encoder, as alternatives of a pattern, whose last convolution (``project``) stays float as well. Of the
33 large convolutions these two lose most when each is quantized by itself (measured on 16 training photos at 512x384):
the mask falls to 52.7 and 58.1 dB, the next one to 63.4 dB.

With both rules the mask's IoU on 24 validation photos is at least 0.9984 (3.57 MB, TFLite). With only the stem and the
first block float it was 0.9936 (3.06 MB), and the file took one and a half times as long.
"""
