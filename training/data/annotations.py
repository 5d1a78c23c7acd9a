"""Masks of people from annotation files: COCO's ``annotations.json`` and Supervisely's ``ann/NAME.json``.

They are drawn once into the user's cache folder, named after the annotations' content, and read from there as masks.
"""

import base64
import hashlib
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image

from portraiture.reference.errors import InputError
from portraiture.reference.files import new_folder, parse_json, read_bytes
from portraiture.reference.photo.kinds import DAMAGE

PERSON = ("person", "people", "human", "man", "woman", "boy", "girl", "child")
"""First words of the names of classes that are people."""

_TURNS = {
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a photo upright that is stored on its side, by EXIF's orientation."""

Draw = Callable[[str], np.ndarray]
"""From a photo's file name to its mask, HxW uint8 of 0 and 255."""


def annotation_files(root: Path) -> list[Path]:
    """The annotations of a folder: COCO's one file, or Supervisely's one per photo; empty where there are none."""
    one = [root / "annotations.json", *sorted((root / "annotations").glob("*.json"))]
    coco = [path for path in one if path.is_file()]
    return coco or sorted((root / "ann").glob("*.json"))


def drawn_masks(root: Path, photos: Sequence[Path]) -> Path:
    """The folder of the photos' masks, ``STEM.png`` each, drawn when they are asked for the first time.

    Args:
        root: the folder with the annotations.
        photos: of it, with file names as the annotations give them.

    Raises:
        InputError: a photo has no annotations, or they are of another form or damaged.
    """
    files = annotation_files(root)
    if len(files) > 1 and files[0].parent.name != "ann":
        raise InputError(
            f"{files[0].parent}: expected one file of annotations, found {len(files)}; leave the one of these photos"
        )
    content = hashlib.sha256()
    for path in files:
        content.update(path.name.encode() + hashlib.sha256(read_bytes(path, "annotations")).digest())
    for photo in photos:
        content.update(photo.name.encode())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "portraiture" / f"masks-{content.hexdigest()[:16]}"
    if not folder.is_dir():
        draw = _supervisely(files) if files[0].parent.name == "ann" else _coco(files[0])
        with new_folder(folder) as temporary:
            for photo in photos:
                cv2.imwrite(str(temporary / f"{photo.stem}.png"), _upright(photo, draw(photo.name)))
    return folder


def _upright(photo: Path, mask: np.ndarray) -> np.ndarray:
    """A mask as its photo is looked at; annotated on the photo as it is stored, on its side, it is turned with it."""
    try:
        with Image.open(photo) as image:
            stored, turn = (image.height, image.width), image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE as error:
        raise InputError(f"{photo}: expected a photo, found bytes that do not decode; copy it again") from error
    shown = stored[::-1] if turn in _TURNS else stored
    if mask.shape == shown:
        return mask
    if mask.shape == stored:
        return np.asarray(Image.fromarray(mask).transpose(_TURNS[turn]))
    raise InputError(
        f"{photo}: expected annotations of {shown[0]}x{shown[1]} (height x width), found {mask.shape[0]}x"
        f"{mask.shape[1]}; export them for this photo"
    )


def _parsed(path: Path) -> Any:
    try:
        return parse_json(read_bytes(path, "annotations"))
    except ValueError as error:
        raise InputError(f"{path}: expected annotations in JSON ({error}); export them again") from None


def _damaged(path: Path, what: str, error: Exception) -> InputError:
    return InputError(f"{path}: expected {what} ({type(error).__name__}: {error}); export the annotations again")


def _coco(path: Path) -> Draw:
    """Masks of COCO's instances: polygons, and run lengths, compressed or not."""
    whole = _parsed(path)
    try:
        classes = {int(c["id"]): str(c["name"]) for c in whole["categories"]}
        images = {Path(str(i["file_name"])).name: i for i in whole["images"]}
        found = defaultdict(list)
        for annotation in whole["annotations"]:
            found[annotation["image_id"]].append((int(annotation["category_id"]), annotation["segmentation"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, "COCO's images, annotations and categories", error) from error
    people = {number for number, name in classes.items() if len(classes) == 1 or _is_person(name)}
    if not people:
        raise InputError(
            f"{path}: expected a class such as person, found {', '.join(sorted(classes.values())[:5])}; rename one"
        )

    def draw(name: str) -> np.ndarray:
        if name not in images:
            raise InputError(f"{path}: expected annotations of {name}, found none; add them, or remove the photo")
        try:
            image = images[name]
            mask = np.zeros((int(image["height"]), int(image["width"])), np.uint8)
            for number, shape in found[image["id"]]:
                if number in people:
                    mask |= _coco_shape(shape, *mask.shape)
        except (KeyError, TypeError, ValueError, cv2.error) as error:
            raise _damaged(path, f"shapes of {name}", error) from error
        return mask * 255

    return draw


def _coco_shape(shape: Any, height: int, width: int) -> np.ndarray:
    """One object, HxW of 0 and 1."""
    mask = np.zeros((height, width), np.uint8)
    if isinstance(shape, list):
        for polygon in shape:
            points = np.array(polygon, np.float64).reshape(-1, 2)
            cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1,))
        return mask
    counts = shape["counts"]
    runs = list(_decompressed(counts.encode())) if isinstance(counts, str) else [int(n) for n in counts]
    if sum(runs) != height * width or min(runs) < 0:
        raise ValueError(f"run lengths of {sum(runs)} pixels for {height * width}")
    values = np.arange(len(runs)) % 2  # runs of background and object in turn, down the columns
    return np.repeat(values, runs).reshape(width, height).T.astype(np.uint8)


def _decompressed(text: bytes) -> Iterator[int]:
    """COCO's run lengths from text: six bits a character, lowest first, each from the third on relative to the last
    but one."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        yield runs[-1]
        value = shift = 0


def _supervisely(files: Sequence[Path]) -> Draw:
    """Masks of Supervisely's objects: polygons with holes, and bitmaps."""
    by_name = {path.name.removesuffix(".json"): path for path in files}
    by_stem = {Path(name).stem: path for name, path in by_name.items()}

    def draw(name: str) -> np.ndarray:
        path = by_name.get(name) or by_stem.get(Path(name).stem)
        if path is None:
            raise InputError(f"{files[0].parent}: expected {name}.json, found none; add it, or remove the photo")
        whole = _parsed(path)
        try:
            mask = np.zeros((int(whole["size"]["height"]), int(whole["size"]["width"])), np.uint8)
            for thing in whole["objects"]:
                if _is_person(str(thing["classTitle"])):
                    _draw_object(mask, thing)
        except (KeyError, TypeError, ValueError, cv2.error, zlib.error, *DAMAGE) as error:
            raise _damaged(path, "Supervisely's size and objects", error) from error
        return mask

    return draw


def _draw_object(mask: np.ndarray, thing: Any) -> None:
    """One object into a mask, in place."""
    if thing.get("bitmap"):
        png = zlib.decompress(base64.b64decode(thing["bitmap"]["data"], validate=True))
        image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError("a bitmap that does not decode")
        drawn = (image if image.ndim == 2 else image[..., -1]) > 0
        x, y = (int(v) for v in thing["bitmap"]["origin"])
        if min(x, y) < 0 or x + drawn.shape[1] > mask.shape[1] or y + drawn.shape[0] > mask.shape[0]:
            raise ValueError("a bitmap that reaches beyond the photo")
        mask[y : y + drawn.shape[0], x : x + drawn.shape[1]][drawn] = 255
        return
    own = np.zeros_like(mask)
    for part, value in (("exterior", 255), ("interior", 0)):
        rings = thing["points"][part]
        rings = [rings] if part == "exterior" else rings
        for ring in rings:
            points = np.array(ring, np.float64).reshape(-1, 2)
            cv2.fillPoly(own, [np.round(points).astype(np.int32)], (value,))
    mask |= own


def _is_person(name: str) -> bool:
    return name.lower().replace("_", " ").replace("-", " ").split(" ")[0] in PERSON
