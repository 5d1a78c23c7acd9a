"""Decoded photos and labels at one size, in memory-mapped files, so that two cores never wait on JPEGs."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.training.data.labels import read_depth, read_mask
from portraiture.training.data.layouts import Sample

NYU_BORDER_PX = 12
"""The white sensor border of NYU frames, cut on all sides."""


def read_rgb(path: Path) -> np.ndarray:
    """A dataset photo as (H, W, 3) uint8 RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: expected a photo, could not decode it")
    return np.ascontiguousarray(image[..., ::-1])


def resize_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by area averaging (the right filter when shrinking); size in pixels."""
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def photo_with_mask(sample: Sample, height: int, width: int) -> np.ndarray:
    """(height, width, 4) uint8: RGB and soft mask 0..255."""
    rgb, mask = read_rgb(sample.photo), read_mask(sample.label)
    if rgb.shape[:2] != mask.shape:
        raise InputError(f"{sample.label}: expected a mask of {rgb.shape[:2]} like its photo, found {mask.shape}")
    soft = resize_area(mask.astype(np.uint8) * 255, height, width)
    return np.dstack([resize_area(rgb, height, width), soft])


def photo_with_depth(sample: Sample, height: int, width: int) -> np.ndarray:
    """(height, width, 4) uint8: RGB and depth level (0 unknown), NYU's border cut."""
    b = NYU_BORDER_PX
    rgb, depth = read_rgb(sample.photo)[b:-b, b:-b], read_depth(sample.label)[b:-b, b:-b]
    if rgb.shape[:2] != depth.shape:
        raise InputError(f"{sample.label}: expected a depth of {rgb.shape[:2]} like its photo, found {depth.shape}")
    if depth.max() > np.iinfo(np.uint8).max:
        raise InputError(f"{sample.label}: expected 8-bit depth levels, found {depth.max():g}; convert it to 8 bits")
    level = cv2.resize(depth.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.dstack([resize_area(rgb, height, width), level])


def photo_only(sample: Sample, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8: a background photo."""
    return resize_area(read_rgb(sample.photo), height, width)


Decoder = Callable[[Sample, int, int], np.ndarray]


def cached(samples: Sequence[Sample], decode: Decoder, height: int, width: int, folder: Path) -> np.ndarray:
    """Decode all samples once and return them as a memory-mapped array (n, height, width, channels).

    The file's name is a hash of what it holds, so that a changed list or size is decoded anew.
    """
    if not samples:
        raise InputError("expected photos to decode, found none; a dataset needs at least two, one is held out")
    key = "\n".join([decode.__name__, f"{height}x{width}", *(str(s.photo.resolve()) for s in samples)])
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        first = decode(samples[0], height, width)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        shape = (len(samples), *first.shape)
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)  # type: ignore[no-untyped-call]
        try:
            for i, sample in enumerate(tqdm(samples, desc=f"decoding at {height}x{width}", unit="photo")):
                array[i] = first if i == 0 else decode(sample, height, width)
            array.flush()
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    result: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return result
