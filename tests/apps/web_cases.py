"""What the Python pipeline computes of photos of several shapes, for the tests of the web kit's own maths.

The models' outputs are made up: blobs that end where the photo's colours do not, passers-by, noise. What comes before
and after the models is the pipeline's.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraiture.export.contract import Size
from portraiture.export.pipeline.bystanders import without_bystanders
from portraiture.export.pipeline.compose import to_bytes
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.resize import nearest_size
from portraiture.reference.lens.focus import FOCUS_ON_PERSON, depth_at
from portraiture.reference.presence import find_person

SIZES = (Size(96, 64), Size(64, 96), Size(128, 96))

SETTINGS = ((0.016, FOCUS_ON_PERSON), (0.04, 0.35), (0.03, 0.0))

SHAPES = {
    "shrunk": (400, 300),
    "stretched": (150, 240),
    "mirrored_square": (301, 300),
    "mirrored_tall": (260, 77),
    "mirrored_wide": (97, 340),
    "own_size": (128, 96),
    "enlarged": (60, 40),
    "uncertain": (210, 160),
    "absent": (210, 160),
}


@dataclass(frozen=True)
class Given:
    """A runner whose outputs are given."""

    outputs: dict[str, np.ndarray]

    def run(self, feeds: object) -> dict[str, np.ndarray]:
        """The outputs, whatever comes in."""
        return dict(self.outputs)


def _blob(size: Size, x: float, y: float, wide: float, high: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : size.height, 0 : size.width]
    distance = np.hypot((columns / size.width - x) / wide, (rows / size.height - y) / high)
    return np.asarray(1 / (1 + np.exp(12 * (distance - 1))))


def _outputs(name: str, size: Size) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(list(name.encode()))
    person = _blob(size, 0.45, 0.75, 0.22, 0.55)
    if name == "uncertain":
        person *= 0.75
    if name == "absent":
        person *= 0.4
    passer_by = 0.9 * _blob(size, 0.88, 0.3, 0.05, 0.1) if name != "absent" else 0
    noise = cv2.GaussianBlur(rng.normal(0, 0.3, (size.height, size.width)), (0, 0), 2)
    mask = np.clip(np.maximum(person, passer_by) + 0.02 * noise * person, 0, 1)
    slope = np.linspace(0.2, 0.9, size.width)[None, :] * np.linspace(1.1, 0.6, size.height)[:, None]
    depth = np.clip(slope * (1 - 0.8 * person) + 0.1 * noise, 0, 1)
    portrait = cv2.GaussianBlur(rng.random((size.height, size.width, 3)), (0, 0), 3) * 1.4 - 0.2
    arrays = {"mask": mask, "depth": depth, "portrait": np.clip(portrait, 0, 1)}
    return {key: np.ascontiguousarray(value, np.float32) for key, value in arrays.items()}


def _stored(array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def write_cases(folder: Path, photo: np.ndarray) -> None:
    """Write a file for each shape; ``photo`` HxWx3 uint8 is cut to its proportions."""
    for name, shape in SHAPES.items():
        given = cv2.resize(photo, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
        size = nearest_size(*shape, SIZES)
        outputs = _outputs(name, size)
        pipeline = Pipeline(lambda model, at, outputs=outputs: Given(outputs), SIZES)
        maps = pipeline.perceive(given)
        frame = maps.frame
        mask, depth = without_bystanders(outputs["mask"], outputs["depth"])
        height, width = shape
        taps = []
        for x, y in ((0, 0), (width - 1, height - 1), (0.45 * width, 0.8 * height), (0.9 * width, 0.2 * height)):
            column, row = round(x), round(y)
            on_person = maps.mask[row, column] >= 0.5
            taps.append([x, y, FOCUS_ON_PERSON if on_person else depth_at(maps.depth, x, y)])
        case: dict[str, Any] = {
            "sizes": [[s.height, s.width] for s in SIZES],
            "frame": [frame.size.height, frame.size.width, frame.top, frame.left],
            "presence": find_person(maps.mask).presence.value,
            "taps": taps,
            "settings": SETTINGS,
            "photo": _stored(given),
            "model_rgb": _stored(maps.model_rgb),
            "mask": _stored(outputs["mask"]),
            "depth": _stored(outputs["depth"]),
            "kept_mask": _stored(mask),
            "kept_depth": _stored(depth),
            "full_mask": _stored(maps.mask.astype(np.float32)),
            "filtered": _stored(outputs["portrait"]),
        }
        for k, (aperture, focus) in enumerate(SETTINGS):
            case[f"portrait_{k}"] = _stored(to_bytes(pipeline.render(given, maps, aperture, focus)))
        (folder / f"case_{name}.json").write_text(json.dumps(case))
