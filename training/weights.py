"""The shipped weights and how they are loaded."""

from pathlib import Path

from portraiture.training.checkpoint import load_model, load_tensors
from portraiture.training.models.coarse import ENCODER
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.rnn_filter import RnnFilter

_FOLDER = Path(__file__).parent / "shipped"
SHIPPED_PERCEPTION = _FOLDER / "perception.safetensors"
SHIPPED_FILTER = _FOLDER / "filter.safetensors"
MODEL_CARD = _FOLDER / "MODEL_CARD.md"


def load_perception(path: Path = SHIPPED_PERCEPTION) -> MobilePerception:
    """The mobile perception network with weights, in evaluation mode."""
    _, metadata = load_tensors(path)
    model = MobilePerception(metadata.get("encoder", ENCODER))
    load_model(model, path)
    return model.eval()


def load_filter(path: Path = SHIPPED_FILTER) -> RnnFilter:
    """The RNN filter with weights, in evaluation mode."""
    model = RnnFilter()
    load_model(model, path)
    return model.eval()
