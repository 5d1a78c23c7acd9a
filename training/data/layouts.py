"""Where a data set keeps its photos and labels: one function per data set."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from portraiture.reference.errors import InputError

DEPTHS_FOLDER = "depths"

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


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

ALL_SETS = {**SEGMENTATION_SETS, "nyu": _nyu}
