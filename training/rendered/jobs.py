"""One photo to one pair, in any process on any machine: the work that ``portraiture pairs`` hands out."""

import functools
import hashlib
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np

from portraiture.reference.arrays import person_pixels
from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes
from portraiture.reference.photo.maps import read_map
from portraiture.reference.photo.read import read_photo
from portraiture.reference.settings import Compositing
from portraiture.training.checkpoints.read import Which
from portraiture.training.data.cache import resize_area
from portraiture.training.data.labels import read_mask
from portraiture.training.rendered.files import PAIR_FILE, RenderedPair, write_pair
from portraiture.training.rendered.lens import at_layers, render_lens_targets
from portraiture.training.rendered.options import PairOptions
from portraiture.training.rendered.render import render_targets
from portraiture.training.rendered.settings import drawn_settings, grid_settings


@dataclass(frozen=True)
class PairJob:
    """One photo.

    Attributes:
        name: the pair's name, which is its folder's.
        photo: the file.
        true_mask: label file, or None.
        maps: files of mask and depth, or None: the network predicts them.
        weights: file of the network's weights.
        output: folder of all pairs.
        options: what all pairs have in common.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.
    """

    name: str
    photo: Path
    true_mask: Path | None
    maps: tuple[Path, Path] | None
    weights: Path
    output: Path
    options: PairOptions
    which: Which | None = None


class JobStatus(Enum):
    """What became of a job."""

    WRITTEN = "written"
    NO_PERSON = "no person"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """Result of a job; ``message`` says why it failed."""

    name: str
    status: JobStatus
    message: str = ""


def weights_digest(path: Path, which: Which | None = None) -> str:
    """First 12 hexadecimal digits of a weights file's SHA-256, and which of its weights where that was asked for."""
    digest = hashlib.sha256(read_bytes(path, "a weights file")).hexdigest()[:12]
    return digest if which is None else f"{digest} {which.value}"


PredictMaps = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From (h, w, 3) uint8 to mask and depth, (h, w) in 0..1."""


@functools.cache
def _network(weights: Path, which: Which | None) -> PredictMaps:
    """The perception network, once per process and on one thread: the processes share the cores."""
    import torch

    from portraiture.training.weights import load_perception

    torch.set_num_threads(1)
    model = load_perception(weights, which)

    def predict(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = rgb.shape[:2]
        size = (-(-width // model.stride) * model.stride, -(-height // model.stride) * model.stride)
        fitting = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
        with torch.no_grad():
            maps = model(torch.from_numpy(fitting.astype(np.float32) / 255).permute(2, 0, 1)[None])
        back = (cv2.resize(m[0, 0].numpy(), (width, height)) for m in (maps.mask, maps.depth))
        mask, depth = (np.asarray(m) for m in back)
        return mask, depth

    return predict


def _predicted(job: PairJob, photo: np.ndarray, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if job.maps is None:
        return _network(job.weights, job.which)(rgb)
    size = (job.options.height, job.options.width)
    mask, depth = (read_map(path, photo.shape[:2]) for path in job.maps)
    return resize_area(mask, *size), resize_area(depth, *size)


def _true_mask(path: Path, shape: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    mask = read_mask(path)
    if mask.shape != shape[:2]:
        raise InputError(
            f"{path}: expected a mask of {shape[:2]} like its photo, found {mask.shape}; export the pair at one size"
        )
    return resize_area(mask.astype(np.float32), *size)


def make_pair(job: PairJob) -> Outcome:
    """Render one photo and write its pair; what is wrong with a photo is returned, not raised: the others go on."""
    cv2.setNumThreads(1)
    try:
        return Outcome(job.name, _make(job))
    except InputError as error:
        return Outcome(job.name, JobStatus.FAILED, " ".join(str(error).split()))


def _make(job: PairJob) -> JobStatus:
    options, size = job.options, (job.options.height, job.options.width)
    # drawn by name, so that the pairs do not depend on their order or on how many processes there are
    rng = np.random.default_rng([options.seed, zlib.crc32(job.name.encode())])
    photo = read_photo(job.photo)
    rgb = resize_area(photo, *size)
    soft, far = _predicted(job, photo, rgb)
    takes_truth = bool(rng.random() < options.true_share) and job.true_mask is not None
    if takes_truth and job.true_mask is not None:
        soft = _true_mask(job.true_mask, photo.shape, size)
    mask = np.rint(np.clip(soft, 0, 1) * 255).astype(np.uint8)
    depth = np.rint(np.clip(far, 0, 1) * 65535).astype(np.uint16)
    m, z = mask / 255.0, depth / 65535.0
    if not person_pixels(m).any():
        return JobStatus.NO_PERSON
    settings = drawn_settings(m, z, options.settings, rng) if options.settings else grid_settings(m, z)
    if options.compositing == Compositing.OCCLUSION.value:
        settings = at_layers(settings, z)
        targets = render_lens_targets(rgb, m, z, settings)
    else:
        targets = render_targets(rgb, m, z, settings)
    pair = RenderedPair(rgb, mask, depth, targets, settings)
    about = {"photo": job.photo.name, "mask": "true" if takes_truth else "predicted"}
    write_pair(job.output, job.name, pair, about)
    return JobStatus.WRITTEN


def unfinished(jobs: Iterable[PairJob]) -> list[PairJob]:
    """The jobs whose pair does not exist yet."""
    return [job for job in jobs if not (job.output / job.name / PAIR_FILE).is_file()]
