"""``evaluate --compare``: methods side by side, as in the paper's tables 1 and 2, and the networks a row can come from.

What can be compared is an entry of ``NETWORKS`` (masks and depth) or ``FILTERS``: the network's name, and a loader from
a checkpoint to a function on photos.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import InputError
from portraiture.tools.evaluate.mask_files import masks_of
from portraiture.tools.evaluate.measures import filter_figures, graph_cut_predictor, measure_of, network_predictor
from portraiture.tools.evaluate.networks import (
    COARSE,
    FILTERS,
    GRAPH_CUT,
    NETWORKS,
    REFINED,
    SHIPPED_FILTER_ROW,
    open_weights,
    parse_weights,
)
from portraiture.tools.evaluate.photos import Photos
from portraiture.tools.evaluate.table import markdown_table
from portraiture.training.checkpoints.read import Which, is_run


@dataclass(frozen=True)
class Row:
    """A method and its figures, in the units of ``training/evaluation``."""

    method: str
    figures: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """For the ``rows`` of a JSON file."""
        return {"method": self.method, **self.figures}


def compare_networks(
    subject: str,
    photos: Photos,
    open_shipped: Callable[[], Pipeline],
    options: Sequence[str],
    which: Which | None = None,
) -> list[Row]:
    """Rows of table 1: graph cut (masks of people only), coarse, refined, and one for each ``--weights``.

    Where photos show nobody, or the subject is depth, there is no row of graph cut: it always cuts somebody out.

    Args:
        subject: ``segmentation``, ``depth``, or ``ground`` and ``crowd``, which have no row of the coarse maps.
        photos: what is measured.
        open_shipped: opens the pipeline of the coarse and refined rows.
        options: ``NAME=FILE`` or ``NAME=RUN``; of segmentation also ``NAME=DIR``, masks that another program wrote.
        which: of files that hold raw and averaged weights; None takes the averaged ones.

    Raises:
        OptionError, InputError: what ``parse_weights``, ``open_weights``, ``masks_of`` and the measure raise.
    """
    given = parse_weights(options, (GRAPH_CUT, COARSE, REFINED))
    measure = measure_of(subject, photos)
    predictors = []
    for w in given:
        of_files = subject == "segmentation" and w.path.is_dir() and not is_run(w.path)
        predictors.append((w, masks_of(w.path, photos.samples()) if of_files else open_weights(w, NETWORKS, which)))
    pipeline = open_shipped()
    rows = []
    if subject == "segmentation" and photos.dataset != "bsds500":
        rows.append(Row(GRAPH_CUT, _refined(measure(graph_cut_predictor(pipeline)))))
    refined_only = subject in ("ground", "crowd")
    both = measure(network_predictor(pipeline, not refined_only))
    if refined_only:
        rows.append(Row(REFINED, both))
    else:
        rows += [Row(COARSE, _coarse(both)), Row(REFINED, _refined(both))]
    for weights, predict in predictors:
        try:
            rows.append(Row(weights.name, _refined(measure(predict))))
        except InputError as error:
            raise InputError(f"--weights {weights.name}: {error}") from error
    return rows


def compare_filters(
    photos: Photos, open_shipped: Callable[[], Pipeline], options: Sequence[str], which: Which | None = None
) -> list[Row]:
    """Rows of table 2: the shipped filter, and one for each ``--weights``, all on the shipped network's maps.

    Args:
        photos: what is measured; those on which nobody is found are left out.
        open_shipped: opens the pipeline of the maps and of the shipped filter.
        options: ``NAME=FILE`` or ``NAME=RUN``.
        which: of files that hold raw and averaged weights; None takes the averaged ones.

    Raises:
        OptionError, InputError: what ``parse_weights``, ``open_weights`` and ``filter_figures`` raise.
    """
    given = parse_weights(options, (SHIPPED_FILTER_ROW,))
    opened = {w.name: open_weights(w, FILTERS, which) for w in given}
    pipeline = open_shipped()
    figures = filter_figures(photos, pipeline, {SHIPPED_FILTER_ROW: pipeline.filter, **opened})
    return [Row(name, found) for name, found in figures.items()]


_END = "_coarse"
"""End of the name of a figure of the maps before the propagation."""


def _refined(figures: dict[str, float]) -> dict[str, float]:
    return {k: v for k, v in figures.items() if not k.endswith(_END)}


def _coarse(figures: dict[str, float]) -> dict[str, float]:
    """The coarse figures under plain names, with the counts that both share."""
    own = {k.removesuffix(_END): v for k, v in figures.items() if k.endswith(_END)}
    return {k: own.get(k, v) for k, v in _refined(figures).items()}


@dataclass(frozen=True)
class _Column:
    title: str
    decimals: int
    factor: int = 1


_COLUMNS = {
    "photos": _Column("photos", 0),
    "photos_passed_over": _Column("passed over", 0),
    "pairs": _Column("pairs", 0),
    "mean_iou": _Column("mean IoU %", 2, 100),
    "set_iou": _Column("IoU of the set %", 2, 100),
    "boundary_f_2px": _Column("boundary F at 2 px %", 2, 100),
    "false_area": _Column("false area %", 2, 100),
    "photos_above_2_percent": _Column("photos above 2 %", 0),
    "whdr": _Column("WHDR %", 2, 100),
    "body_spread": _Column("body spread", 4),
    "body_std": _Column("body std", 4),
    "person_rank": _Column("person rank %", 2, 100),
    "contact_median": _Column("ground beside the feet, median", 3),
    "rim_nearer": _Column("lower rim nearer %", 1, 100),
    "people": _Column("people", 0),
    "people_kept": _Column("people kept %", 1, 100),
    "photos_whole": _Column("photos that keep everybody %", 1, 100),
    "psnr_db": _Column("PSNR dB", 2),
    "ssim": _Column("SSIM", 4),
    "edge_psnr_db": _Column("PSNR dB within 10 px of the edge", 2),
    "lens_psnr_db": _Column("PSNR dB over apertures and focus", 2),
}


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table with one row per method; shares are in percent."""
    keys = list(rows[0].figures)
    cells = [[f"{r.figures[k] * _COLUMNS[k].factor:.{_COLUMNS[k].decimals}f}" for k in keys] for r in rows]
    return markdown_table(
        ["method", *(_COLUMNS[k].title for k in keys)],
        [[row.method, *found] for row, found in zip(rows, cells, strict=True)],
    )
