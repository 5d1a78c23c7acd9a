"""Where a data set keeps its photos and labels: one function per data set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from portraiture.reference.errors import InputError
from portraiture.reference.photo.folder import PHOTO_SUFFIXES
from portraiture.training.data.annotations import annotation_files, drawn_masks
from portraiture.training.data.diw_levels import DIW_TRAIN, drawn_pairs

MASKS_FOLDER, ALPHA_FOLDER, PARTS_FOLDER, DEPTHS_FOLDER = "masks", "alpha", "hair", "depths"
"""Labels of a user's own folder, beside ``images``."""

LABEL_FOLDERS = (MASKS_FOLDER, ALPHA_FOLDER, PARTS_FOLDER, DEPTHS_FOLDER)
"""All of them."""


@dataclass(frozen=True)
class Sample:
    """One photo of a dataset and its label file (a mask or a depth map).

    Attributes:
        id: of the photo in its set.
        photo, label: files.
        trained: whether it belongs to training wherever it lies in the list, as a photo of its shot or sitting does.
        held_out: whether it is held out wherever it lies in the list, as the user says.
        soft: whether the label is a matte, of which every value counts, not a mask.
        partial: whether the label shows a part of the person alone, as the hair: what it leaves empty is unknown.
    """

    id: str
    photo: Path
    label: Path
    trained: bool = False
    held_out: bool = False
    soft: bool = False
    partial: bool = False


def _require_folder(path: Path, dataset: str) -> Path:
    if not path.is_dir():
        raise InputError(f"{dataset}: expected a folder {path}, found none; point --root at the dataset's top folder")
    return path


def _labelled(dataset: str, photos: list[Path], label_of: Callable[[Path], Path]) -> list[Sample]:
    """Photos with their labels, which must all be there."""
    if not photos:
        raise InputError(f"{dataset}: expected photos, found none; point --root at the dataset's top folder")
    samples = [Sample(p.stem, p, label_of(p)) for p in photos]
    missing = [s.label for s in samples if not s.label.is_file()]
    if missing:
        raise InputError(
            f"{dataset}: expected a label for every photo, {len(missing)} photos have no label;"
            f" add {missing[0]}, or remove its photo"
        )
    return samples


def _shen2016(root: Path) -> list[Sample]:
    photos = sorted(_require_folder(root / "images_data_crop", "shen2016").glob("*.jpg"))
    return _labelled("shen2016", photos, lambda p: root / "images_mask" / f"{p.stem}_mask.mat")


def _ccp(root: Path) -> list[Sample]:
    photos = sorted(_require_folder(root / "photos", "ccp").glob("*.jpg"))
    return _labelled("ccp", photos, lambda p: root / "pixel-level" / f"{p.stem}.mat")


def _nyu(root: Path) -> list[Sample]:
    photos = list(_require_folder(root / "nyu_images", "nyu").glob("*.jpg"))
    unnumbered = [p for p in photos if not p.stem.isdigit()]
    if unnumbered:
        raise InputError(f"nyu: expected photos named by numbers, found {unnumbered[0]}; remove or rename it")
    photos.sort(key=lambda p: int(p.stem))
    return _labelled("nyu", photos, lambda p: root / "nyu_depths" / f"{p.stem}.png")


def _files(folder: Path, dataset: str, expected: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Files of a folder in the order of their names, without hidden ones.

    Args:
        folder: where to look.
        dataset: the first word of a message.
        expected: what a message says the folder must hold.
        suffixes: endings in lower case; a file with another one is an error.
    """
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
                f"{dataset}: expected one file per stem in {path.parent}, found {names}; remove or rename one"
            )
        found[path.stem] = path
    return found


def _baidu(root: Path) -> list[Sample]:
    photos = _files(root / "images", "baidu", "NAME.jpg", (".jpg",))
    _files(root / "profiles", "baidu", "NAME-profile.jpg", ("-profile.jpg",))
    return _labelled("baidu", photos, lambda p: root / "profiles" / f"{p.stem}-profile.jpg")


def has_people(root: Path) -> bool:
    """Whether a user's own folder has masks, mattes or annotations of people, or masks of their hair."""
    folders = (MASKS_FOLDER, ALPHA_FOLDER, PARTS_FOLDER)
    return any((root / name).is_dir() for name in folders) or bool(annotation_files(root))


def _annotated(root: Path) -> list[Sample]:
    """Photos of ``images`` (COCO) or ``img`` (Supervisely) with masks drawn from their annotations."""
    images = root / ("images" if (root / "images").is_dir() else "img")
    expected = f"photos ({' '.join(PHOTO_SUFFIXES)})"
    photos = list(_by_stem("folder", _files(images, "folder", expected, PHOTO_SUFFIXES)).values())
    masks = drawn_masks(root, photos)
    return _labelled("folder", photos, lambda p: masks / f"{p.stem}.png")


def _folder(root: Path) -> list[Sample]:
    """Masks; where there are none, mattes; where there are none, annotations; where there are none, hair."""
    if not any((root / name).is_dir() for name in (MASKS_FOLDER, ALPHA_FOLDER)):
        if annotation_files(root):
            return _annotated(root)
        if (root / PARTS_FOLDER).is_dir():
            return [replace(s, partial=True) for s in _equal_stems(root, PARTS_FOLDER, "masks of hair", PHOTO_SUFFIXES)]
    if (root / ALPHA_FOLDER).is_dir() and not (root / MASKS_FOLDER).is_dir():
        return [replace(s, soft=True) for s in _equal_stems(root, ALPHA_FOLDER, "mattes", PHOTO_SUFFIXES)]
    return _equal_stems(root, MASKS_FOLDER, "masks", (*PHOTO_SUFFIXES, ".mat"))


def has_depths(root: Path) -> bool:
    """Whether a user's own folder has depth maps, or pairs of points as Depth in the Wild."""
    return (root / DEPTHS_FOLDER).is_dir() or (root / DIW_TRAIN).is_file()


def _folder_depths(root: Path) -> list[Sample]:
    """Depth maps; where there are none, Depth in the Wild's pairs drawn as such."""
    if not (root / DEPTHS_FOLDER).is_dir() and (root / DIW_TRAIN).is_file():
        drawn = drawn_pairs(root)
        return _labelled("folder", list(drawn), lambda p: drawn[p])
    return _equal_stems(root, DEPTHS_FOLDER, "depth maps", (".png",))


def _equal_stems(root: Path, folder: str, what: str, suffixes: tuple[str, ...]) -> list[Sample]:
    """Photos of ``images/`` with labels of the same stems.

    Args:
        root: holds both folders.
        folder: name of the labels' folder.
        what: the word for labels in a message.
        suffixes: endings that a label may have, in lower case.
    """
    photos, labels = (
        _by_stem("folder", _files(root / name, "folder", f"{meaning} ({' '.join(endings)})", endings))
        for name, meaning, endings in (("images", "photos", PHOTO_SUFFIXES), (folder, what, suffixes))
    )
    return _labelled("folder", list(photos.values()), lambda p: labels.get(p.stem, root / folder / f"{p.stem}.png"))


SEGMENTATION_SETS = {"shen2016": _shen2016, "ccp": _ccp, "baidu": _baidu, "folder": _folder}

DEPTH_SETS = {"nyu": _nyu, "folder": _folder_depths}

ALL_SETS = {**SEGMENTATION_SETS, "nyu": _nyu}
