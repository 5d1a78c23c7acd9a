"""What ``portraiture evaluate`` measures: from a dataset's name and folder to its photos and to its figures."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from portraiture.export.pipeline.maps import Maps
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.evaluation.graph_cut import segment
from portraiture.reference.evaluation.seeds import seeds_from_mask, seeds_from_prior
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.photo.read import read_photo
from portraiture.reference.presence import Presence, find_person
from portraiture.reference.render import render
from portraiture.reference.settings import RenderSettings
from portraiture.tools.evaluate.crowd import evaluate_crowd
from portraiture.tools.evaluate.mattes import evaluate_mattes
from portraiture.tools.evaluate.photos import Photos
from portraiture.tools.progress import over
from portraiture.training.data.datasets import list_depths
from portraiture.training.data.depth_order import read_diw
from portraiture.training.data.layouts import DEPTHS_FOLDER, has_depths, has_people
from portraiture.training.evaluation.bodies import evaluate_bodies
from portraiture.training.evaluation.depth import evaluate_diw, evaluate_nyu, evaluate_ordinal
from portraiture.training.evaluation.filters import evaluate_filters
from portraiture.training.evaluation.ground import evaluate_ground
from portraiture.training.evaluation.masks import evaluate_nobody, evaluate_parts, evaluate_segmentation
from portraiture.training.evaluation.predict import Predict, PredictedMaps

Filter = Callable[[Maps, float], np.ndarray]
"""From a photo's maps and an aperture to the portrait at the model's size, hxwx3 float in 0..1."""

Measure = Callable[[Predict], dict[str, float]]
"""From a predictor to its figures on photos chosen before."""


def segmentation_measure(photos: Photos) -> Measure:
    """Masks against true masks or true parts, or on photos of nobody."""
    samples = photos.samples(parts=True)
    whole = evaluate_parts if any(s.partial for s in samples) else evaluate_segmentation
    evaluate = evaluate_nobody if photos.dataset == "bsds500" else whole
    return lambda predict: evaluate(samples, predict)


def depth_measure(photos: Photos) -> Measure:
    """Depth against ordinal pairs (nyu, diw, a folder with ``depths/`` or pairs) or on bodies (all with masks).

    Raises:
        InputError: a folder has neither ``depths/`` nor ``masks/``, or what the loaders raise.
    """
    root = photos.root
    if photos.dataset == "diw":
        records = photos.choose(read_diw(root / "DIW_test.csv"))
        return lambda predict: evaluate_diw(records, predict)
    if photos.dataset == "nyu" or (photos.dataset == "folder" and has_depths(root)):
        rooms = photos.choose(photos.of_split(list_depths(photos.dataset, root)))
        evaluate = evaluate_nyu if photos.dataset == "nyu" else evaluate_ordinal
        return lambda predict: evaluate(rooms, predict)
    if photos.dataset == "folder" and not has_people(root):
        raise InputError(f"folder: expected {root / DEPTHS_FOLDER} or {root / 'masks'}, found neither; check --root")
    people = photos.samples()
    return lambda predict: evaluate_bodies(people, predict)


def measure_of(subject: str, photos: Photos) -> Measure:
    """The measure of a subject but filter and render; lists the photos now, so that a wrong folder fails at once."""
    of_people = {"ground": evaluate_ground, "crowd": evaluate_crowd, "matte": evaluate_mattes}
    if subject in of_people:
        people, evaluate = photos.samples(), of_people[subject]
        return lambda predict: evaluate(people, predict)
    return (segmentation_measure if subject == "segmentation" else depth_measure)(photos)


def network_predictor(pipeline: Pipeline, coarse: bool) -> Predict:
    """The pipeline's refined maps, and its coarse ones where asked for."""

    def predict(rgb: np.ndarray) -> PredictedMaps:
        fine = pipeline.perceive(rgb)
        if not coarse:
            return PredictedMaps(fine.mask, fine.depth, None, None)
        first = pipeline.perceive(rgb, "coarse")
        return PredictedMaps(fine.mask, fine.depth, first.mask, first.depth)

    return predict


def graph_cut_predictor(pipeline: Pipeline) -> Predict:
    """Boykov and Jolly's graph cut, seeded by the coarse mask, or by the selfie prior where that finds nobody."""

    def predict(rgb: np.ndarray) -> PredictedMaps:
        coarse = pipeline.perceive(rgb, "coarse")
        try:
            seeds = seeds_from_mask(coarse.mask)
        except InputError:
            seeds = seeds_from_prior((rgb.shape[0], rgb.shape[1]))
        mask = segment(rgb / 255.0, *seeds).astype("float32")
        return PredictedMaps(mask, coarse.depth, coarse.mask, coarse.depth)

    return predict


def filter_figures(photos: Photos, pipeline: Pipeline, filters: Mapping[str, Filter]) -> dict[str, dict[str, float]]:
    """Filters against the CRF reference on the same predicted maps, all at the model's size and the paper setting.

    Args:
        photos: those on which the pipeline finds nobody are left out.
        pipeline: gives the maps.
        filters: by name; the reference renders each photo once for all of them.

    Returns:
        ``evaluate_filters``' figures by name.

    Raises:
        InputError: nobody is found on any photo.
        OptionError: there is no filter.
    """
    if not filters:
        raise OptionError("evaluate filter: expected at least one filter, found none; name one")
    chosen = photos.samples()

    def pictures() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        for sample in over(chosen, len(chosen), "photo", "filter"):
            maps = pipeline.perceive(read_photo(sample.photo))
            mask, depth = (np.clip(np.asarray(m, np.float64), 0, 1) for m in (maps.model_mask, maps.model_depth))
            if find_person(mask).presence is Presence.ABSENT:
                continue
            settings = RenderSettings(aperture=maps.frame.aperture(APERTURE_PAPER))
            reference = render(maps.model_rgb / 255, mask, depth, settings)
            yield {name: draw(maps, APERTURE_PAPER) for name, draw in filters.items()}, reference

    return evaluate_filters(pictures())
