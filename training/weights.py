"""The shipped weights and how they are loaded."""

from pathlib import Path

import torch

from portraiture.reference.errors import InputError
from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.filters.table import FILTERS
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tensor_files import load_model, load_tensors, save_tensors

_FOLDER = Path(__file__).parent / "shipped"

SHIPPED_PERCEPTION = _FOLDER / "perception.safetensors"

SHIPPED_FILTER = _FOLDER / "filter.safetensors"

MODEL_CARD = _FOLDER / "MODEL_CARD.md"


def load_perception(path: Path = SHIPPED_PERCEPTION) -> MobilePerception:
    """The mobile perception network with weights, in evaluation mode."""
    _, metadata = load_tensors(path)
    model = MobilePerception(ways=metadata.get("ways", 3))
    load_model(model, path)
    return model.eval()


def load_filter(path: Path = SHIPPED_FILTER) -> RnnFilter:
    """The RNN filter with weights, in evaluation mode."""
    model = RnnFilter()
    load_model(model, path)
    return model.eval()


def load_any_filter(path: Path) -> LensFilter:
    """The RNN filter or a baseline, whichever the file's metadata names, in evaluation mode.

    Raises:
        InputError: no weights of a filter.
    """
    _, metadata = load_tensors(path)
    name = metadata.get("model")
    if name not in FILTERS:
        raise InputError(f"{path}: expected weights of {', '.join(FILTERS)}, found those of {name}; train filter")
    model = FILTERS[name]()
    load_model(model, path)
    return model.eval()


def save_half(source: Path, path: Path) -> None:
    """Write a weights file's floating tensors as float16, the form that is shipped; they load as float32.

    Raises:
        InputError: a weight is beyond the range of float16.
    """
    tensors, metadata = load_tensors(source)
    halved = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    for name, value in halved.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError(f"{source}: expected weights within float16, {name} is beyond; ship it in float32")
    save_tensors(path, halved, metadata)
