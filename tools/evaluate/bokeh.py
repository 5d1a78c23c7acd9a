"""``evaluate render --dataset bokeh``: the renderers against what a real camera took of the same scene.

A folder of scenes, each a folder of its own::

    ROOT/SCENE/photo.png     all in focus, such as at f/16; any format that render reads
    ROOT/SCENE/depth.npy     distances in metres, HxW float; or depth.png, 16 bits, in millimetres
    ROOT/SCENE/scene.json    {"focal_mm": 50, "sensor_mm": [22.5, 15], "focus_m": 1.5}
    ROOT/SCENE/f1.8.png      the camera's shot at f/1.8; f2.8.png and so on beside it

All pictures of a scene have one size, and are aligned.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.scores import picture_scores
from portraiture.reference.files import parse_json, read_bytes
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.lens.thin_lens import ThinLens
from portraiture.reference.photo.folder import PHOTO_SUFFIXES, spread
from portraiture.reference.photo.read import read_photo
from portraiture.reference.render import render
from portraiture.reference.settings import MAX_APERTURE, Compositing, Matting, Mode, RenderSettings
from portraiture.reference.srgb import to_linear
from portraiture.tools.progress import over

SHARP_PX = 1.0
"""What is blurred by a disk of less than this radius counts as in focus, and is the renderers' mask. Chosen."""

FIELDS = {"focal_mm", "sensor_mm", "focus_m"}
"""What scene.json says."""

RENDERERS = {"equation (10)": Compositing.PAPER, "occlusion": Compositing.OCCLUSION}


@dataclass(frozen=True)
class Scene:
    """A scene of a camera.

    Attributes:
        photo: HxWx3 uint8, all in focus.
        metres: HxW float64, distances above 0; infinity is allowed.
        lens: of each f-number, in their order.
        focus_m: the distance in focus.
        shots: HxWx3 uint8 of each f-number.
    """

    photo: np.ndarray
    metres: Floats
    lens: dict[float, ThinLens]
    focus_m: float
    shots: dict[float, np.ndarray]


def list_scenes(root: Path) -> list[Path]:
    """The folders of the scenes, in the order of their names.

    Raises:
        InputError: no such folder, or no scene in it.
    """
    found = sorted(p.parent for p in root.glob("*/scene.json")) if root.is_dir() else []
    if not found:
        raise InputError(f"--root: expected a folder of scenes (SCENE/scene.json), found none in {root}; see the guide")
    return found


def read_scene(folder: Path) -> Scene:
    """Read a scene.

    Raises:
        InputError: a file is missing or is not what it must be, or two sizes differ.
    """
    about = _about(folder / "scene.json")
    photo = read_photo(_only(folder, "photo"))
    shots = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PHOTO_SUFFIXES and (number := re.fullmatch(r"f(\d+(?:\.\d+)?)", path.stem)):
            shots[float(number[1])] = read_photo(path)
            if shots[float(number[1])].shape != photo.shape:
                found = shots[float(number[1])].shape
                raise InputError(f"{path}: expected the photo's shape {photo.shape}, found {found}; align the shots")
    if not shots:
        raise InputError(f"{folder}: expected shots such as f1.8.png, found none; name them by their f-numbers")
    try:
        lens = {n: ThinLens(n, float(about["focal_mm"]), _pair(about["sensor_mm"])) for n in sorted(shots)}
        focus_m = float(about["focus_m"])
    except (TypeError, ValueError, OptionError) as error:
        raise InputError(f"{folder / 'scene.json'}: expected numbers of a lens, found others: {error}") from None
    if not 0 < focus_m < np.inf:
        raise InputError(f"{folder / 'scene.json'}: expected focus_m above 0, found {focus_m:g}; give metres")
    return Scene(photo, _metres(folder, photo.shape[:2]), lens, focus_m, shots)


def _pair(sides: Any) -> tuple[float, float]:
    width, height = (float(side) for side in sides)
    return width, height


def _about(path: Path) -> dict[str, Any]:
    try:
        value = parse_json(read_bytes(path, "a scene's settings"))
    except ValueError:
        value = None
    if not isinstance(value, dict) or not value.keys() >= FIELDS:
        example = json.dumps({"focal_mm": 50, "sensor_mm": [22.5, 15], "focus_m": 1.5})
        raise InputError(f"{path}: expected JSON with {', '.join(sorted(FIELDS))}, found others; write {example}")
    return value


def _only(folder: Path, stem: str) -> Path:
    found = sorted(p for p in folder.glob(f"{stem}.*") if p.suffix.lower() in PHOTO_SUFFIXES)
    if len(found) != 1:
        raise InputError(f"{folder}: expected one {stem} such as {stem}.png, found {len(found)}; leave one")
    return found[0]


def _metres(folder: Path, shape: tuple[int, ...]) -> Floats:
    path = folder / "depth.npy"
    if path.exists():
        try:
            metres = np.asarray(np.load(path, allow_pickle=False), np.float64)
        except (ValueError, OSError, EOFError):
            raise InputError(f"{path}: expected an array of numbers, found another content; use numpy.save") from None
    else:
        path = folder / "depth.png"
        code = cv2.imdecode(np.frombuffer(read_bytes(path, "distances"), np.uint8), cv2.IMREAD_UNCHANGED)
        if code is None or code.dtype != np.uint16 or code.ndim != 2:
            raise InputError(
                f"{path}: expected a gray PNG of 16 bits, in millimetres, found another; or give depth.npy"
            )
        metres = np.asarray(code, np.float64) / 1000
    if metres.shape != tuple(shape) or not (metres > 0).all():  # NaN fails
        raise InputError(f"{path}: expected distances above 0 of shape {tuple(shape)}, found others; fill the holes")
    return metres


def rendered(scene: Scene, f_number: float) -> tuple[dict[str, Floats], Floats]:
    """What each renderer makes of the photo, and the mask of what is in focus.

    The depth that they get is linear in 1 / distance, as a thin lens' blur is, with the scene's own range; the mask is
    not solved into a matte: the lens is judged, by distances that are given.

    Args:
        scene: as read.
        f_number: one of its lenses.

    Returns:
        HxWx3 float64 in 0..1 by the renderer's name, ``photo`` first, and HxW float64 of 0 and 1.

    Raises:
        InputError: nothing or all of the scene is in focus.
    """
    lens, shape, inverse = scene.lens[f_number], scene.photo.shape, 1 / scene.metres
    near, far = float(inverse.max()), float(inverse.min())
    if near == far:
        raise InputError("depth: expected several distances, found one; a flat scene has no blur to judge")
    # (near - 1/Z) / (near - far): 0 is the nearest, 1 the farthest
    depth = (near - inverse) / (near - far)
    # the blur is linear in 1/Z: that of 1/m away from the focus
    per_inverse = lens.radius_share(1 / scene.focus_m + 1.0, scene.focus_m, shape)
    radii = per_inverse * np.abs(inverse - 1 / scene.focus_m)
    mask = (radii * image_diagonal_px(shape) < SHARP_PX).astype(np.float64)
    if mask.all() or not mask.any():
        found = "all of it" if mask.all() else "nothing"
        raise InputError(f"f/{f_number:g}: expected a part of the scene in focus, found {found}; check focus_m")
    focus = float(np.clip((near - 1 / scene.focus_m) / (near - far), 0, 1))
    photo = scene.photo / 255.0
    pictures = {"photo": photo}
    for name, compositing in RENDERERS.items():
        both_sides = compositing is Compositing.OCCLUSION and focus > 0.5
        full = 0.0 if both_sides else 1.0
        aperture = per_inverse * abs((near if both_sides else far) - 1 / scene.focus_m)
        if aperture > MAX_APERTURE:
            raise InputError(
                f"f/{f_number:g}: expected a blur of {MAX_APERTURE} of the diagonal or less, found {aperture:.3g};"
                " leave this shot out"
            )
        settings = RenderSettings(Mode.FULL_BODY, aperture, focus, full, compositing=compositing, matting=Matting.NONE,
                                  linear_light=compositing is Compositing.OCCLUSION)  # fmt: skip
        pictures[name] = render(photo, mask, depth, settings)
    return pictures, mask


def evaluate_bokeh(root: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Mean figures of each f-number and renderer, over the scenes that have it.

    Args:
        root: folder of the scenes.
        limit: at most this many, evenly spread; None takes all.

    Returns:
        By ``"f/1.8 occlusion"``: ``picture_scores``'s figures, the edge being that of what is in focus; ``light``, the
        linear light outside of it as a share of the shot's; and the number of ``scenes``.

    Raises:
        InputError: as :func:`read_scene` and :func:`rendered`.
    """
    scores: dict[tuple[float, str], list[dict[str, float]]] = {}
    folders = spread(list_scenes(root), limit)
    for folder in over(folders, len(folders), "scene", "render"):
        scene = read_scene(folder)
        for f_number, shot in scene.shots.items():
            try:
                pictures, mask = rendered(scene, f_number)
            except InputError as error:
                raise InputError(f"{folder}: {error}") from None
            truth, behind = shot / 255.0, mask == 0
            for name, picture in pictures.items():
                light = float(to_linear(picture)[behind].sum() / max(to_linear(truth)[behind].sum(), 1e-9))
                figures = {**picture_scores(picture, truth, mask), "light": light}
                scores.setdefault((f_number, name), []).append(figures)
    return {f"f/{number:g} {name}": _mean(found) for (number, name), found in sorted(scores.items(), key=_order)}


def _order(entry: tuple[tuple[float, str], Any]) -> tuple[float, int]:
    (number, name), _ = entry
    return number, ["photo", *RENDERERS].index(name)


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {"scenes": len(found), **{key: float(np.mean([f[key] for f in found])) for key in found[0]}}
