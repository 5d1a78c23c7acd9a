"""``evaluate`` of one network: from the options to a predictor, and from that to the subject's figures."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import OptionError
from portraiture.tools.evaluate import measures
from portraiture.tools.evaluate import worst as worst_photos
from portraiture.tools.evaluate.networks import NETWORKS, Weights, open_weights
from portraiture.tools.evaluate.photos import Photos
from portraiture.training.checkpoints.read import Which
from portraiture.training.evaluation.app_masks import evaluate_refined
from portraiture.training.evaluation.ground import ground_figures, score_ground
from portraiture.training.evaluation.masks import score_masks
from portraiture.training.evaluation.predict import Predict

WITH_COARSE = ("segmentation", "depth")
"""Subjects that are measured of the coarse maps too."""


def own_predictor(weights: Sequence[str], which: Which | None) -> Predict | None:
    """A network of masks or depth at the size that it was trained at last; None without weights.

    Args:
        weights: runs or files, one at most.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.

    Raises:
        OptionError: several weights.
        InputError: the file cannot be read, or is of no network of masks or depth.
    """
    if not weights:
        return None
    if len(weights) > 1:
        raise OptionError(f"--weights: expected one network to judge, found {len(weights)}; add --compare for a table")
    return open_weights(Weights(Path(weights[0]).name, Path(weights[0])), NETWORKS, which)


def predictor_of(subject: str, method: str, pipeline: Pipeline) -> Predict:
    """What a subject measures of a pipeline.

    Args:
        subject: any but filter, refine and render.
        method: ``network`` or ``graph-cut``.
        pipeline: the shipped one, or of the runtime or the weights that are asked for.
    """
    if method == "graph-cut":
        return measures.graph_cut_predictor(pipeline)
    return measures.network_predictor(pipeline, subject in WITH_COARSE and pipeline.offers("coarse"))


def figures_of(
    subject: str, photos: Photos, predict: Predict, worst: int | None = None, sheet: Path | None = None
) -> dict[str, Any]:
    """A subject's figures.

    Args:
        subject: any but filter, refine and render.
        photos: what is measured.
        predict: gives the maps.
        worst: of segmentation, list so many photos with the worst masks.
        sheet: file of a contact sheet of them.
    """
    if subject == "ground":
        samples = photos.samples()
        scores = score_ground(samples, predict)
        return {**ground_figures(scores, len(samples)), "by_photo": [score._asdict() for score in scores]}
    if worst is None:
        return {**measures.measure_of(subject, photos)(predict)}
    samples = photos.samples()
    figures, ious = score_masks(samples, predict)
    scored = worst_photos.lowest_iou(samples, ious, worst)
    if sheet is not None:
        worst_photos.write_sheet(sheet, scored, predict)
    return {**figures, "worst": [{"id": sample.id, "iou": iou} for sample, iou in scored]}


def measured(
    subject: str,
    photos: Photos,
    open_shipped: Callable[[], Pipeline],
    method: str,
    own: Predict | None,
    worst: int | None,
    sheet: Path | None,
) -> dict[str, Any]:
    """The figures of a network, of a pipeline, or of a pipeline's filter.

    Args:
        subject: any but render.
        photos: what is measured.
        open_shipped: opens the pipeline.
        method: ``network`` or ``graph-cut``.
        own: a predictor in the pipeline's place.
        worst, sheet: as :func:`figures_of` takes them.
    """
    if subject == "filter":
        from portraiture.tools.evaluate.portraits import portrait_figures, score_portraits

        return {**portrait_figures(score_portraits(photos.samples(), open_shipped()))}
    if subject == "refine":
        return {**evaluate_refined(photos.samples(), open_shipped().refine)}
    predict = own or predictor_of(subject, method, open_shipped())
    return figures_of(subject, photos, predict, worst, sheet)
