"""Reads label files: person masks and depth maps."""

from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from portraiture.reference.errors import InputError
from portraiture.reference.photo.kinds import DAMAGE
from portraiture.training.data.layouts import Sample

_MOST_CLASSES = 2
"""A mask image of no larger value holds numbers of classes, not grey: nobody would be found in it."""


def check_label_size(sample: Sample, photo: np.ndarray, label: np.ndarray) -> None:
    """Check that a photo and its label have one size.

    Args:
        sample: names the files in the message.
        photo: (H, W, 3).
        label: (H, W).

    Raises:
        InputError: they differ.
    """
    if photo.shape[:2] != label.shape:
        (h, w), (label_h, label_w) = photo.shape[:2], label.shape
        raise InputError(
            f"{sample.label}: expected {h}x{w} (height x width) like its photo {sample.photo.name}, found"
            f" {label_h}x{label_w}; export the pair at one size"
        )


def mask_size(path: Path) -> tuple[int, int]:
    """Height and width of a mask, of an image from its header alone.

    Raises:
        InputError: the file does not decode.
    """
    if path.suffix == ".mat":
        height, width = read_mask(path).shape
        return height, width
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            return (image.width, image.height) if turned else (image.height, image.width)
    except DAMAGE as error:
        raise InputError(f"{path}: expected a mask image, found bytes that do not decode; export it as PNG") from error


def read_mask(path: Path) -> np.ndarray:
    """A label file as a person mask (H, W) of bool: MATLAB (person > 0) or an image (person >= half)."""
    if path.suffix == ".mat":
        from scipy.io import loadmat

        try:
            arrays = {k: v for k, v in loadmat(path).items() if not k.startswith("_")}
        except Exception as error:  # SciPy's errors have no common base
            raise InputError(
                f"{path}: expected a MATLAB 5 file with one label array ({error}); save it with -v7"
            ) from error
        if len(arrays) != 1 or next(iter(arrays.values())).ndim != 2:
            found = ", ".join(f"{name} {array.shape}" for name, array in sorted(arrays.items())) or "none"
            raise InputError(f"{path}: expected one HxW array, found {found}; save the label alone")
        person: np.ndarray = next(iter(arrays.values())) > 0
        return person
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise InputError(f"{path}: expected a mask image, found bytes that do not decode; export it as PNG")
    _refuse_classes(path, image)
    return image >= 128


def read_alpha(path: Path) -> np.ndarray:
    """A matte, grey or with an alpha channel, as (H, W) uint8: 0 background, 255 person."""
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"{path}: expected a matte, found bytes that do not decode; export it as PNG")
    if image.ndim == 3:
        # an alpha channel that is opaque everywhere says nothing
        full = 65535 if image.dtype == np.uint16 else 255
        opaque = image.shape[2] < 4 or image[..., 3].min() == full
        image = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY) if opaque else image[..., 3]
    _refuse_classes(path, image)
    return np.asarray(image // 257 if image.dtype == np.uint16 else image, np.uint8)


def read_soft_label(sample: Sample) -> np.ndarray:
    """A sample's mask or matte as (H, W) uint8: 0 background, 255 person."""
    return read_alpha(sample.label) if sample.soft else read_mask(sample.label).astype(np.uint8) * 255


def read_label(sample: Sample) -> np.ndarray:
    """A sample's mask, or its matte from half on, as (H, W) of bool."""
    return read_soft_label(sample) >= 128


def _refuse_classes(path: Path, image: np.ndarray) -> None:
    if 0 < image.max() <= _MOST_CLASSES:
        raise InputError(
            f"{path}: expected a mask with the person at 128 and more, found no value above {image.max()};"
            " multiply it by 255"
        )


def read_depth(path: Path) -> np.ndarray:
    """A grey depth PNG of 8 or 16 bits as (H, W) float32: larger is farther, the file's own units, 0 unknown."""
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 2:
        raise InputError(f"{path}: expected a grey depth image, found another; export it as a PNG of 8 or 16 bits")
    return image.astype(np.float32)
