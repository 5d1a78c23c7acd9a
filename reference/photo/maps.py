"""Reads masks and depth maps."""

import io
import os
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes


def read_map(path: str | os.PathLike[str], shape: tuple[int, int]) -> Floats:
    """Reads a mask or a depth.

    Args:
        path: a gray PNG of 8 or 16 bits (divided by 255 or 65535), or a .npy of float32 or float64 in 0..1.
        shape: (H, W) of the photo it belongs to.

    Returns:
        HxW float64 in 0..1.

    Raises:
        InputError: no such file, another format, another shape, a value not finite or outside 0..1.
    """
    path = Path(path)
    data = read_bytes(path, "a map")
    array = _parse_npy(path, data) if path.suffix.lower() == ".npy" else _parse_gray_png(path, data)
    if array.shape != tuple(shape) or array.size == 0:
        raise InputError(f"{path}: expected the photo's shape {shape}, found {array.shape}; resize the map")
    low, high = float(array.min()), float(array.max())  # NaN fails the comparison
    if not (low >= 0 and high <= 1):
        raise InputError(f"{path}: expected finite values in 0..1, found {low:.6g}..{high:.6g}; rescale it")
    return array.astype(np.float64)


def _parse_npy(path: Path, data: bytes) -> AnyArray:
    try:
        if not data.startswith(b"\x93NUMPY"):
            raise ValueError("no .npy, perhaps an archive")
        array = np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
    except Exception:  # NumPy reads the header as Python source: its errors have no common base
        raise InputError(
            f"{path}: expected a .npy array without objects, found another content; write it with numpy.save"
        ) from None
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"{path}: expected float32 or float64, found {array.dtype}; convert the map")
    return array


def _parse_gray_png(path: Path, data: bytes) -> AnyArray:
    array: AnyArray | None = None
    if data[1:4] == b"PNG":
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise InputError(f"{path}: expected a gray PNG or a .npy, found another content; save it as PNG")
    if array.ndim != 2:
        raise InputError(f"{path}: expected a gray PNG, found {array.shape[2]} channels; save one channel")
    return np.asarray(array, dtype=np.float64) / (65535.0 if array.dtype == np.uint16 else 255.0)
