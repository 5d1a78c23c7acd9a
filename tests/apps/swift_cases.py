"""What the Swift kit's tests compare with, made by Python: a small bundle, photos, what the models were fed and gave on
them, and their portraits. No Core ML is needed to compare with it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kotlin_cases import photos, rules

from portraiture.export.bundle.checksums import sha256
from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.contract import Size
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.pipeline.compose import to_bytes
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.runner import Feeds, Runner
from portraiture.reference.lens.focus import FOCUS_ON_PERSON, depth_at
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION

SIZES = ("128x96", "96x128")

SHRINK = 2
"""Photos are those of the Kotlin kit's tests at half their height and width: Swift's tests are built without
optimisation."""

TAP = (240, 30)
"""A point of the astronaut's background, X and Y."""


class Recorder:
    """A model that keeps what it was fed and gave last."""

    def __init__(self, runner: Runner, kept: dict[str, Any]) -> None:
        self._runner, self._kept = runner, kept

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """As the model does."""
        out = self._runner.run(feeds)
        self._kept.update(out)
        return out


def small_bundle(root: Path) -> None:
    """A Core ML bundle of both orientations; kept where one of the shipped weights is there."""
    weights = {"perception": sha256(SHIPPED_PERCEPTION), "filter": sha256(SHIPPED_FILTER)}
    if (root / "manifest.json").is_file() and read_manifest(root)["weights"] == weights:
        return
    words = ["export", "-o", str(root), "--target", "coreml", "--precision", "fp16", "--no-gate"]
    words += [word for size in SIZES for word in ("--size", size)]
    words += ["--model", "perception", "--model", "filter"]
    done = subprocess.run(
        [sys.executable, "-m", "portraiture.tools.cli", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _write(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        kind = np.uint8 if array.dtype == np.uint8 else np.float32
        (folder / f"{name}.bin").write_bytes(np.ascontiguousarray(array, dtype=kind).tobytes())


def _case(pipeline: Pipeline, kept: dict[str, Any], photo: np.ndarray, tapped: bool) -> tuple[dict, dict]:
    """What a test reads of a photo: its description, and its arrays by name."""
    maps = pipeline.perceive(photo)
    mask, depth = kept["mask"], kept["depth"]
    focus = depth_at(maps.depth, *TAP) if tapped else FOCUS_ON_PERSON
    aperture = 0.03 if tapped else APERTURE_PAPER
    expected = to_bytes(pipeline.render(photo, maps, aperture, focus))
    about = {
        "photo": str(maps.frame.photo), "size": str(maps.size), "aperture": aperture,
        "tap": list(TAP) if tapped else None, "focus": focus if tapped else None,
    }  # fmt: skip
    return about, {
        "photo": photo, "seen": maps.model_rgb, "mask": mask, "depth": depth, "portrait": kept["portrait"],
        "own_mask": maps.model_mask, "own_depth": maps.model_depth, "full_mask": maps.mask, "full_depth": maps.depth,
        "expected": expected,
    }  # fmt: skip


def write_cases(folder: Path, sizes: Sequence[str] = SIZES) -> None:
    """Write ``cases.json``, ``cases/NAME/`` of each photo, and ``rules.json``.

    Args:
        folder: of the cases.
        sizes: of the bundle's models.
    """
    networks, kept = Networks(Checkpoints()), dict[str, Any]()
    pipeline = Pipeline(lambda name, size: Recorder(networks.runner(name, size), kept), sorted(map(Size.parse, sizes)))
    found = []
    for name, large in photos().items():
        photo = cv2.resize(large, (large.shape[1] // SHRINK, large.shape[0] // SHRINK), interpolation=cv2.INTER_AREA)
        for tapped in (False, True) if name == "square" else (False,):
            own = f"{name}_tapped" if tapped else name
            about, arrays = _case(pipeline, kept, photo, tapped)
            _write(folder / "cases" / own, arrays)
            found.append({"name": own, **about})
    (folder / "cases.json").write_text(json.dumps(found))
    (folder / "rules.json").write_text(json.dumps(rules()))
