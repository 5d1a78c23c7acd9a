"""What a checkpoint that does not fit is likely to be, and what to do."""

from collections.abc import Mapping

from torch import Tensor

from portraiture.training.checkpoints.match import Shapes, TensorSet
from portraiture.training.checkpoints.networks import TRAINED_BY, networks_in

_MOST = 0.5
"""Share of a network's names from which on a file counts as an older or newer form of it. Chosen, not measured."""


def likely_cause(own: Shapes, tensors: Mapping[str, Tensor], nearest: TensorSet | None) -> str:
    """The end of a message: the likely cause, and one thing to do.

    Args:
        own: shapes of the network that was expected, by name.
        tensors: of the file, by name.
        nearest: the set of the file with most of the network's names.
    """
    if nearest is not None and nearest.empty:
        return "its average has not begun and holds a network's first weights; save the model's own state_dict()"
    for other in networks_in(tensors):
        return f"these are weights of {other} ({TRAINED_BY[other]}); give a file of the network that is expected"
    if tensors and all(name.split(".")[0].startswith("optim") for name in tensors):
        return "the file holds an optimizer's state alone; save the model's state_dict() too"
    if any(name.split(".")[-1].startswith("weight_packed") or ".zero_point" in name for name in tensors):
        return "these are quantized weights; give those from before they were quantized"
    share = len(nearest.tensors) / len(own) if nearest is not None else 0.0
    if nearest is not None and share > _MOST and not nearest.missing and not nearest.unknown:
        name = nearest.reshaped[0]
        found, expected = (tuple(shape) for shape in (nearest.tensors[name].shape, own[name]))
        return f"{name} is {found}, expected {expected}: the same network in another width; train it again as it is now"
    if share > _MOST:
        return "the same network from another release or with other parts; start training from it with train --init"
    if any(name.endswith(("classifier.weight", "fc.weight", "classifier.1.weight", "head.weight")) for name in tensors):
        return "these are weights of an image classifier; give a file that portraiture train wrote"
    return "another network; give a file that portraiture train wrote, or train this one with portraiture train"
