"""The shipped weights on held-out real photos: bounds just beside what is measured on these very photos.

A few photos of each validation part, spread over it, so that the test takes seconds; the whole parts are measured by
``portraiture evaluate``.
"""

from pathlib import Path

import numpy as np
import pytest

from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.metrics import psnr_db
from portraiture.reference.photo.folder import spread
from portraiture.reference.photo.read import read_photo
from portraiture.reference.render import render
from portraiture.reference.settings import RenderSettings
from portraiture.training.data.datasets import Split, list_samples
from portraiture.training.data.layouts import Sample
from portraiture.training.evaluation.depth import evaluate_nyu
from portraiture.training.evaluation.ground import evaluate_ground
from portraiture.training.evaluation.masks import evaluate_segmentation
from portraiture.training.evaluation.predict import PredictedMaps


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """The shipped networks in both orientations."""
    sizes = (DEFAULT_SIZE, Size(DEFAULT_SIZE.width, DEFAULT_SIZE.height))
    return Pipeline(Networks().runner, sizes)


def _predict(pipeline: Pipeline, rgb: np.ndarray) -> PredictedMaps:
    fine, coarse = pipeline.perceive(rgb), pipeline.perceive(rgb, "coarse")
    return PredictedMaps(fine.mask, fine.depth, coarse.mask, coarse.depth)


def _spread(dataset: str, root: Path, count: int) -> list[Sample]:
    return spread(list_samples(dataset, root, Split.VALIDATION), count)


# measured: 0.9655 and 0.613, 0.9497 and 0.855, 0.775 and 0.673, 0.808 and 0.611
@pytest.mark.parametrize(
    ("dataset", "folder", "photos", "least_iou", "least_f"),
    [
        ("shen2016", "shen2016", 16, 0.963, 0.605),
        ("ccp", "ccp", 16, 0.947, 0.845),
        ("folder", "supervisely_persons", 12, 0.77, 0.66),
        ("folder", "supervisely_more", 12, 0.80, 0.60),
    ],
)
def test_masks_of_held_out_photos(
    pipeline: Pipeline, real_data: Path, dataset: str, folder: str, photos: int, least_iou: float, least_f: float
) -> None:
    samples = _spread(dataset, real_data / folder, photos)
    figures = evaluate_segmentation(samples, lambda rgb: _predict(pipeline, rgb))
    assert figures["mean_iou"] >= least_iou
    assert figures["mean_iou"] > figures["mean_iou_coarse"]
    assert figures["boundary_f_2px"] >= least_f
    assert figures["boundary_f_2px"] > figures["boundary_f_2px_coarse"] + 0.03


def test_depth_of_held_out_rooms(pipeline: Pipeline, real_data: Path) -> None:
    figures = evaluate_nyu(_spread("nyu", real_data / "nyu", 32), lambda rgb: _predict(pipeline, rgb))
    assert figures["whdr"] <= 0.138  # measured: 0.1354
    assert figures["whdr"] <= figures["whdr_coarse"]


def test_people_stand_on_the_ground(pipeline: Pipeline, real_data: Path) -> None:
    figures = evaluate_ground(_spread("ccp", real_data / "ccp", 32), lambda rgb: _predict(pipeline, rgb))
    assert figures["photos"] >= 16
    assert figures["contact_median"] <= 0.06  # measured: 0.055
    assert figures["rim_nearer"] >= 0.95  # measured: on each of 20 photos; one may fail


@pytest.mark.parametrize(("dataset", "least_db"), [("shen2016", 43.0), ("ccp", 45.5)])
def test_filter_against_the_reference(pipeline: Pipeline, real_data: Path, dataset: str, least_db: float) -> None:
    found = []
    for sample in _spread(dataset, real_data / dataset, 4):
        maps = pipeline.perceive(read_photo(sample.photo))
        mask, depth = (np.asarray(m, np.float64) for m in (maps.model_mask, maps.model_depth))
        settings = RenderSettings(aperture=maps.frame.aperture(APERTURE_PAPER))
        expected = render(maps.model_rgb / 255, mask, depth, settings)
        found.append(psnr_db(pipeline.filter(maps, APERTURE_PAPER).astype(np.float64), expected))
    assert np.mean(found) >= least_db
