"""The formats, precisions, routes and packagings that an export can have."""

from enum import Enum


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
