"""The exported filter beside the CRF reference, and a large photo from file to file, in one run."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from portraiture.export.bundle.open import open_bundle
from portraiture.export.formats import Target
from portraiture.export.pipeline.compose import to_bytes
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.resize import nearest_size
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import open_file
from portraiture.reference.full_size.render import render_photo
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.metrics import psnr_db
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.reference.render import render
from portraiture.reference.settings import RenderSettings
from portraiture.tools.bench.timing import Laps, interleaved_ms

SETTINGS = RenderSettings()
"""The settings whose pictures the filter shows: the mode is the photo's own."""


@dataclass(frozen=True)
class RenderFigures:
    """What the filter gains over the reference, and what a large photo takes.

    Attributes:
        size: of the filter.
        reference_ms, filter_ms: one portrait at that size by the CRF reference and by the TFLite filter; medians.
        ratio: the first over the second.
        megapixels: of the large photo.
        end_to_end_s: read the JPEG, perceive, filter, compose, write a JPEG; ``stages_s`` by stage.
        psnr_db: of its picture to the CRF reference's at full size, on the same maps.
    """

    size: str
    reference_ms: float
    filter_ms: float
    ratio: float
    megapixels: float
    end_to_end_s: float
    stages_s: dict[str, float]
    psnr_db: float


def _large_photo(path: Path, megapixels: float) -> None:
    photo = sample_photo()[:, 60:444]  # 3:4
    scale = (megapixels * 1e6 / (photo.shape[0] * photo.shape[1])) ** 0.5
    write_photo(path, np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)))


def bench_render(bundle: Path, repeats: int, megapixels: float) -> RenderFigures:
    """Time rendering with a bundle's TFLite files of the finest precision.

    Args:
        bundle: folder of a bundle with the models ``perception`` and ``filter``.
        repeats: runs of each, 1 or more; medians count.
        megapixels: size of the large photo, the enlarged astronaut, above 0.

    Raises:
        InputError: the bundle has no TFLite files.
    """
    files = open_bundle(bundle).find(Target.TFLITE)
    by_name = {(f.name, f.size): f for f in files}
    sizes = sorted({f.size for f in files})
    pipeline = Pipeline(lambda name, size: open_file(bundle, by_name[name, size]), sizes)

    size = nearest_size(4, 3, sizes)
    small = np.asarray(cv2.resize(sample_photo()[:, 60:444], (size.width, size.height), interpolation=cv2.INTER_AREA))
    maps = pipeline.perceive(small)
    mask, depth = maps.mask.astype(np.float64), maps.depth.astype(np.float64)
    reference_ms, filter_ms = interleaved_ms(
        [lambda: render(small, mask, depth, SETTINGS), lambda: pipeline.filter(maps, APERTURE_PAPER)], repeats
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.jpg"
        _large_photo(path, megapixels)
        runs = [_file_to_file(pipeline, path) for _ in range(repeats + 1)][1:]  # the first opens the models
        stages = {name: float(np.median([r[name] for r in runs])) for name in runs[0]}
        large = read_photo(path)
    maps = pipeline.perceive(large)
    ours = to_bytes(pipeline.render(large, maps, APERTURE_PAPER))
    reference = render_photo(large, maps.mask, maps.depth, SETTINGS)
    return RenderFigures(
        size=str(size),
        reference_ms=reference_ms,
        filter_ms=filter_ms,
        ratio=reference_ms / filter_ms,
        megapixels=megapixels,
        end_to_end_s=sum(stages.values()),
        stages_s=stages,
        psnr_db=psnr_db(ours / 255, reference / 255),
    )


def _file_to_file(pipeline: Pipeline, path: Path) -> dict[str, float]:
    """Seconds of each stage."""
    laps = Laps()
    rgb = read_photo(path)
    laps.end("read")
    maps = pipeline.perceive(rgb)
    laps.end("perceive")
    picture = to_bytes(pipeline.render(rgb, maps, APERTURE_PAPER))
    laps.end("render")
    write_photo(path.with_name("portrait.jpg"), picture)
    laps.end("write")
    return laps.seconds
