"""An app that knows the manifest alone: what it computes from a photo is the portrait that ``render`` writes.

The app imports nothing of ours but the command line: names, shapes, ranges and every number of the rules are taken from
``manifest.json``, the arithmetic is written out with matrices. A wrong sentence there gives another picture.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

pytestmark = pytest.mark.slow

APERTURE, FOCUS = 0.03, -1.0


def number(pattern: str, text: str) -> float:
    """The number that a rule's sentence gives."""
    found = re.search(pattern, text)
    assert found, text
    return float(found.group(1))


def area(large: int, small: int) -> np.ndarray:
    """Area average: each row holds the share of every large pixel that lies under a small one, (small, large)."""
    edges = np.arange(small + 1) * large / small
    pixels = np.arange(large)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.clip(overlap, 0, None) * small / large)


def bilinear(small: int, large: int, centres: str) -> np.ndarray:
    """Bilinear by the rule of pixel centres, (large, small)."""
    assert centres.startswith("half-pixel: source = (target + 0.5) * scale - 0.5")
    source = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.clip(1 - np.abs(source[:, None] - np.arange(small)), 0, None)


def windows(image: np.ndarray, side: int) -> np.ndarray:
    """Every window of an image (h, w) with repeated borders, (h, w, side * side)."""
    padded = np.pad(image, side // 2, mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return view.reshape(*image.shape, -1)


class App:
    """Reads a bundle by its manifest.

    Args:
        root: the bundle.
        selfie: whether the rules must take the photo for a selfie.
    """

    def __init__(self, root: Path, selfie: bool) -> None:
        self.selfie = selfie
        self.root, self.manifest = root, json.loads((root / "manifest.json").read_text())
        self.resize, self.compose = self.manifest["resize"], self.manifest["compose"]

    def model(self, name: str) -> dict[str, Any]:
        """The manifest's entry of a float32 TFLite model."""
        wanted = {"name": name, "target": "tflite", "precision": "fp32"}
        entries: list[dict[str, Any]] = self.manifest["models"]
        return next(m for m in entries if wanted.items() <= m.items())

    def run(self, name: str, **values: Any) -> dict[str, np.ndarray]:
        """Run a model on inputs of any layout without a batch; outputs come without one."""
        from ai_edge_litert.interpreter import Interpreter

        entry = self.model(name)
        runner = Interpreter(model_path=str(self.root / entry["path"])).get_signature_runner(name)
        fed = {}
        for spec in entry["inputs"]:
            value = np.asarray(values[spec["name"]], np.float32)
            assert spec["range"][0] <= value.min()
            assert value.max() <= spec["range"][1]
            fed[spec["name"]] = value.reshape(spec["shape"])
        outputs = runner(**fed)
        return {s["name"]: np.squeeze(outputs[s["name"]]).astype(np.float64) for s in entry["outputs"]}

    def enlarge(self, image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """By the rule ``enlarge``, (h, w) or (h, w, C) -> ``shape``."""
        assert self.resize["enlarge"] == "bilinear"
        rows, columns = (bilinear(image.shape[k], shape[k], self.resize["pixel_centres"]) for k in (0, 1))
        return np.asarray(np.einsum("Hh,hw...,Ww->HW...", rows, image, columns, optimize=True))

    def shrink(self, photo: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """By the rule ``shrink``, to 8 bits."""
        assert (self.resize["shrink"], "rounded to 8 bits" in self.resize["rounding"]) == ("area average", True)
        rows, columns = (area(photo.shape[k], shape[k]) for k in (0, 1))
        return np.asarray(np.rint(np.einsum("hH,HWc,wW->hwc", rows, photo.astype(np.float64), columns, optimize=True)))

    def full_mask(self, mask: np.ndarray, small: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """By the rule ``enlarge_mask``; colours in 0..1."""
        rule = self.resize["enlarge_mask"]
        side, ridge = int(number(r"windows of (\d+) px", rule)), number(r"ridge ([\d.e-]+\d)", rule)
        snap = number(r"within ([\d.]+) of 0 or 1", rule)
        colours = np.stack([windows(small[..., c], side) for c in range(3)], -1)  # (h, w, n, 3)
        masks = windows(mask, side)
        mean_colour, mean_mask = colours.mean(2), masks.mean(2)
        centred = colours - mean_colour[:, :, None]
        covariance = np.einsum("hwnc,hwnd->hwcd", centred, centred) / side**2 + ridge * np.eye(3)
        with_mask = np.einsum("hwnc,hwn->hwc", centred, masks) / side**2
        slope = np.linalg.solve(covariance, with_mask[..., None])[..., 0]
        offset = mean_mask - (slope * mean_colour).sum(2)
        slope = np.stack([windows(slope[..., c], side).mean(2) for c in range(3)], -1)
        offset = windows(offset, side).mean(2)
        shape = photo.shape[:2]
        fitted = (self.enlarge(slope, shape) * photo).sum(2) + self.enlarge(offset, shape)
        kept = np.clip(fitted, self.enlarge(masks.min(2), shape), self.enlarge(masks.max(2), shape))
        return np.where(kept < snap, 0, np.where(kept > 1 - snap, 1, kept))

    def without_passers_by(self, mask: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By the rule ``passers_by``."""
        rule = self.compose["passers_by"]
        least, farther = number(r"less than ([\d.]+) of the largest", rule), number(r"more than ([\d.]+) of the", rule)
        inner, outer = int(number(r"within (\d+) pixels", rule)), int(number(r"there to (\d+) pixels", rule))
        person = mask >= number(r"mask >= ([\d.]+) \(8-connected\)", rule)
        labels, count = ndimage.label(person, np.ones((3, 3)))
        parts = [labels == k for k in range(1, count + 1)]
        if not parts:
            return mask, depth
        rows = [np.nonzero(part.any(1))[0] for part in parts]
        first = int(np.argmax([part.sum() for part in parts]))
        away = [
            part.sum() < least * parts[first].sum() and rows[first][-1] - r[-1] > farther * (np.ptp(rows[first]) + 1)
            for part, r in zip(parts, rows, strict=True)
        ]
        others = np.any([part for part, is_away in zip(parts, away, strict=True) if not is_away], 0)
        new_mask, new_depth = mask.copy(), depth.copy()
        for part in (part for part, is_away in zip(parts, away, strict=True) if is_away):
            near, wide = (ndimage.binary_dilation(part, np.ones((2 * n + 1,) * 2)) for n in (inner, outer))
            ring = wide & ~near & ~person
            if not (near & others).any():
                new_mask[near] = 0
                new_depth[near] = np.maximum(new_depth[near], np.median(depth[ring]))
        return new_mask, new_depth

    def framed(self, photo: np.ndarray, height: int, width: int) -> tuple[np.ndarray, slice, slice, float]:
        """By the rules ``aspect``, ``mirror`` and ``aperture``: frame, the photo's rows and columns, aperture."""
        own = photo.shape[:2]
        most, aspect = number(r"factor of ([\d.]+)", self.resize["aspect"]), own[0] * width / own[1] / height
        assert "round(the other * the model's aspect)" in self.resize["mirror"]
        assert "(frame - photo) // 2 pixels before it and the rest behind" in self.resize["mirror"]
        frame = list(own)
        if aspect > most:
            frame[1] = round(own[0] * width / height)
        elif aspect < 1 / most:
            frame[0] = round(own[1] * height / width)
        before = [(f - p) // 2 for f, p in zip(frame, own, strict=True)]
        pads = [(b, f - p - b) for b, f, p in zip(before, frame, own, strict=True)]
        assert self.compose["aperture"].endswith("aperture * photo's diagonal / frame's diagonal")
        rows, columns = (slice(b, b + p) for b, p in zip(before, own, strict=True))
        return np.pad(photo, [*pads, (0, 0)], "reflect"), rows, columns, APERTURE * np.hypot(*own) / np.hypot(*frame)

    def matte(self, mask: np.ndarray) -> np.ndarray:
        """By the rule ``matte``."""
        assert self.compose["matte"].startswith("y y (3 - 2 y), y = min(")
        y = np.minimum(number(r"min\(([\d.]+) mask, 1\)", self.compose["matte"]) * mask, 1)
        return np.asarray(y * y * (3 - 2 * y))

    def portrait(self, own: np.ndarray) -> np.ndarray:
        """A photo HxWx3 uint8 -> its portrait, by the rules ``compose``."""
        height, width = self.model("perception")["inputs"][0]["shape"][1:3]
        photo, rows, columns, aperture = self.framed(own, height, width)
        coded = self.shrink(photo, (height, width)) / 255
        maps = self.run("perception", rgb=coded)
        mask, depth = self.without_passers_by(maps["mask"], maps["depth"])
        picture = self.run("filter", rgb=coded, mask=mask, depth=depth, aperture=aperture, focus=FOCUS)["portrait"]
        rule = self.compose
        assert rule["focus"] == "as given to the model; where negative, sum(mask depth) / sum(mask)"
        steps = [float(n) for n in re.findall(r"0\.5 \+ (\d+) \(", rule["depth"])]
        least_cover = number(r"\(cover - ([\d.]+)\)", rule["depth"])
        assert "(bottom - 1/3)" in rule["depth"]
        q = np.clip(0.5 + steps[0] * (mask.mean() - least_cover), 0, 1)
        q *= np.clip(0.5 + steps[1] * (mask[-1].mean() - 1 / 3), 0, 1)
        assert q == self.selfie
        depth = q * (1 - mask) + (1 - q) * depth
        focus = (mask * depth).sum() / mask.sum()
        low, high = depth.min(), depth.max()
        steep = number(r"clip\((\d+) \(depth", rule["far"])
        edge = number(r"- (\d+)/6 \(high - low\)", rule["far"]) / 6
        least = number(r"max\(high - low, ([\d.]+)\)", rule["far"])
        far_share = np.clip(steep * (depth - low - edge * (high - low)) / max(high - low, least), 0, 1)
        far = (far_share * depth).sum() / far_share.sum()
        span = max(far - focus, number(r"max\(far - focus, ([\d.]+)\)", rule["radius_px"]))
        radius_px = aperture * np.hypot(height, width) * np.clip((depth - focus) / span, 0, 1)
        c = np.clip(radius_px, 0, 1)
        s, e = ((1 - self.matte(mask)) * c)[..., None], number(r"e = ([\d.]+)", rule["behind"])
        shape, full = photo.shape[:2], photo / 255
        behind = self.enlarge(picture - (1 - s) * coded + e * picture, shape) / (self.enlarge(s, shape) + e)
        k = ((1 - self.matte(self.full_mask(mask, coded, full))) * self.enlarge(c, shape))[..., None]
        picture = np.rint(np.clip(full + k * (behind - full), 0, 1) * 255).astype(np.uint8)
        return np.asarray(picture[rows, columns])


@pytest.mark.parametrize(
    ("selfie", "shape"),
    [(True, (400, 300)), (False, (400, 300)), (True, (300, 300)), (True, (400, 150)), (True, (330, 420))],
)
def test_an_app_that_knows_the_manifest_alone_writes_the_same_portrait(
    bundle: Path, astronaut: np.ndarray, tmp_path: Path, selfie: bool, shape: tuple[int, int]
) -> None:
    left = 210 - shape[1] // 2
    photo = np.ascontiguousarray(astronaut[400 - shape[0] : 400, left : left + shape[1]])
    if not selfie:
        photo[340:] = 120  # a table before the person: the photo's bottom row is none of hers
    Image.fromarray(photo).save(tmp_path / "photo.png")
    command = [sys.executable, "-m", "portraiture.tools.cli", "render", tmp_path / "photo.png"]
    options = ["-o", tmp_path / "p.png", "--runtime", "tflite", "--bundle", bundle, "--aperture", APERTURE]
    subprocess.run([str(word) for word in command + options], check=True, capture_output=True)
    ours = np.asarray(Image.open(tmp_path / "p.png").convert("RGB")).astype(np.float64)
    found = App(bundle, selfie).portrait(photo).astype(np.float64)
    assert np.abs(ours - photo).max() > 20  # there is a blur
    difference = np.abs(found - ours)
    assert difference.max() <= 3
    assert difference.mean() < 0.05


def test_passers_by_are_who_the_rule_says() -> None:
    """The rule's own words against the pipeline's code, on many people."""
    from portraiture.export.pipeline.bystanders import without_bystanders
    from portraiture.export.rules import COMPOSE_RULE

    app = App.__new__(App)
    app.compose = COMPOSE_RULE
    rng, changed = np.random.default_rng(0), 0
    for _ in range(30):
        mask = np.zeros((128, 96))
        mask[20:120, 30:55] = 1
        for _ in range(3):
            top, left = rng.integers(0, 100), rng.integers(0, 80)
            mask[top : top + rng.integers(4, 60), left : left + rng.integers(3, 16)] = 1
        mask *= rng.uniform(0.5, 1, mask.shape)
        depth = rng.random(mask.shape)
        found, expected = without_bystanders(mask, depth), app.without_passers_by(mask, depth)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1])
        changed += bool((found[0] != mask).any())
    assert 5 < changed < 30
