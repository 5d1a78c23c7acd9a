"""``evaluate --compare``: methods side by side, as in the paper's tables 1 and 2, and the networks a row can come from.

A weights file names its network in its metadata, ``model``. What can be compared is an entry of ``NETWORKS`` (masks and
depth) or ``FILTERS``: the name, and a loader from the file to a function on photos.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.maps import Maps
from portraiture.export.pipeline import NO_FOCUS, Pipeline
from portraiture.export.resize import mask_to_photo_size, nearest_size, to_model_size, to_photo_size
from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.evaluations import (
    Filter,
    Photos,
    filter_figures,
    graph_cut_predictor,
    measure_of,
    network_predictor,
)
from portraiture.training.checkpoint import load_model, load_tensors
from portraiture.training.evaluate import Predict, PredictedMaps
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters import FILTERS as FILTER_NETWORKS
from portraiture.training.weights import load_any_filter, load_perception

GRAPH_CUT, COARSE, REFINED, SHIPPED_FILTER_ROW = "graph cut", "coarse", "refined", "RNN filter"
T = TypeVar("T")


class NetworkMaps(NamedTuple):
    """What a network gives for one photo: (1, 1, h, w) in 0..1 each, None where it has no such map."""

    mask: Tensor | None = None
    depth: Tensor | None = None
    coarse_mask: Tensor | None = None
    coarse_depth: Tensor | None = None


def trained_sizes(path: Path) -> tuple[Size, Size]:
    """Portrait and landscape size that a weights file was trained at last."""
    long_px, short_px = load_tensors(path)[1].get("size", (DEFAULT_SIZE.height, DEFAULT_SIZE.width))
    return Size(long_px, short_px), Size(short_px, long_px)


def on_photos(run: Callable[[Tensor], NetworkMaps], sizes: tuple[Size, Size], guided: bool = False) -> Predict:
    """A network as a function on photos, brought to the model's size and back by the contract's rule.

    Args:
        run: from rgb (1, 3, h, w) in 0..1 at one of ``sizes`` to maps.
        sizes: the photo's aspect decides between them.
        guided: enlarge the refined mask by the guided filter, as the pipeline does; baselines enlarge bilinearly.
    """

    def predict(rgb: np.ndarray) -> PredictedMaps:
        height, width = rgb.shape[:2]
        small = to_model_size(rgb, nearest_size(height, width, sizes))
        with torch.no_grad():
            maps = run(_batch(small / np.float32(255)))
        found = [None if m is None else to_photo_size(m[0, 0].numpy(), height, width) for m in maps]
        if maps.mask is not None and guided:
            found[0] = mask_to_photo_size(maps.mask[0, 0].numpy(), small, rgb)
        return PredictedMaps(*(None if m is None else np.clip(m, 0, 1) for m in found))

    return predict


def _batch(image: np.ndarray) -> Tensor:
    """(h, w, 3) or (h, w) -> (1, C, h, w) float32."""
    planes = image[..., None] if image.ndim == 2 else image
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32))


def _mobile_perception(path: Path) -> Predict:
    network = load_perception(path)
    return on_photos(lambda rgb: NetworkMaps(*network(rgb)), trained_sizes(path), guided=True)


def _mobile_coarse(path: Path) -> Predict:
    network = MobileCoarse()
    load_model(network, path)
    network.eval()

    def run(rgb: Tensor) -> NetworkMaps:
        mask, depth = torch.split(torch.sigmoid(network(rgb)), 1, 1)
        return NetworkMaps(mask, depth)

    return on_photos(run, trained_sizes(path))


def _fcn(path: Path) -> Predict:
    _, metadata = load_tensors(path)
    network = PfcnPlus() if metadata["model"] == "PfcnPlus" else Fcn()
    load_model(network, path)
    network.eval()
    return on_photos(lambda rgb: NetworkMaps(torch.sigmoid(network(rgb))), trained_sizes(path))


def _lens_filter(path: Path) -> Filter:
    network = load_any_filter(path)

    def draw(maps: Maps, aperture: float) -> np.ndarray:
        images = [_batch(m) for m in (maps.model_rgb / np.float32(255), maps.model_mask, maps.model_depth)]
        scalars = [torch.full((1, 1, 1, 1), value) for value in (aperture, NO_FOCUS)]
        with torch.no_grad():
            portrait: Tensor = network(*images, *scalars)
        return portrait[0].permute(1, 2, 0).numpy()

    return draw


NETWORKS: dict[str, Callable[[Path], Predict]] = {
    "MobilePerception": _mobile_perception,
    "MobileCoarse": _mobile_coarse,
    "Fcn": _fcn,
    "PfcnPlus": _fcn,
}
"""Networks of masks and depth by the ``model`` of their metadata."""

FILTERS: dict[str, Callable[[Path], Filter]] = dict.fromkeys(FILTER_NETWORKS, _lens_filter)
"""Filters by the ``model`` of their metadata."""


@dataclass(frozen=True)
class Weights:
    """A row's name and its weights file."""

    name: str
    path: Path


def parse_weights(options: Sequence[str], taken: Sequence[str]) -> list[Weights]:
    """``NAME=FILE`` options.

    Args:
        options: as given.
        taken: names of the rows that are there anyway.

    Raises:
        OptionError: another form, or a name occurs twice.
    """
    found: list[Weights] = []
    names = [*taken]
    for option in options:
        name, sign, path = (part.strip() for part in option.partition("="))
        if not (name and sign and path):
            raise OptionError(f"--weights: expected NAME=FILE.safetensors, found {option!r}")
        if "|" in name:
            raise OptionError(f"--weights: expected a name without '|', found {name!r}; it would break the table")
        if name in names:
            raise OptionError(f"--weights: expected names that differ from {', '.join(names)}, found {name!r} again")
        names.append(name)
        found.append(Weights(name, Path(path)))
    return found


def open_weights(weights: Weights, loaders: Mapping[str, Callable[[Path], T]]) -> T:
    """Open a file by the network its metadata names.

    Args:
        weights: the row.
        loaders: ``NETWORKS`` or ``FILTERS``.

    Raises:
        InputError: no such file, no network of these, or weights that do not fit.
    """
    _, metadata = load_tensors(weights.path)
    model = str(metadata.get("model", ""))
    if model not in loaders:
        found = model or "no model's name"
        raise InputError(
            f"--weights {weights.name}: expected a file of {' or '.join(loaders)}, found {found} in {weights.path};"
            " give one that portraiture train wrote"
        )
    return loaders[model](weights.path)


@dataclass(frozen=True)
class Row:
    """A method and its figures, in the units of ``training.evaluate``."""

    method: str
    figures: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """For the ``rows`` of a JSON file."""
        return {"method": self.method, **self.figures}


def compare_networks(
    subject: str, photos: Photos, open_shipped: Callable[[], Pipeline], options: Sequence[str]
) -> list[Row]:
    """Rows of table 1: graph cut (masks of people only), coarse, refined, and one for each ``--weights``.

    Where photos show nobody, or the subject is depth, there is no row of graph cut: it always cuts somebody out.

    Args:
        subject: ``segmentation`` or ``depth``.
        photos: what is measured.
        open_shipped: opens the pipeline of the coarse and refined rows.
        options: ``NAME=FILE``.

    Raises:
        OptionError, InputError: what ``parse_weights``, ``open_weights`` and the measure raise.
    """
    given = parse_weights(options, (GRAPH_CUT, COARSE, REFINED))
    measure = measure_of(subject, photos)
    predictors = [(w, open_weights(w, NETWORKS)) for w in given]
    pipeline = open_shipped()
    rows = []
    if subject == "segmentation" and photos.dataset != "bsds500":
        rows.append(Row(GRAPH_CUT, _refined(measure(graph_cut_predictor(pipeline)))))
    both = measure(network_predictor(pipeline, True))
    rows += [Row(COARSE, _coarse(both)), Row(REFINED, _refined(both))]
    for weights, predict in predictors:
        try:
            rows.append(Row(weights.name, _refined(measure(predict))))
        except InputError as error:
            raise InputError(f"--weights {weights.name}: {error}") from error
    return rows


def compare_filters(photos: Photos, open_shipped: Callable[[], Pipeline], options: Sequence[str]) -> list[Row]:
    """Rows of table 2: the shipped filter, and one for each ``--weights``, all on the shipped network's maps."""
    given = parse_weights(options, (SHIPPED_FILTER_ROW,))
    opened = {w.name: open_weights(w, FILTERS) for w in given}
    pipeline = open_shipped()
    figures = filter_figures(photos, pipeline, {SHIPPED_FILTER_ROW: pipeline.filter, **opened})
    return [Row(name, found) for name, found in figures.items()]


_END = "_coarse"


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
    "psnr_db": _Column("PSNR dB", 2),
    "ssim": _Column("SSIM", 4),
    "edge_psnr_db": _Column("PSNR dB within 10 px of the edge", 2),
    "lens_psnr_db": _Column("PSNR dB over apertures and focus", 2),
}


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table, a row a method; shares are in percent."""
    keys = list(rows[0].figures)
    lines = ["| method | " + " | ".join(_COLUMNS[k].title for k in keys) + " |", "| --- |" + " ---: |" * len(keys)]
    for row in rows:
        cells = [f"{row.figures[k] * _COLUMNS[k].factor:.{_COLUMNS[k].decimals}f}" for k in keys]
        lines.append(f"| {row.method} | {' | '.join(cells)} |")
    return "\n".join(lines)
