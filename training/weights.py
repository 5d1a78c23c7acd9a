"""The shipped weights and how weights are loaded: ours, or a team's from any checkpoint file."""

from pathlib import Path
from typing import TYPE_CHECKING

from portraiture.reference.errors import InputError
from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.filters.rnn import RnnFilter
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tensor_files import fill_model, load_tensors

if TYPE_CHECKING:
    from portraiture.training.checkpoints.read import Which
    from portraiture.training.models.filters.occlusion import OcclusionFilter

_FOLDER = Path(__file__).parent / "shipped"

SHIPPED_PERCEPTION = _FOLDER / "perception.safetensors"

SHIPPED_FILTER = _FOLDER / "filter.safetensors"

SHIPPED_LENS = _FOLDER / "filter_lens.safetensors"
"""The filter of the lens look."""

MODEL_CARD = _FOLDER / "MODEL_CARD.md"


def load_perception(path: Path = SHIPPED_PERCEPTION, which: "Which | None" = None) -> MobilePerception:
    """The mobile perception network with weights, in evaluation mode.

    Args:
        path: a checkpoint file, of ours or as teams have it.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.

    Raises:
        InputError: the file cannot be read, or is not of this network.
        OptionError: it lacks the weights that are asked for.
    """
    if path == SHIPPED_PERCEPTION:  # a render loads little
        tensors, metadata = load_tensors(path)
        model = MobilePerception(ways=metadata.get("ways", 3))
        fill_model(model, tensors, path)
        return model.eval()
    from portraiture.training.checkpoints.fill import fill
    from portraiture.training.checkpoints.read import read_checkpoint

    checkpoint = read_checkpoint(path)
    model = MobilePerception(ways=checkpoint.metadata.get("ways", 3))
    fill(model, checkpoint, which)
    return model.eval()


def load_filter(path: Path = SHIPPED_FILTER, which: "Which | None" = None) -> RnnFilter:
    """The RNN filter with weights, in evaluation mode; as :func:`load_perception`."""
    model = RnnFilter()
    if path == SHIPPED_FILTER:
        fill_model(model, load_tensors(path)[0], path)
        return model.eval()
    from portraiture.training.checkpoints.fill import fill
    from portraiture.training.checkpoints.read import read_checkpoint

    fill(model, read_checkpoint(path), which)
    return model.eval()


def load_lens_filter(
    path: Path = SHIPPED_LENS, which: "Which | None" = None, blades: int = 0, rotation_deg: float = 0.0
) -> "OcclusionFilter":
    """The filter of the lens look with weights, in evaluation mode; as :func:`load_perception`.

    Args:
        path, which: as there.
        blades: of the iris, 5..9, whose kernels take the place of the file's; 0 for round disks, the file's.
        rotation_deg: how far the iris is turned, counter-clockwise as seen in the photo.
    """
    from portraiture.training.models.filters.occlusion import OcclusionFilter

    model = OcclusionFilter()
    if path == SHIPPED_LENS:
        fill_model(model, load_tensors(path)[0], path)
    else:
        from portraiture.training.checkpoints.fill import fill
        from portraiture.training.checkpoints.read import read_checkpoint

        fill(model, read_checkpoint(path), which)
    if blades:
        model.set_iris(blades, rotation_deg)
    return model.eval()


def load_any_filter(path: Path, which: "Which | None" = None) -> LensFilter:
    """The RNN filter or a baseline, whichever the file is of, in evaluation mode; as :func:`load_perception`."""
    from portraiture.training.checkpoints.fill import fill
    from portraiture.training.checkpoints.networks import networks_in
    from portraiture.training.checkpoints.read import read_checkpoint
    from portraiture.training.models.filters.table import FILTERS  # the baselines, which a render does not need

    checkpoint = read_checkpoint(path)
    name = next(iter(networks_in(checkpoint.tensors, FILTERS)), checkpoint.metadata.get("model"))
    if name not in FILTERS:
        raise InputError(
            f"{path}: expected weights of {', '.join(FILTERS)}, found those of {name or 'another network'};"
            " give a file that portraiture train filter wrote"
        )
    model = FILTERS[name]()
    fill(model, checkpoint, which)
    return model.eval()
