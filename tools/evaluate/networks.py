"""Networks named on the command line by ``--weights NAME=FILE``, loaded and run on photos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.pipeline.maps import Maps, frame_of
from portraiture.export.pipeline.resize import mask_to_photo_size, nearest_size, to_model_size, to_photo_size
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.tools.evaluate.measures import Filter
from portraiture.training.evaluation.predict import Predict, PredictedMaps
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters.table import FILTERS as FILTER_NETWORKS
from portraiture.training.tensor_files import load_model, load_tensors
from portraiture.training.weights import load_any_filter, load_perception

T = TypeVar("T")
GRAPH_CUT, COARSE, REFINED, SHIPPED_FILTER_ROW = "graph cut", "coarse", "refined", "RNN filter"


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
        size = nearest_size(rgb.shape[0], rgb.shape[1], sizes)
        frame = frame_of(rgb.shape[0], rgb.shape[1], size)
        height, width = frame.size.height, frame.size.width
        framed = frame.mirror(rgb)
        small = to_model_size(framed, size)
        with torch.no_grad():
            maps = run(_batch(small / np.float32(255)))
        found = [None if m is None else to_photo_size(m[0, 0].numpy(), height, width) for m in maps]
        if maps.mask is not None and guided:
            found[0] = mask_to_photo_size(maps.mask[0, 0].numpy(), small, framed)
        return PredictedMaps(*(None if m is None else np.clip(frame.keep(m), 0, 1) for m in found))

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
        scalars = [torch.full((1, 1, 1, 1), value) for value in (maps.frame.aperture(aperture), FOCUS_ON_PERSON)]
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
            raise OptionError(f"--weights: expected NAME=FILE.safetensors, found {option!r}; give both")
        if "|" in name:
            raise OptionError(
                f"--weights: expected a name without '|', found {name!r}; take it out, it breaks the table"
            )
        if name in names:
            others = ", ".join(names)
            raise OptionError(f"--weights: expected names that differ from {others}, found {name!r} again; change it")
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
