"""From annotation files to masks: COCO's instances, and Supervisely's objects."""

import base64
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json, read_bytes
from portraiture.reference.photo.kinds import DAMAGE

PERSON = {
    "person", "persons", "people", "human", "humans", "man", "men", "woman", "women", "boy", "boys", "girl", "girls",
    "child", "children", "pedestrian", "pedestrians",
}  # fmt: skip
"""Names of classes that are people."""

FORMS = {"bmp", "bitmap", "poly", "polygon", "mask"}
"""What may stand behind such a name: how it was drawn."""

Draw = Callable[[str], np.ndarray]
"""From a photo's file name to its mask, HxW uint8 of 0 and 255."""


def _parsed(path: Path) -> Any:
    try:
        return parse_json(read_bytes(path, "annotations"))
    except ValueError as error:
        raise InputError(f"{path}: expected annotations in JSON ({error}); export them again") from None


def _damaged(path: Path, what: str, error: Exception) -> InputError:
    return InputError(f"{path}: expected {what} ({type(error).__name__}: {error}); export the annotations again")


def coco_masks(path: Path) -> Draw:
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
    people = {number for number, name in classes.items() if len(classes) == 1 or is_person(name)}
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
        if not shape:
            raise ValueError("a person without an outline; boxes alone are no mask")
        for polygon in shape:
            mask |= _filled(np.array(polygon, np.float64).reshape(-1, 2), height, width)
        return mask
    counts = shape["counts"]
    runs = list(_decompressed(counts.encode())) if isinstance(counts, str) else [int(n) for n in counts]
    if sum(runs) != height * width or min(runs) < 0:
        raise ValueError(f"run lengths of {sum(runs)} pixels for {height * width}")
    values = np.arange(len(runs)) % 2  # runs of background and object in turn, down the columns
    return np.repeat(values, runs).reshape(width, height).T.astype(np.uint8)


_FINER = 4
"""COCO's outlines run between pixels: they are filled so much larger, and half covered pixels count."""


def _filled(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """A polygon of corners of pixels (n, 2), x before y, as HxW of 0 and 1."""
    mask = np.zeros((height, width), np.uint8)
    left, top = np.clip(np.floor(points.min(0)).astype(int), 0, (width, height))
    right, bottom = np.clip(np.ceil(points.max(0)).astype(int), 0, (width, height))
    if left < right and top < bottom:
        large = np.zeros(((bottom - top) * _FINER, (right - left) * _FINER), np.uint8)
        inside = (points - (left, top)) * _FINER - 0.5
        cv2.fillPoly(large, [np.round(inside * 16).astype(np.int32)], (255,), cv2.LINE_8, 4)
        size = (int(right - left), int(bottom - top))
        mask[top:bottom, left:right] = cv2.resize(large, size, interpolation=cv2.INTER_AREA) >= 128
    return mask


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


def supervisely_masks(files: Sequence[Path]) -> Draw:
    """Masks of Supervisely's objects: polygons with holes, and bitmaps."""
    by_name = {path.name.removesuffix(".json"): path for path in files}
    by_stem = {Path(name).stem: path for name, path in by_name.items()}
    classes = {str(thing.get("classTitle")) for path in files for thing in _objects(path)}
    people = {name for name in classes if len(classes) == 1 or is_person(name)}
    if classes and not people:
        raise InputError(
            f"{files[0].parent}: expected a class such as person, found {', '.join(sorted(classes)[:5])}; rename one"
        )

    def draw(name: str) -> np.ndarray:
        path = by_name.get(name) or by_stem.get(Path(name).stem)
        if path is None:
            raise InputError(f"{files[0].parent}: expected {name}.json, found none; add it, or remove the photo")
        whole = _parsed(path)
        try:
            mask = np.zeros((int(whole["size"]["height"]), int(whole["size"]["width"])), np.uint8)
            for thing in whole["objects"]:
                if str(thing["classTitle"]) in people:
                    _draw_object(mask, thing)
        except (KeyError, TypeError, ValueError, cv2.error, zlib.error, *DAMAGE) as error:
            raise _damaged(path, "Supervisely's size and objects", error) from error
        return mask

    return draw


def _objects(path: Path) -> list[dict[str, Any]]:
    """The objects of one of Supervisely's files."""
    whole = _parsed(path)
    found = whole.get("objects") if isinstance(whole, dict) else None
    if not isinstance(found, list) or not all(isinstance(thing, dict) for thing in found):
        raise _damaged(path, "Supervisely's size and objects", TypeError("no list of objects"))
    return found


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
    if thing.get("geometryType", "polygon") != "polygon":
        raise ValueError(f"a person as {thing['geometryType']}, which is no mask")
    own = np.zeros_like(mask)
    for part, value in (("exterior", 255), ("interior", 0)):
        rings = thing["points"][part]
        rings = [rings] if part == "exterior" else rings
        for ring in rings:
            points = np.array(ring, np.float64).reshape(-1, 2)
            cv2.fillPoly(own, [np.round(points).astype(np.int32)], (value,))
    mask |= own


def is_person(name: str) -> bool:
    first, *rest = name.lower().replace("_", " ").replace("-", " ").split() or [""]
    return first in PERSON and all(word in FORMS or word.isdigit() for word in rest)
