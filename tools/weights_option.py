"""From ``--weights`` and ``--which`` to checkpoints: a run or a file in place of the shipped weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portraiture.export.networks.build import Checkpoints
    from portraiture.training.checkpoints.read import Which

EXPORTED = {"MobilePerception": "perception", "RnnFilter": "filter"}
"""Networks that a pipeline is made of, and the names of their checkpoints."""


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
) -> "Checkpoints | None":
    """The weights that the options ask for; None where they ask for the shipped ones. What is taken is said on stderr.

    Args:
        weights: runs or files, each of one network or of both.
        which_text: value of ``--which``.
        perception, rnn_filter: runs or files that name their network by their own option.
        networks: names of the networks that the command takes, of ``EXPORTED``.

    Raises:
        OptionError: two files of one network, or the weights asked for are not in a file.
        InputError: a file cannot be read, or is of no network that the command takes.
    """
    from portraiture.reference.errors import OptionError

    named = {"MobilePerception": perception, "RnnFilter": rnn_filter}
    if not weights and not any(named.values()):
        if which_text is not None:
            raise OptionError(f"--which {which_text}: expected --weights with it, found none; add it, or drop this")
        return None
    from portraiture.export.networks.build import Checkpoints
    from portraiture.training.checkpoints.read import weights_file

    which = parse_which(which_text)
    found: dict[str, Path] = {}
    for network, given in named.items():
        if given is not None:
            found[network] = weights_file(given, which)
            _note_taken(network, found[network], which)
    for given in weights:
        path = weights_file(given, which)
        for network in _networks_of(path, networks):
            if network in found:
                raise OptionError(
                    f"--weights: expected one file of {network}, found {found[network]} and {path}; drop one"
                )
            found[network] = path
            _note_taken(network, path, which)
    files = {EXPORTED[network]: path for network, path in found.items()}
    return Checkpoints(**files, which=which)


def _networks_of(path: Path, networks: Sequence[str]) -> list[str]:
    """Which of the networks a file is of."""
    import torch

    from portraiture.training.checkpoints.fill import take
    from portraiture.training.checkpoints.networks import NETWORKS, networks_in
    from portraiture.training.checkpoints.read import read_checkpoint

    checkpoint = read_checkpoint(path)
    found = networks_in(checkpoint.tensors, networks)
    if not found:  # the message is about the network that the file is nearest to
        with torch.device("meta"):
            models = [NETWORKS[network]() for network in networks]
        shared = [len(set(model.state_dict()) & _ends(checkpoint.tensors)) for model in models]
        take(models[shared.index(max(shared))], checkpoint)
    return found


def _ends(names: "Sequence[str] | dict[str, Any]") -> set[str]:
    """Every name with 0 and more of its first parts left out."""
    split = [name.split(".") for name in names]
    return {".".join(parts[k:]) for parts in split for k in range(len(parts))}


def _note_taken(network: str, path: Path, which: "Which | None") -> None:
    """Read a file once for all, so that one that does not fit is told before any work, and say what is taken of it."""
    import torch

    from portraiture.tools.progress import note
    from portraiture.training.checkpoints.fill import take
    from portraiture.training.checkpoints.networks import NETWORKS
    from portraiture.training.checkpoints.read import read_checkpoint

    with torch.device("meta"):
        model = NETWORKS[network]()
    note(f"weights: {path}: {network}, {take(model, read_checkpoint(path), which)}")
