"""What the Kotlin kit's tests compare with, made by Python: a small bundle, photos, portraits, rules on arrays."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.export.bundle.checksums import sha256
from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.pipeline.bystanders import without_bystanders
from portraiture.export.pipeline.maps import frame_of
from portraiture.export.pipeline.resize import mask_to_photo_size, nearest_size, to_model_size
from portraiture.export.sample_photo import sample_photo
from portraiture.reference.lens.radii import smooth_radii
from portraiture.reference.lens.selfie import scene_depth
from portraiture.reference.photo.write import write_photo
from portraiture.reference.presence import find_person, nearest_depth
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION

SIZES = ("128x96", "96x128")

TAP = "480,60"
"""A point of the astronaut's background, X,Y."""


def _run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portraiture.tools.cli", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def photos() -> dict[str, np.ndarray]:
    """Photos by name: square, tall and wide ones, which are mirrored, and a large one of the models' aspect."""
    square = sample_photo()
    upright = np.ascontiguousarray(square[:, 64:448])
    return {
        "square": square,
        "tall": np.ascontiguousarray(square[:, 100:320]),
        "wide": np.ascontiguousarray(square[:181]),
        "large": np.asarray(cv2.resize(upright, (1001, 1335), interpolation=cv2.INTER_CUBIC)),
    }


def _numbers(array: np.ndarray) -> list[Any]:
    return [float(v) if array.dtype.kind == "f" else int(v) for v in array.ravel()]


def _frames() -> list[dict[str, Any]]:
    found = []
    for height, width in ((512, 512), (512, 171), (181, 512), (400, 300), (3, 40), (40, 1), (345, 300), (346, 300)):
        for size in (Size(128, 96), Size(96, 128)):
            frame = frame_of(height, width, size)
            columns = frame.mirror(np.tile(np.arange(width, dtype=np.int32), (height, 1)).astype(np.float32))[0]
            rows = frame.mirror(np.tile(np.arange(height, dtype=np.float32)[:, None], (1, width)))[:, 0]
            found.append({
                "photo": f"{height}x{width}", "size": str(size), "frame": str(frame.size), "top": frame.top,
                "left": frame.left, "aperture": frame.aperture(0.02),
                "rows": [int(v) for v in rows], "columns": [int(v) for v in columns],
            })  # fmt: skip
    return found


def _nearest() -> list[dict[str, str]]:
    sizes = [Size(128, 96), Size(256, 192), Size(96, 128)]
    shapes = ((4, 3), (3, 4), (10, 10), (100, 99), (99, 100), (1000, 200))
    return [{"photo": f"{h}x{w}", "nearest": str(nearest_size(h, w, sizes))} for h, w in shapes]


def _resized(random: np.random.Generator) -> list[dict[str, Any]]:
    found = []
    for shape, size in (((131, 97), Size(64, 64)), ((128, 192), Size(64, 96)), ((70, 40), Size(64, 96))):
        rgb = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
        small = to_model_size(rgb, size)
        found.append({"photo": f"{shape[0]}x{shape[1]}", "size": str(size), "rgb": _numbers(rgb),
                      "resized": _numbers(small)})  # fmt: skip
    return found


def _scene(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Mask and depth with a person, a passer-by, and a small piece near the person."""
    mask = np.full((size.height, size.width), 0.02, np.float32)
    mask[12:62, 8:26] = 0.97
    mask[20:40, 44:50] = 0.8
    mask[10:14, 28:31] = 0.9
    depth = np.tile(np.linspace(1, 0.2, size.height, dtype=np.float32)[:, None], (1, size.width))
    depth[mask > 0.5] = 0.3
    return mask, np.ascontiguousarray(depth)


def _maps(random: np.random.Generator) -> dict[str, Any]:
    size = Size(64, 64)
    mask, depth = _scene(size)
    own, behind = without_bystanders(mask, depth)
    rgb = random.integers(0, 256, (150, 150, 3), dtype=np.uint8)
    rgb[30:146, 18:62] //= 3
    small = to_model_size(rgb, size)
    full = mask_to_photo_size(own, small, rgb)
    wide, deep = own.astype(np.float64), behind.astype(np.float64)
    person = find_person(full)
    return {
        "size": str(size), "mask": _numbers(mask), "depth": _numbers(depth),
        "own": _numbers(own), "behind": _numbers(behind),
        "photo": "150x150", "rgb": _numbers(rgb), "full": _numbers(full),
        "radii": _numbers(smooth_radii(wide, scene_depth(wide, deep, None), 0.03, None)),
        "radii_at": _numbers(smooth_radii(wide, deep, 0.03, 0.4)),
        "nearest_depth": nearest_depth(behind),
        "person": {"presence": person.presence.name, "area": person.area, "confidence": person.confidence,
                   "compactness": person.compactness},
    }  # fmt: skip


def _compared(random: np.random.Generator) -> list[dict[str, Any]]:
    found = []
    for shape in ((40, 70), (40, 70, 3)):
        a = random.random(shape, dtype=np.float32)
        b = np.clip(a + random.normal(0, 0.02, shape), 0, 1)
        d = compare(a, b, as_mask=True)
        found.append({"shape": list(shape), "found": _numbers(a), "expected": _numbers(b), "max_abs": d.max_abs,
                      "psnr_db": d.psnr_db, "tile_db": d.tile_psnr_db, "iou": d.iou})  # fmt: skip
    return found


def rules() -> dict[str, Any]:
    """What Python's rules give, as JSON holds it."""
    random = np.random.default_rng(0)
    return {
        "frames": _frames(), "nearest": _nearest(), "resized": _resized(random), "maps": _maps(random),
        "compared": _compared(random),
    }  # fmt: skip


def small_bundle(root: Path) -> None:
    """An ONNX bundle of both orientations; kept where one of the shipped weights is there."""
    weights = {"perception": sha256(SHIPPED_PERCEPTION), "filter": sha256(SHIPPED_FILTER)}
    if (root / "manifest.json").is_file() and read_manifest(root)["weights"] == weights:
        return
    sizes = [word for size in SIZES for word in ("--size", size)]
    _run("export", "-o", str(root), "--target", "onnx", "--precision", "fp32", "--no-gate", *sizes)


def write_cases(folder: Path) -> None:
    """Write ``bundle/``, ``photos/`` of several aspects, what ``render`` makes of them, and ``rules.json``."""
    bundle = folder / "bundle"
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    small_bundle(bundle)
    for name, photo in photos().items():
        write_photo(folder / f"photos/{name}.png", photo)
    onnx = ("--runtime", "onnx", "--bundle", str(bundle))
    made = [str(folder / f"photos/{name}.png") for name in photos()]
    _run("render", *made, "-o", str(folder / "portraits"), *onnx)
    tapped = str(folder / "portraits/tapped.png")
    _run("render", str(folder / "photos/square.png"), "-o", tapped, "--focus", TAP, "--aperture", "0.03", *onnx)
    (folder / "rules.json").write_text(json.dumps(rules()))
