"""Networks named on the command line by ``--weights``, loaded and run on photos."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.pipeline.maps import Maps, frame_of
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.resize import nearest_size, to_model_size, to_photo_size
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.tools.evaluate.measures import Filter, network_predictor
from portraiture.training.checkpoints.fill import fill
from portraiture.training.checkpoints.networks import networks_in
from portraiture.training.checkpoints.read import Checkpoint, Which, is_run, read_checkpoint, weights_file
from portraiture.training.evaluation.predict import Predict, PredictedMaps
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters.table import FILTERS as FILTER_NETWORKS
from portraiture.training.models.spn import PaperSpn
from portraiture.training.weights import load_any_filter, load_perception

T = TypeVar("T")
GRAPH_CUT, COARSE, REFINED, SHIPPED_FILTER_ROW = "graph cut", "coarse", "refined", "RNN filter"


class NetworkMaps(NamedTuple):
    """What a network gives for one photo: (1, 1, h, w) in 0..1 each, None where it has no such map."""

    mask: Tensor | None = None
    depth: Tensor | None = None
    coarse_mask: Tensor | None = None
    coarse_depth: Tensor | None = None


def trained_sizes(checkpoint: Checkpoint) -> tuple[Size, Size]:
    """Portrait and landscape size that weights were trained at last; the default ones where the file does not say."""
    long_px, short_px = checkpoint.metadata.get("size", (DEFAULT_SIZE.height, DEFAULT_SIZE.width))
    return Size(long_px, short_px), Size(short_px, long_px)


def on_photos(run: Callable[[Tensor], NetworkMaps], sizes: tuple[Size, Size]) -> Predict:
    """A network as a function on photos, brought to the model's size by the contract's rule, back bilinearly.

    Args:
        run: from rgb (1, 3, h, w) in 0..1 at one of ``sizes`` to maps.
        sizes: the photo's aspect decides between them.
    """

    def predict(rgb: np.ndarray) -> PredictedMaps:
        size = nearest_size(rgb.shape[0], rgb.shape[1], sizes)
        frame = frame_of(rgb.shape[0], rgb.shape[1], size)
        height, width = frame.size.height, frame.size.width
        small = to_model_size(frame.mirror(rgb), size)
        with torch.no_grad():
            maps = run(_batch(small / np.float32(255)))
        found = [None if m is None else to_photo_size(m[0, 0].numpy(), height, width) for m in maps]
        return PredictedMaps(*(None if m is None else np.clip(frame.keep(m), 0, 1) for m in found))

    return predict


def _batch(image: np.ndarray) -> Tensor:
    """(h, w, 3) or (h, w) -> (1, C, h, w) float32."""
    planes = image[..., None] if image.ndim == 2 else image
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32))


def _mobile_perception(checkpoint: Checkpoint, which: Which | None) -> Predict:
    networks = Networks(Checkpoints(perception=checkpoint.path, which=which))
    return network_predictor(Pipeline(networks.runner, trained_sizes(checkpoint)), coarse=True)


def _mobile_coarse(checkpoint: Checkpoint, which: Which | None) -> Predict:
    network = MobileCoarse()
    fill(network.eval(), checkpoint, which)

    def run(rgb: Tensor) -> NetworkMaps:
        mask, depth = torch.split(torch.sigmoid(network(rgb)), 1, 1)
        return NetworkMaps(mask, depth)

    return on_photos(run, trained_sizes(checkpoint))


def _mask_alone(build: Callable[[], Fcn]) -> Callable[[Checkpoint, Which | None], Predict]:
    """The loader of a baseline that gives a mask."""

    def load(checkpoint: Checkpoint, which: Which | None) -> Predict:
        network = build()
        fill(network.eval(), checkpoint, which)
        return on_photos(lambda rgb: NetworkMaps(torch.sigmoid(network(rgb))), trained_sizes(checkpoint))

    return load


def _paper_spn(checkpoint: Checkpoint, which: Which | None) -> Predict:
    """The paper's SPN on the shipped network's coarse map, of which it refines the mask, or the depth if trained so."""
    network, coarse = PaperSpn(ways=checkpoint.metadata.get("ways", 3)), load_perception().coarse
    fill(network.eval(), checkpoint, which)
    of_depth = checkpoint.metadata.get("subject") == "depth"

    def run(rgb: Tensor) -> NetworkMaps:
        first = torch.split(coarse(rgb), 1, 1)[int(of_depth)]
        refined, rough = torch.sigmoid(network(rgb, first)), torch.sigmoid(first)
        return NetworkMaps(depth=refined, coarse_depth=rough) if of_depth else NetworkMaps(refined, coarse_mask=rough)

    return on_photos(run, trained_sizes(checkpoint))


def _lens_filter(checkpoint: Checkpoint, which: Which | None) -> Filter:
    network = load_any_filter(checkpoint.path, which)

    def draw(maps: Maps, aperture: float) -> np.ndarray:
        images = [_batch(m) for m in (maps.model_rgb / np.float32(255), maps.model_mask, maps.model_depth)]
        scalars = [torch.full((1, 1, 1, 1), value) for value in (maps.frame.aperture(aperture), FOCUS_ON_PERSON)]
        with torch.no_grad():
            portrait: Tensor = network(*images, *scalars)
        return portrait[0].permute(1, 2, 0).numpy()

    return draw


NETWORKS: dict[str, Callable[[Checkpoint, Which | None], Predict]] = {
    "MobilePerception": _mobile_perception,
    "MobileCoarse": _mobile_coarse,
    "PaperSpn": _paper_spn,
    "Fcn": _mask_alone(Fcn),
    "PfcnPlus": _mask_alone(PfcnPlus),
}
"""Networks of masks and depth by name."""


FILTERS: dict[str, Callable[[Checkpoint, Which | None], Filter]] = dict.fromkeys(FILTER_NETWORKS, _lens_filter)
"""Filters by name."""


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
            raise OptionError(f"--weights: expected NAME=RUN or NAME=FILE, found {option!r}; give both")
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


def open_weights(
    weights: Weights, loaders: Mapping[str, Callable[[Checkpoint, Which | None], T]], which: Which | None = None
) -> T:
    """Open a file by the network that it is of.

    Args:
        weights: the row, of a run or a checkpoint file.
        loaders: ``NETWORKS`` or ``FILTERS``.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.

    Raises:
        InputError: no such file, no network of these, or weights that do not fit.
    """
    path = weights_file(weights.path, which) if is_run(weights.path) else weights.path
    checkpoint = read_checkpoint(path)
    name = network_name(checkpoint, loaders)
    if name not in loaders:
        raise InputError(
            f"--weights {weights.name}: expected a file of {' or '.join(loaders)}, found {name} in {path};"
            " give one that portraiture train wrote"
        )
    return loaders[name](checkpoint, which)


def network_name(checkpoint: Checkpoint, names: Collection[str]) -> str:
    """Which of some networks a file is of; what its metadata say, or what else it is, where it is none of them."""
    said = str(checkpoint.metadata.get("model", "no network of ours"))
    return next(iter(networks_in(checkpoint.tensors, names) or networks_in(checkpoint.tensors)), said)
