"""The interface of a runner and the checks all runners share."""

import os
from typing import Protocol

import numpy as np

from portraiture.export.contract import Kind, ModelContract, Size, TensorSpec
from portraiture.reference.errors import InputError

Array = np.ndarray

Feeds = dict[str, "Array | float"]


DEFAULT_THREADS = 2
"""Threads of a file where nothing says another number: the two large cores of most phones."""


class Runner(Protocol):
    """One opened model."""

    contract: ModelContract
    size: Size

    def run(self, feeds: Feeds) -> dict[str, Array]:
        """Outputs by name: images HxWx3, maps HxW, float."""
        ...


def file_threads() -> int:
    """Threads that run a TFLite or ONNX file: ``OMP_NUM_THREADS``, which the command line sets, or the default."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(first) if first.isdigit() and int(first) > 0 else DEFAULT_THREADS


def to_layout(spec: TensorSpec, value: "Array | float", size: Size, layout: str) -> Array:
    """Check a value against the contract and bring it into the layout of a file, float32.

    Args:
        spec: the input or output that it is for.
        value: an image HxWx3, a map HxW, or a number.
        size: height and width of the model in pixels.
        layout: ``NHWC`` or ``NCHW``.

    Returns:
        (1, H, W, C) or (1, C, H, W); a number as (1,).

    Raises:
        InputError: wrong shape or not finite.
    """
    array = np.asarray(value, dtype=np.float32)
    expected: tuple[int, ...] = (size.height, size.width)
    if spec.kind is Kind.IMAGE:
        expected = (*expected, 3)
    elif spec.kind is Kind.SCALAR:
        expected = ()
    if array.shape != expected:
        raise InputError(f"{spec.name}: expected shape {expected}, found {array.shape}; resize it to the model's size")
    if not np.isfinite(array).all():
        raise InputError(f"{spec.name}: expected finite values, found NaN or infinity; check what computed them")
    if spec.kind is Kind.SCALAR:
        return array.reshape(1)
    if spec.kind is Kind.MAP:
        array = array[..., None]
    array = array[None]  # (1, H, W, C)
    return np.ascontiguousarray(array if layout == "NHWC" else array.transpose(0, 3, 1, 2))


def from_layout(spec: TensorSpec, value: Array, layout: str) -> Array:
    """An output as the contract gives it: HxWx3, or HxW for a map.

    Args:
        spec: the output.
        value: (1, H, W, C) or (1, C, H, W).
        layout: ``NHWC`` or ``NCHW``.
    """
    array = value[0] if layout == "NHWC" else value[0].transpose(1, 2, 0)
    return np.asarray(array[..., 0] if spec.kind is Kind.MAP else array)


def check_feeds(contract: ModelContract, feeds: Feeds) -> None:
    """Raise unless the feeds are exactly the contract's inputs."""
    names = [s.name for s in contract.inputs]
    if sorted(feeds) != sorted(names):
        found = ", ".join(sorted(feeds)) or "none"
        raise InputError(f"{contract.name}: expected inputs {', '.join(names)}, found {found}; give these by name")
