"""Inputs and outputs at the program's boundary: validation, and the image conversions that Core ML documents.

An 8-bit image enters a program as 1xCxHxW values 0..255, in the channel order of its colour space; an ML
program holds any scale and bias as operations of its own. An 8-bit output image is clamped to 0..255 and rounded
(Apple does not document how a half is rounded; here to even).
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from portraiture.export.mil.dtypes import STORAGE
from portraiture.export.mil.package import ArrayFeature, ColourSpace, Feature, ImageFeature, TensorType
from portraiture.reference.errors import InputError


def describe(feature: Feature) -> str:
    """What a feed for this input must be, in words."""
    if isinstance(feature, ArrayFeature):
        sizes = "x".join("?" if size is None else str(size) for size in feature.type.shape)
        return f"{feature.name}: {feature.type.dtype.name.lower()} array {sizes or 'scalar'}"
    channels = "x3" if feature.colour in (ColourSpace.RGB, ColourSpace.BGR) else ""
    dtype = "float" if feature.colour is ColourSpace.GRAYSCALE_FLOAT16 else "uint8"
    order = " in R, G, B order" if channels else ""
    return f"{feature.name}: {dtype} image {feature.height}x{feature.width}{channels}{order}"


def check_feeds(features: Mapping[str, Feature], feeds: Mapping[str, np.ndarray]) -> None:
    """Check names, shapes, element types and finiteness.

    Raises:
        InputError: listing all that is expected, and the first thing that is not.
    """
    expected = "; ".join(describe(f) for f in features.values())
    if set(feeds) != set(features):
        raise InputError(
            f"program inputs: expected [{expected}], found the names {sorted(feeds)}; give each input once"
        )
    for name, feature in features.items():
        problem = _problem(feature, feeds[name])
        if problem:
            raise InputError(f"program inputs: expected [{expected}], found {name} {problem}; give it as listed")


def _problem(feature: Feature, value: object) -> str:
    """What is wrong with a feed; empty where nothing is."""
    if not isinstance(value, np.ndarray):
        return f"of type {type(value).__name__}, not a NumPy array"
    shape: tuple[int | None, ...]
    if isinstance(feature, ImageFeature):
        shape = (feature.height, feature.width)
        if feature.colour in (ColourSpace.RGB, ColourSpace.BGR):
            shape = (*shape, 3)
        eight_bit = feature.colour is not ColourSpace.GRAYSCALE_FLOAT16
        valid = value.dtype == np.uint8 if eight_bit else np.issubdtype(value.dtype, np.floating)
    else:
        shape = feature.type.shape
        valid = _same_kind(feature.type, value.dtype)
    if not _fits(shape, value.shape):
        return f"of shape {value.shape}"
    if not valid:
        return f"of type {value.dtype}"
    if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
        return "with NaN or infinite values"
    return ""


def _fits(declared: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    return len(declared) == len(shape) and all(d in (None, s) for d, s in zip(declared, shape, strict=True))


def _same_kind(declared: TensorType, dtype: np.dtype) -> bool:
    """Any float for a float, as the program may be run in float64; the exact type otherwise."""
    stored = STORAGE[declared.dtype].numpy
    if np.issubdtype(stored, np.floating):
        return np.issubdtype(dtype, np.floating)
    return dtype == np.dtype(stored)


def to_tensor(feature: Feature, value: np.ndarray, compute: torch.dtype) -> Tensor:
    """A checked feed as the program's tensor: arrays as they are, images as 1xCxHxW.

    Args:
        feature: the input that it is for.
        value: an array of the declared shape; an image HxWx3 or HxW.
        compute: type of floating-point values.
    """
    dtype = STORAGE[feature.type.dtype].torch or compute
    if isinstance(feature, ArrayFeature):
        return torch.tensor(value).to(dtype)
    if value.ndim == 2:
        return torch.tensor(value).to(dtype)[None, None]  # HxW -> 1x1xHxW
    tensor = torch.tensor(value).permute(2, 0, 1)[None]  # HxWx3 -> 1x3xHxW
    if feature.colour is ColourSpace.BGR:
        tensor = tensor.flip(1)
    return tensor.to(dtype)


def to_array(feature: Feature, tensor: Tensor) -> np.ndarray:
    """A program's output: arrays as they are, images as HxWx3 uint8 R, G, B, HxW uint8, or HxW float."""
    if isinstance(feature, ArrayFeature):
        return np.array(tensor.numpy())
    image = tensor[0]  # 1xCxHxW -> CxHxW
    if feature.colour is ColourSpace.GRAYSCALE_FLOAT16:
        return np.array(image[0].numpy())
    if not bool(torch.isfinite(image).all()):
        raise InputError(
            f"program output {feature.name}: expected finite values for an 8-bit image, found NaN or infinity;"
            " export the file again"
        )
    image = image.clamp(0, 255).round().to(torch.uint8)
    if feature.colour is ColourSpace.GRAYSCALE:
        return np.array(image[0].numpy())
    if feature.colour is ColourSpace.BGR:
        image = image.flip(0)
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())  # 3xHxW -> HxWx3
