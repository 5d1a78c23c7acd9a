"""Pair folders: a photo, its maps and the reference's pictures, as PNGs and one JSON file.

    NAME/photo.png      (h, w, 3) 8 bit
    NAME/mask.png       (h, w)    8 bit, value / 255
    NAME/depth.png      (h, w)    16 bit, value / 65535, larger is farther
    NAME/target_K.png   (h, w, 3) 16 bit, value / 65535: the picture at setting K
    NAME/pair.json      settings, size, where the mask is from

The reference renders from the rounded maps, so that a pair is consistent to half a step of its 16-bit target. A folder
is written under a hidden temporary name and renamed when it is whole; readers ignore hidden names.
"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.files import LEFTOVERS, new_folder, parse_json, write_json
from portraiture.training.rendered.settings import LensSetting

VERSION = 1
"""Version of the form of a pair folder; another one is refused."""

_STALE_S = 3600.0
"""Age at which an unfinished folder is taken for a killed run's: no pair takes an hour. Chosen, not measured."""


PAIR_FILE = "pair.json"
"""What a pair says of itself; a pair that has it is whole."""


@dataclass(frozen=True)
class RenderedPair:
    """A photo, its maps and the reference's pictures of it.

    Attributes:
        rgb: (h, w, 3) uint8.
        mask: (h, w) uint8, 0..255 for 0..1.
        depth: (h, w) uint16, 0..65535 for 0..1, larger is farther.
        targets: (settings, h, w, 3) uint16, 0..65535 for 0..1.
        settings: the targets' settings, in their order.
    """

    rgb: np.ndarray
    mask: np.ndarray
    depth: np.ndarray
    targets: np.ndarray
    settings: tuple[LensSetting, ...]


def _write(path: Path, image: np.ndarray) -> None:
    done, data = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)
    assert done
    path.write_bytes(data.tobytes())


def write_pair(folder: Path, name: str, pair: RenderedPair, about: Mapping[str, object]) -> None:
    """Write a pair; it appears whole or not at all.

    Args:
        folder: holds all pairs; it is made.
        name: this pair's name; if it exists the new pair is dropped, since another machine has just made it.
        pair: what to write.
        about: further entries of ``pair.json``.
    """
    with new_folder(folder / name) as temporary:
        for stem, image in (("photo", pair.rgb), ("mask", pair.mask), ("depth", pair.depth)):
            _write(temporary / f"{stem}.png", image)
        for k, target in enumerate(pair.targets):
            _write(temporary / f"target_{k}.png", target)
        entry = {
            **about,
            "version": VERSION,
            "size": list(pair.mask.shape),
            "settings": [{"aperture": s.aperture, "focus": s.focus} for s in pair.settings],
        }
        write_json(temporary / "pair.json", entry)


def remove_stale(folder: Path) -> None:
    """Remove what killed runs left unfinished, an hour old or more: younger ones may be another machine's work."""
    for path in folder.glob(LEFTOVERS):
        if path.is_dir() and time.time() - path.stat().st_mtime > _STALE_S:
            shutil.rmtree(path, ignore_errors=True)


def list_pairs(folder: Path) -> list[Path]:
    """The pairs of a folder in the order of their names.

    Raises:
        InputError: no folder, or no pair in it.
    """
    if not folder.is_dir():
        raise InputError(f"pairs: expected a folder, found none at {folder}; make one with portraiture pairs")
    found = sorted(p.parent for p in folder.glob(f"*/{PAIR_FILE}") if not p.parent.name.startswith("."))
    if not found:
        raise InputError(f"pairs: expected pair folders in {folder}, found none; make some with portraiture pairs")
    return found


def read_settings(path: Path) -> tuple[LensSetting, ...]:
    """The lens settings of a pair, in the order of its targets."""
    try:
        entry = parse_json((path / PAIR_FILE).read_bytes())
        if entry["version"] != VERSION:
            raise InputError(f"{path}: expected pair version {VERSION}, found {entry['version']}; render it again")
        settings = tuple(LensSetting(float(s["aperture"]), float(s["focus"])) for s in entry["settings"])
        if not settings:
            raise ValueError("without a setting")
        return settings
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected a pair with a pair.json ({error}); remove it, render it again") from None


def read_image(path: Path, shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
    """A PNG of a pair.

    Args:
        path: the file.
        shape: (h, w), or (h, w, 3) for RGB, in pixels.
        kind: uint8 or uint16.

    Raises:
        InputError: missing, damaged, or of another size or depth.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if image is None or image.shape != shape or image.dtype != kind:
        found = "none" if image is None else f"{image.dtype} {image.shape}"
        raise InputError(
            f"{path}: expected a PNG of {kind.__name__} {shape}, found {found}; remove the pair, render it again"
        )
    return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image


def read_target(path: Path, k: int, size: tuple[int, int]) -> np.ndarray:
    """One of the reference's pictures.

    Args:
        path: folder of the pair.
        k: number of the setting, from 0.
        size: (h, w) of the pair, in pixels.

    Returns:
        (h, w, 3) uint16, 0..65535 for 0..1.
    """
    return read_image(path / f"target_{k}.png", (*size, 3), np.uint16)


def read_maps(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo (h, w, 3) uint8, mask (h, w) uint8, depth (h, w) uint16."""
    mask = cv2.imread(str(path / "mask.png"), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2 or mask.dtype != np.uint8:
        raise InputError(f"{path}: expected a pair with an 8-bit gray mask.png; remove it, render it again")
    rgb = read_image(path / "photo.png", (*mask.shape, 3), np.uint8)
    return rgb, mask, read_image(path / "depth.png", mask.shape, np.uint16)


def read_pair(path: Path) -> RenderedPair:
    """A whole pair."""
    settings = read_settings(path)
    rgb, mask, depth = read_maps(path)
    size = (mask.shape[0], mask.shape[1])
    targets = np.stack([read_target(path, k, size) for k in range(len(settings))])
    return RenderedPair(rgb, mask, depth, targets, settings)
