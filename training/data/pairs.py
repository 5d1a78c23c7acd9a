"""Where the files of each dataset lie, and which ids are held out.

Layouts are the datasets' own (see the README of each), so that anyone who owns a full set can point the same command
at it. ``validation`` is the last 15 % of the sorted ids of a set; they are never trained on.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from portraiture.reference.errors import InputError, unknown

VALIDATION_SHARE = 0.15
DEPTHS_FOLDER = "depths"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class Split(Enum):
    """Part of a dataset."""

    TRAIN = "train"
    VALIDATION = "validation"
    ALL = "all"


@dataclass(frozen=True)
class Sample:
    """One photo of a dataset and its label file (a mask or a depth map)."""

    id: str
    photo: Path
    label: Path


def _require_folder(path: Path, dataset: str) -> Path:
    if not path.is_dir():
        raise InputError(f"{dataset}: expected a folder {path}, found none; point --root at the dataset's top folder")
    return path


def _pairs(dataset: str, photos: list[Path], label_of: Callable[[Path], Path]) -> list[Sample]:
    if not photos:
        raise InputError(f"{dataset}: expected photos, found none; point --root at the dataset's top folder")
    samples = [Sample(p.stem, p, label_of(p)) for p in photos]
    missing = [s.label for s in samples if not s.label.is_file()]
    if missing:
        raise InputError(f"{dataset}: {len(missing)} photos have no label; the first expected is {missing[0]}")
    return samples


def _shen2016(root: Path) -> list[Sample]:
    photos = sorted(_require_folder(root / "images_data_crop", "shen2016").glob("*.jpg"))
    return _pairs("shen2016", photos, lambda p: root / "images_mask" / f"{p.stem}_mask.mat")


def _ccp(root: Path) -> list[Sample]:
    photos = sorted(_require_folder(root / "photos", "ccp").glob("*.jpg"))
    return _pairs("ccp", photos, lambda p: root / "pixel-level" / f"{p.stem}.mat")


def _nyu(root: Path) -> list[Sample]:
    photos = list(_require_folder(root / "nyu_images", "nyu").glob("*.jpg"))
    unnumbered = [p for p in photos if not p.stem.isdigit()]
    if unnumbered:
        raise InputError(f"nyu: expected photos named by numbers, found {unnumbered[0]}; remove or rename it")
    photos.sort(key=lambda p: int(p.stem))
    return _pairs("nyu", photos, lambda p: root / "nyu_depths" / f"{p.stem}.png")


def _files(folder: Path, dataset: str, expected: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Files of a folder in the order of their names, hidden ones left out; each ends in one of ``suffixes``."""
    files = sorted(p for p in _require_folder(folder, dataset).iterdir() if p.is_file() and not p.name.startswith("."))
    odd = [p for p in files if not p.name.lower().endswith(suffixes)]
    if odd:
        raise InputError(f"{dataset}: expected {expected} in {folder}, found {odd[0].name}; remove or rename it")
    return files


def _by_stem(dataset: str, files: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            names = f"{found[path.stem].name} and {path.name}"
            raise InputError(
                f"{dataset}: expected one file a stem in {path.parent}, found {names}; remove or rename one"
            )
        found[path.stem] = path
    return found


def _baidu(root: Path) -> list[Sample]:
    photos = _files(root / "images", "baidu", "NAME.jpg", (".jpg",))
    _files(root / "profiles", "baidu", "NAME-profile.jpg", ("-profile.jpg",))
    return _pairs("baidu", photos, lambda p: root / "profiles" / f"{p.stem}-profile.jpg")


def _folder(root: Path) -> list[Sample]:
    return _stem_pairs(root, "masks", "masks", (*PHOTO_SUFFIXES, ".mat"))


def _folder_depths(root: Path) -> list[Sample]:
    return _stem_pairs(root, DEPTHS_FOLDER, "depth maps", (".png",))


def _stem_pairs(root: Path, folder: str, what: str, suffixes: tuple[str, ...]) -> list[Sample]:
    """``images/`` and a folder of labels of the same stems."""
    photos, labels = (
        _by_stem("folder", _files(root / name, "folder", f"{meaning} ({' '.join(endings)})", endings))
        for name, meaning, endings in (("images", "photos", PHOTO_SUFFIXES), (folder, what, suffixes))
    )
    return _pairs("folder", list(photos.values()), lambda p: labels.get(p.stem, root / folder / f"{p.stem}.png"))


SEGMENTATION_SETS = {"shen2016": _shen2016, "ccp": _ccp, "baidu": _baidu, "folder": _folder}
DEPTH_SETS = {"nyu": _nyu, "folder": _folder_depths}
_ALL_SETS = {**SEGMENTATION_SETS, "nyu": _nyu}


def split_of(samples: list[Sample], split: Split) -> list[Sample]:
    """The part of a sorted list: validation is its last 15 %."""
    first_held_out = int(len(samples) * (1 - VALIDATION_SHARE))
    if split is Split.TRAIN:
        return samples[:first_held_out]
    return samples[first_held_out:] if split is Split.VALIDATION else samples


def _list(sets: Mapping[str, Callable[[Path], list[Sample]]], dataset: str, root: Path, split: Split) -> list[Sample]:
    if dataset not in sets:
        raise unknown("dataset", dataset, sets)
    return split_of(sets[dataset](root), split)


def list_samples(dataset: str, root: Path, split: Split = Split.ALL) -> list[Sample]:
    """The samples of a dataset, in the order of their ids; those of ``folder`` have masks.

    Raises:
        OptionError: an unknown dataset.
        InputError: a folder or a label is missing, or a file has another name than the layout asks for.
    """
    return _list(_ALL_SETS, dataset, root, split)


def list_depths(dataset: str, root: Path, split: Split = Split.ALL) -> list[Sample]:
    """As :func:`list_samples`, of the sets whose labels are depth maps: ``nyu``, and ``folder`` with ``depths/``."""
    return _list(DEPTH_SETS, dataset, root, split)


def check_label_size(sample: Sample, photo: np.ndarray, label: np.ndarray) -> None:
    """Raise unless photo (H, W, 3) and label (H, W) agree in height and width.

    Raises:
        InputError: they differ.
    """
    if photo.shape[:2] != label.shape:
        (h, w), (label_h, label_w) = photo.shape[:2], label.shape
        raise InputError(
            f"{sample.label}: expected {h}x{w} (height x width) like its photo {sample.photo.name}, found"
            f" {label_h}x{label_w}; export the pair at one size"
        )


def read_mask(path: Path) -> np.ndarray:
    """A label file as a person mask (H, W) of bool: MATLAB (person > 0) or an image (person >= half)."""
    if path.suffix == ".mat":
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError

        try:
            arrays = {k: v for k, v in loadmat(path).items() if not k.startswith("_")}
        except (ValueError, OSError, IndexError, NotImplementedError, zlib.error, MatReadError) as error:
            raise InputError(f"{path}: expected a MATLAB 5 file with one label array ({error})") from error
        if len(arrays) != 1 or next(iter(arrays.values())).ndim != 2:
            raise InputError(f"{path}: expected one HxW array, found {sorted(arrays)}")
        person: np.ndarray = next(iter(arrays.values())) > 0
        return person
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise InputError(f"{path}: expected a mask image, could not decode it")
    return image >= 128


def read_depth(path: Path) -> np.ndarray:
    """A grey depth PNG of 8 or 16 bits as (H, W) float32: larger is farther, the file's own units, 0 unknown."""
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 2:
        raise InputError(f"{path}: expected a grey depth image, could not decode one")
    return image.astype(np.float32)
