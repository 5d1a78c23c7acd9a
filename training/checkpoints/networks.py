"""Our own networks by the name that stands in their weight files, and which of them a file is of."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from portraiture.training.checkpoints.match import shapes_of, tensor_sets
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters.table import FILTERS
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.spn import PaperSpn

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "MobilePerception": MobilePerception,
    "MobileCoarse": MobileCoarse,
    "PaperSpn": PaperSpn,
    "Fcn": Fcn,
    "PfcnPlus": PfcnPlus,
    **FILTERS,
}
"""Every network that ``portraiture train`` writes."""

TRAINED_BY = {
    "MobilePerception": "train perception",
    "MobileCoarse": "train coarse",
    "PaperSpn": "train segmentation or depth --recipe paper",
    "Fcn": "train segmentation --recipe baseline-fcn",
    "PfcnPlus": "train segmentation --recipe baseline-pfcn",
    **dict.fromkeys(FILTERS, "train filter"),
}
"""What writes each network's files."""


def networks_in(tensors: Mapping[str, Tensor], names: Iterable[str] = tuple(NETWORKS)) -> list[str]:
    """The networks whose weights a file holds, by names and shapes, in the order asked for.

    A perception network holds a coarse estimator.

    Args:
        tensors: of the file, by name.
        names: of the networks that are looked for.
    """
    found = []
    for name in names:
        with torch.device("meta"):
            own = shapes_of(NETWORKS[name]())
        if any(s.complete for s in tensor_sets(own, tensors)):
            found.append(name)
    return found
