"""``evaluate filter --dataset pairs``: filters against pictures that the CRF reference rendered before (paper 4.5).

The setting of the paper is judged by PSNR, SSIM and PSNR at the person's edge; the pair's other settings, apertures and
focus depths, by PSNR. Equal pictures, as of a setting that blurs nothing, count as 100 dB in a mean.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from portraiture.export.contract import Size
from portraiture.export.pipeline.maps import Maps
from portraiture.reference.errors import InputError
from portraiture.reference.evaluation.scores import picture_scores
from portraiture.reference.metrics import psnr_db
from portraiture.reference.photo.folder import spread
from portraiture.tools.evaluate.compare import Row
from portraiture.tools.evaluate.networks import SHIPPED_FILTER_ROW, parse_weights
from portraiture.tools.open_pipeline import open_pipeline
from portraiture.tools.progress import over
from portraiture.training.checkpoints.read import Which, weights_file
from portraiture.training.rendered.files import RenderedPair, list_pairs, read_pair
from portraiture.training.rendered.settings import PAPER_SETTING, LensSetting
from portraiture.training.tasks.filter import filtered
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_LENS, load_any_filter

PairFilter = Callable[[RenderedPair, LensSetting], np.ndarray]
"""From a pair's photo and maps and a setting to the picture, (h, w, 3) in 0..1."""


UNCHANGED = "photo unchanged"

MOST_DB = 100.0
"""PSNR that equal pictures count as in a mean, where theirs is infinite; chosen, not measured."""

_U8, _U16 = 255.0, 65535.0
"""Largest value of a pair's photo and mask, and of its depth and pictures."""


def from_weights(path: Path, which: Which | None = None) -> PairFilter:
    """The filter of a run or a checkpoint file in PyTorch, at any size."""
    model = load_any_filter(weights_file(path, which), which)
    return lambda pair, setting: filtered(model, pair.rgb / _U8, pair.mask / _U8, pair.depth / _U16, setting)


def shipped(runtime: str, bundle: Path | None, precision: str | None, of_lens: bool = False) -> PairFilter:
    """The shipped filter in PyTorch, or an exported one at its own size.

    Args:
        runtime: as ``--runtime`` names it.
        bundle: folder of the exported filter; None with ``torch``.
        precision: which of the bundle's files; None takes the finest.
        of_lens: the shipped filter is that of the lens look.

    Raises:
        InputError: when it is called with a pair of a size that the bundle does not have.
    """
    if runtime == "torch" and bundle is None:
        return from_weights(SHIPPED_LENS if of_lens else SHIPPED_FILTER)
    pipeline = open_pipeline(runtime, bundle, precision)

    def draw(pair: RenderedPair, setting: LensSetting) -> np.ndarray:
        size = Size(*pair.mask.shape)
        if size not in pipeline.sizes:
            known = ", ".join(str(s) for s in pipeline.sizes)
            raise InputError(
                f"evaluate filter: expected pairs of {known}, the sizes of this runtime, found {size};"
                " render them with portraiture pairs --size, or take --runtime torch"
            )
        mask, depth = (pair.mask / _U8).astype(np.float32), (pair.depth / _U16).astype(np.float32)
        maps = Maps(mask, depth, pair.rgb, mask, depth, size)
        return pipeline.filter(maps, setting.aperture, setting.focus).astype(np.float64)

    return draw


def _one_pair(draw: PairFilter, pair: RenderedPair) -> dict[str, float]:
    """Figures of a pair; ``lens_psnr_db`` is the mean over its settings other than the paper's."""
    figures: dict[str, float] = {}
    others = []
    for setting, target in zip(pair.settings, pair.targets, strict=True):
        picture, truth = draw(pair, setting), target / _U16
        if setting == PAPER_SETTING:
            judged = picture_scores(picture, truth, pair.mask / _U8)
            figures |= {k: min(v, MOST_DB) for k, v in judged.items()}
        else:
            others.append(min(psnr_db(picture, truth), MOST_DB))
    if others:
        figures["lens_psnr_db"] = float(np.mean(others))
    return figures


def pair_figures(folder: Path, filters: Mapping[str, PairFilter], limit: int | None) -> dict[str, dict[str, float]]:
    """Means over the pairs of a folder, by the filter's name.

    Args:
        folder: as ``portraiture pairs`` wrote it.
        filters: by name.
        limit: use at most this many pairs, spread evenly over the folder; None takes all.
    """
    paths = spread(list_pairs(folder), limit)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in filters}
    for path in over(paths, len(paths), "pair", "filter"):
        pair = read_pair(path)
        for name, draw in filters.items():
            found[name].append(_one_pair(draw, pair))
    return {
        name: {"photos": len(rows), **{k: float(np.mean([r[k] for r in rows if k in r])) for k in rows[0]}}
        for name, rows in found.items()
    }


def compare_on_pairs(
    folder: Path, draw: PairFilter, options: Sequence[str], limit: int | None, which: Which | None = None
) -> list[Row]:
    """Rows of table 2: the photo itself, the shipped filter, and one for each ``NAME=FILE``.

    Args:
        folder: as ``portraiture pairs`` wrote it.
        draw: the shipped filter.
        options: ``NAME=FILE``.
        limit: use at most this many pairs, spread evenly over the folder; None takes all.
        which: of files that hold raw and averaged weights; None takes the averaged ones.

    Raises:
        OptionError, InputError: what ``parse_weights``, ``from_weights`` and the filters raise.
    """
    given = parse_weights(options, (UNCHANGED, SHIPPED_FILTER_ROW))
    filters: dict[str, PairFilter] = {UNCHANGED: lambda pair, _: pair.rgb / _U8, SHIPPED_FILTER_ROW: draw}
    filters |= {weights.name: from_weights(weights.path, which) for weights in given}
    return [Row(name, figures) for name, figures in pair_figures(folder, filters, limit).items()]
