"""Stage-by-stage times of the CRF reference against a plain implementation of the same stages, in one run."""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from portraiture.reference.full_size.render import render_photo
from portraiture.reference.lens.focus import person_depth
from portraiture.reference.lens.radii import APERTURE_PAPER, layer_radii
from portraiture.reference.matting.knn import knn_matte
from portraiture.reference.matting.matte import matte
from portraiture.reference.matting.trimap import trimap
from portraiture.reference.paper.crf import label_layers
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.paper.selfie import render_selfie
from portraiture.reference.render import render
from portraiture.reference.settings import Compositing, Mode, RenderSettings
from portraiture.tools.bench.memory import peak_kib
from portraiture.tools.bench.timing import best_s, seconds_of

SIZE = (500, 300)
"""Height and width of the photo in pixels, as the paper times its renderer."""


@dataclass(frozen=True)
class StageTime:
    """Best wall time of a stage in seconds; ``plain_s`` is None where there is no plain form of its own."""

    stage: str
    ours_s: float
    plain_s: float | None


@dataclass(frozen=True)
class LargeTime:
    """A large photo, rendered once in a process of its own: wall seconds, and the process's peak memory in GiB."""

    megapixels: float
    mode: str
    compositing: str
    seconds: float
    peak_gib: float


def _plain_blur(rgb: np.ndarray, radii_px: np.ndarray) -> None:
    """One OpenCV filter per layer with a full square kernel, as a first implementation would do."""
    from portraiture.reference.paper.disk import disk_kernel

    for radius_px in radii_px:
        cv2.filter2D(rgb, cv2.CV_64F, disk_kernel(float(radius_px)))


def _plain_labels(unary: np.ndarray, smoothness: float) -> None:
    """PyMaxflow's own expansion, which knows one pairwise cost for all pixels."""
    import maxflow

    count = unary.shape[2]
    maxflow.aexpansion_grid(unary, smoothness * (1.0 - np.eye(count)), max_cycles=4)


def bench_reference(rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, repeats: int = 3) -> list[StageTime]:
    """Time every stage, and the two renderers whole.

    Args:
        rgb: HxWx3 float64 0..1.
        mask, depth: HxW float64 0..1.
        repeats: runs of each stage, 1 or more, after one that warms up; the best counts.
    """
    settings = RenderSettings(mode=Mode.FULL_BODY)
    parts = trimap(mask)
    alpha = matte(rgb, mask)
    layers = depth_layers(depth, settings.layers)
    labels = label_layers(depth, layers.unary, settings.smoothness)
    radii = layer_radii(layers.centres, person_depth(mask, depth), APERTURE_PAPER, rgb.shape)
    largest = float(radii.max())

    def ours(work: Callable[[], Any]) -> float:
        return best_s(work, repeats)

    stages = [
        StageTime("trimap", ours(lambda: trimap(mask)), None),
        StageTime("KNN matting", ours(lambda: matte(rgb, mask)), ours(lambda: knn_matte(rgb, parts))),
        StageTime("depth layers", ours(lambda: depth_layers(depth, settings.layers)), None),
        StageTime(
            "alpha expansion",
            ours(lambda: label_layers(depth, layers.unary, settings.smoothness)),
            ours(lambda: _plain_labels(layers.unary, settings.smoothness)),
        ),
        StageTime(
            "layer blurs",
            ours(lambda: render_full_body(rgb, alpha, labels, radii)),
            ours(lambda: _plain_blur(rgb, radii)),
        ),
        StageTime("selfie blur", ours(lambda: render_selfie(rgb, alpha, largest)), None),
    ]
    shared = stages[0].ours_s + stages[2].ours_s
    plain = shared + sum(s.plain_s or 0.0 for s in stages)
    plain_selfie = stages[0].ours_s + (stages[1].plain_s or 0.0) + ours(lambda: _plain_blur(rgb, np.array([largest])))
    whole = ours(lambda: render(rgb, mask, depth, settings))
    selfie = ours(lambda: render(rgb, mask, None, RenderSettings(mode=Mode.SELFIE)))
    return [*stages, StageTime("full-body, whole", whole, plain), StageTime("selfie, whole", selfie, plain_selfie)]


def bench_large(rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, megapixels: float) -> list[LargeTime]:
    """Enlarge a photo and its maps and render it by both ways of compositing.

    Args:
        rgb: HxWx3 uint8.
        mask, depth: HxW float 0..1.
        megapixels: size of the enlarged photo, above 0.
    """
    scale = (megapixels * 1e6 / mask.size) ** 0.5
    size = round(mask.shape[1] * scale), round(mask.shape[0] * scale)
    maps = [m.astype(np.float32) for m in (mask, depth)]
    context = multiprocessing.get_context("spawn")
    times = []
    for compositing in Compositing:
        with context.Pool(1) as pool:
            settings = RenderSettings(mode=Mode.FULL_BODY, compositing=compositing)
            seconds, peak_gib = pool.apply(_render_large, (rgb, maps[0], maps[1], size, settings))
        times.append(LargeTime(megapixels, settings.mode.value, compositing.value, seconds, peak_gib))
    return times


def _render_large(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray, size: tuple[int, int], settings: RenderSettings
) -> tuple[float, float]:
    photo = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    person, far = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_LINEAR)) for m in (mask, depth))
    seconds = seconds_of(lambda: render_photo(photo, person, far, settings))
    return seconds, peak_kib() / 2**20
