"""The shipped weights and how they are loaded."""

from pathlib import Path

from portraiture.reference.errors import InputError
from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tensor_files import fill_model, load_model, load_tensors

_FOLDER = Path(__file__).parent / "shipped"

SHIPPED_PERCEPTION = _FOLDER / "perception.safetensors"

SHIPPED_FILTER = _FOLDER / "filter.safetensors"

MODEL_CARD = _FOLDER / "MODEL_CARD.md"


def load_perception(path: Path = SHIPPED_PERCEPTION) -> MobilePerception:
    """The mobile perception network with weights, in evaluation mode."""
    tensors, metadata = load_tensors(path)
    model = MobilePerception(ways=metadata.get("ways", 3))
    fill_model(model, tensors, path)
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
    from portraiture.training.models.filters.table import FILTERS  # the baselines, which a render does not need

    tensors, metadata = load_tensors(path)
    name = metadata.get("model")
    if name not in FILTERS:
        raise InputError(
            f"{path}: expected weights of {', '.join(FILTERS)}, found those of {name};"
            " give a file that portraiture train filter wrote"
        )
    model = FILTERS[name]()
    fill_model(model, tensors, path)
    return model.eval()
