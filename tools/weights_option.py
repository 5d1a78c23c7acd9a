"""From ``--weights`` and ``--which`` to checkpoints: a run or a file in place of the shipped weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portraiture.export.networks.build import Checkpoints
    from portraiture.training.checkpoints.read import Checkpoint, Which

EXPORTED = {"MobilePerception": "perception", "RnnFilter": "filter", "OcclusionFilter": "filter"}
"""Networks that a pipeline is made of, and the names of their checkpoints."""

LENS_FILTER = "OcclusionFilter"
"""The network of the lens look."""


def parse_which(text: str | None) -> "Which | None":
    """The value of ``--which``."""
    if text is None:
        return None
    from portraiture.training.checkpoints.read import Which

    return Which(text)


def chosen_checkpoints(
    weights: Sequence[Path],
    which_text: str | None,
    perception: Path | None = None,
    rnn_filter: Path | None = None,
    networks: Sequence[str] = tuple(EXPORTED),
    own: str | None = None,
) -> "Checkpoints | None":
    """The weights that the options ask for; None where they ask for the shipped ones. What is taken is said on stderr.

    Args:
        weights: runs or files, each of one network or of both.
        which_text: value of ``--which``.
        perception, rnn_filter: runs or files that name their network by their own option.
        networks: names of the networks that the command takes, of ``EXPORTED``.
        own: value of ``--network``.

    Raises:
        OptionError: two files of one network, or the weights asked for are not in a file.
        InputError: a file cannot be read, or is of no network that the command takes.
    """
    from portraiture.reference.errors import OptionError

    if not weights and perception is None and rnn_filter is None:
        if which_text is not None:
            raise OptionError(f"--which {which_text}: expected --weights with it, found none; add it, or drop this")
        if own is None:
            return None
    from portraiture.export.contract import FilterLook
    from portraiture.export.networks.build import Checkpoints
    from portraiture.training.checkpoints.read import read_checkpoint, weights_file

    which = parse_which(which_text)
    found: dict[str, Path] = {}
    named = {"MobilePerception": perception, _filter_of(rnn_filter, which): rnn_filter}
    for network, given in named.items():
        if given is not None:
            found[network] = weights_file(given, which)
            _note_taken(network, read_checkpoint(found[network]), which)
    for given in weights:
        checkpoint = read_checkpoint(weights_file(given, which))
        for network in _networks_of(checkpoint, networks):
            if network in found:
                raise OptionError(
                    f"--weights: expected one file of {network}, found {found[network]} and {checkpoint.path}; drop one"
                )
            found[network] = checkpoint.path
            _note_taken(network, checkpoint, which)
    files = {EXPORTED[network]: path for network, path in found.items()}
    look = FilterLook.LENS if LENS_FILTER in found else FilterLook.PAPER
    shipped = Checkpoints().of_look(look)
    perceives, draws = files.get("perception", shipped.perception), files.get("filter", shipped.filter)
    return Checkpoints(perceives, draws, which, own, look)


def _filter_of(path: Path | None, which: "Which | None") -> str:
    """The network of a filter's file: that of the lens look, or the one that messages name."""
    from portraiture.training.checkpoints.networks import networks_in
    from portraiture.training.checkpoints.read import read_checkpoint, weights_file

    is_lens = path is not None and networks_in(read_checkpoint(weights_file(path, which)).tensors, (LENS_FILTER,))
    return LENS_FILTER if is_lens else "RnnFilter"


def _networks_of(checkpoint: "Checkpoint", networks: Sequence[str]) -> list[str]:
    """Which of the networks a file is of.

    Raises:
        InputError: none; it tells the network that the file is nearest to.
    """
    import torch

    from portraiture.training.checkpoints.fill import take
    from portraiture.training.checkpoints.match import shapes_of, tensor_sets
    from portraiture.training.checkpoints.networks import NETWORKS, networks_in

    found = networks_in(checkpoint.tensors, networks)
    if not found:
        with torch.device("meta"):
            models = [NETWORKS[network]() for network in networks]
        sets = [tensor_sets(shapes_of(model), checkpoint.tensors) for model in models]
        shared = [len(of_model[0].tensors) if of_model else 0 for of_model in sets]
        take(models[shared.index(max(shared))], checkpoint)
    return found


def _note_taken(network: str, checkpoint: "Checkpoint", which: "Which | None") -> None:
    """Say what is taken of a file; one that does not fit is told before any work."""
    import torch

    from portraiture.tools.progress import note
    from portraiture.training.checkpoints.fill import take
    from portraiture.training.checkpoints.networks import NETWORKS

    with torch.device("meta"):
        model = NETWORKS[network]()
    note(f"weights: {checkpoint.path}: {network}, {take(model, checkpoint, which)}")
