"""Decoded photos and labels at one size, in memory-mapped files, so that two cores never wait on JPEGs."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.reference.files import new_file
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.labels import check_label_size, read_depth, read_soft_label
from portraiture.training.data.layouts import Sample
from portraiture.training.data.nyu import BORDER_PX

DECODER_VERSION = 2
"""Enters the name of every cache file: raise it when a decoder gives other pixels. 2 reads by ``read_photo``."""


def resize_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by area averaging, the right filter for shrinking.

    Args:
        image: (H, W) or (H, W, C), uint8 or float32 of any range.
        height, width: of the result, in pixels.
    """
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def photo_with_mask(sample: Sample, height: int, width: int) -> np.ndarray:
    """A photo and its mask at another size.

    Args:
        sample: photo, and mask or matte as its label.
        height, width: of the result, in pixels.

    Returns:
        (height, width, 4) uint8: RGB and soft mask 0..255.
    """
    rgb = read_photo(sample.photo)
    mask = read_soft_label(sample)
    check_label_size(sample, rgb, mask)
    soft = resize_area(mask, height, width)
    return np.dstack([resize_area(rgb, height, width), soft])


def photo_with_depth(sample: Sample, height: int, width: int) -> np.ndarray:
    """A photo of NYU and its depth at another size, without the sensor border.

    Args:
        sample: photo, and depth map as its label.
        height, width: of the result, in pixels.

    Returns:
        (height, width, 4) uint8: RGB and depth level, 0 unknown.
    """
    rgb, depth = read_photo(sample.photo), read_depth(sample.label)
    check_label_size(sample, rgb, depth)
    if depth.max() > np.iinfo(np.uint8).max:
        raise InputError(f"{sample.label}: expected 8-bit depth levels, found {depth.max():g}; convert it to 8 bits")
    inner = slice(BORDER_PX, -BORDER_PX)
    level = cv2.resize(depth[inner, inner].astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.dstack([resize_area(rgb[inner, inner], height, width), level])


def photo_with_relative_depth(sample: Sample, height: int, width: int) -> np.ndarray:
    """A photo of a user's folder and its depth at another size, the farthest point at 255.

    Args:
        sample: photo, and depth map as its label.
        height, width: of the result, in pixels.

    Returns:
        (height, width, 4) uint8: RGB and depth level, 0 unknown; ratios of depths are the map's.
    """
    rgb, depth = read_photo(sample.photo), read_depth(sample.label)
    check_label_size(sample, rgb, depth)
    shares = np.rint(depth * (255 / max(float(depth.max()), 1.0))).astype(np.uint8)
    level = cv2.resize(shares, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.dstack([resize_area(rgb, height, width), level])


def photo_only(sample: Sample, height: int, width: int) -> np.ndarray:
    """A photo at another size, such as a background.

    Args:
        sample: photo; its label is not read.
        height, width: of the result, in pixels.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    return resize_area(read_photo(sample.photo), height, width)


Decoder = Callable[[Sample, int, int], np.ndarray]


def cached(samples: Sequence[Sample], decode: Decoder, height: int, width: int, folder: Path) -> np.ndarray:
    """Decode all samples once; later calls map the file that the first one wrote.

    The file's name is a hash of the decoder, the size and the list of photos: another list or size is decoded anew.

    Args:
        samples: at least one.
        decode: gives (height, width, channels) uint8 for one sample.
        height, width: of all results, in pixels.
        folder: of the cache files; it is made.

    Returns:
        Memory-mapped (n, height, width, channels) uint8, read only.

    Raises:
        InputError: no samples, or one that does not decode.
    """
    if not samples:
        raise InputError("expected photos to decode, found none; give two or more per set, as one is held out")
    decoder = f"{decode.__name__} {DECODER_VERSION}"
    # a label that was corrected, or is another's, is decoded anew
    files = [f"{s.photo.resolve()} {s.label.resolve()} {s.label.stat().st_mtime_ns}" for s in samples]
    key = "\n".join([decoder, f"{height}x{width}", *files])
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with new_file(path) as temporary:
            _decode_all(samples, decode, (height, width), temporary)
    result: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return result


def _decode_all(samples: Sequence[Sample], decode: Decoder, size: tuple[int, int], path: Path) -> None:
    """Write all samples at ``size`` (height, width) as one array file."""
    first = decode(samples[0], *size)
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(samples), *first.shape)}
    with path.open("wb") as file:  # not mapped: a full disk would end the process with a signal
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        for i, sample in enumerate(tqdm(samples, desc=f"decoding at {size[0]}x{size[1]}", unit="photo", disable=None)):
            file.write((first if i == 0 else decode(sample, *size)).tobytes())
