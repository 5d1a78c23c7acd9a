"""What the parity report shows of the compared pictures: small copies, amplified differences, error histograms.

Arrays are reduced as they come, so that a report over many photos holds a few megabytes.
"""

import base64
import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from portraiture.export.compare import Difference
from portraiture.export.parity.rows import Comparison, Link
from portraiture.export.parity.subjects import Subject, engine_note

LONG_SIDE_PX = 320

SHOWN_PHOTOS = 3
"""The first photos are shown; and as many more where something fails."""


LOWEST_DECADE = -9

BINS_PER_DECADE = 4

_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Figure:
    """A small picture as a ``data:`` address, and its caption."""

    image: str
    caption: str


@dataclass(frozen=True)
class Shown:
    """What one subject gave for a photo, beside the difference from its reference."""

    subject: str
    picture: Figure
    difference: Figure


@dataclass
class Strip:
    """A reference picture and what every subject made of it."""

    title: str
    reference: Figure
    shown: list[Shown] = field(default_factory=list)


def _data(image: np.ndarray, suffix: str) -> str:
    """An 8-bit image (h, w) or (h, w, 3) in OpenCV's channel order as a ``data:`` address."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    done, encoded = cv2.imencode(suffix, image, options)
    assert done
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def picture(values: np.ndarray) -> str:
    """A small copy of an image (h, w, 3) as JPEG, or of a map (h, w) as PNG; values in 0..1, NaN is black."""
    values = np.nan_to_num(values)
    height, width = values.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    small = cv2.resize(values.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    bytes_ = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return _data(bytes_[..., ::-1], ".jpg") if values.ndim == 3 else _data(bytes_, ".png")


def amplification(error: np.ndarray) -> int:
    """The power of ten that brings all but a thousandth of the errors to at most 1."""
    high = float(np.quantile(error, 0.999))
    return 10 ** int(np.clip(math.floor(-math.log10(high)), 0, 8)) if high > 0 else 1


def difference(found: np.ndarray, expected: np.ndarray) -> Figure:
    """Largest error of each block, amplified, dark to bright; the caption says by how much."""
    error = np.abs(np.nan_to_num(found, nan=1.0).astype(np.float64) - expected)
    if error.ndim == 3:
        error = error.max(2)
    block = math.ceil(max(error.shape) / LONG_SIDE_PX)
    pad = [(0, -n % block) for n in error.shape]
    height, width = (-(-n // block) for n in error.shape)
    largest = np.pad(error, pad).reshape(height, block, width, block).max((1, 3))
    factor = amplification(error)
    grey = np.rint(np.clip(largest * factor, 0, 1) * 255).astype(np.uint8)
    return Figure(_data(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), ".png"), f"difference x {factor:,}")


def error_counts(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Errors by size: bins of a quarter decade from 1e-9 to 1; smaller ones and zeros count in the first."""
    error = np.abs(np.nan_to_num(found, nan=1.0).astype(np.float64) - expected).ravel()
    place = (np.log10(np.maximum(error, 1e-30)) - LOWEST_DECADE) * BINS_PER_DECADE
    bins = -LOWEST_DECADE * BINS_PER_DECADE
    return np.bincount(np.clip(place, 0, bins - 1).astype(int), minlength=bins)


def _numbers(found: Difference) -> str:
    return f"{found.psnr_db:.1f} dB, max {found.max_abs:.1e}"


_REFERENCES = {
    Link.FILE: "PyTorch float64",
    Link.FILTER: "CRF reference",
    Link.PIPELINE: "Python pipeline, at the photo's size",
    Link.DEVICE: "golden, PyTorch float64",
}


class Gallery:
    """Collects comparisons; ``watch`` is what parity calls.

    Args:
        shown: so many photos are shown, and so many more where something fails; the histograms are of all.
    """

    def __init__(self, shown: int = SHOWN_PHOTOS) -> None:
        self.shown = shown
        self.counts: dict[tuple[Link, Subject, str], np.ndarray] = {}
        self.strips: dict[int, dict[str, Strip]] = {}

    def watch(self, c: Comparison) -> None:
        """Take in one comparison."""
        if c.found.shape != c.expected.shape:
            return
        key = (c.link, c.subject, c.output)
        counts = error_counts(c.found, c.expected)
        self.counts[key] = self.counts[key] + counts if key in self.counts else counts
        later = [k for k in self.strips if k >= self.shown]
        if c.photo >= self.shown and (c.passed or (c.photo not in later and len(later) >= self.shown)):
            return
        height, width = c.expected.shape[:2]
        file = None if c.link is Link.PIPELINE else c.subject.file
        model = "" if file is None else f"{file.name}: "
        title = f"{model}{c.output} {height}x{width}, {_REFERENCES[c.link]}"
        strips = self.strips.setdefault(c.photo, {})
        if title not in strips:
            strips[title] = Strip(title, Figure(picture(c.expected), _REFERENCES[c.link]))
        own = Figure(picture(c.found), _numbers(c.difference))
        mil = c.link is not Link.DEVICE and c.subject.file is not None and engine_note(c.subject.file)
        strips[title].shown.append(
            Shown(f"{c.subject}{' (MIL interpreter)' if mil else ''}", own, difference(c.found, c.expected))
        )
