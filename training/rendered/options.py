"""What a folder of pairs was rendered with."""

from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.files import parse_json, write_json
from portraiture.reference.settings import Compositing

OPTIONS_FILE = "pairs.json"


class MapSource(Enum):
    """Where predicted maps come from."""

    NETWORK = "network"
    FILES = "files"


@dataclass(frozen=True)
class PairOptions:
    """What all pairs of a folder have in common; it is written beside them.

    Attributes:
        height, width: of the pairs, in pixels; photos are stretched to it by area averaging.
        settings: how many are drawn per photo, the paper setting among them; 0 takes the validation grid.
        true_share: share of the photos with a true mask that use it, 0..1.
        seed: decides all draws; equal seeds give equal pairs on any number of processes.
        maps: where predicted maps come from: "files", or the first digits of the weights' SHA-256.
        compositing: how the reference lays the layers over each other: "paper", or "occlusion" for the lens look.
    """

    height: int = 512
    width: int = 384
    settings: int = 4
    true_share: float = 0.5
    seed: int = 0
    maps: str = MapSource.FILES.value
    compositing: str = Compositing.PAPER.value


def claim(folder: Path, options: PairOptions) -> None:
    """Write the options into a new folder of pairs, or check that an old one was begun with the same.

    Raises:
        OptionError: begun with others; two kinds of pairs would be mixed.
    """
    path, wanted = folder / OPTIONS_FILE, asdict(options)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
        return
    try:
        found = {"compositing": Compositing.PAPER.value, **parse_json(path.read_bytes())}  # older ones do not say it
        differing = [k for k in wanted if found.get(k) != wanted[k]]
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"{path}: expected the options of these pairs as JSON; choose a new folder") from None
    if differing:
        key = differing[0]
        raise OptionError(
            f"{folder}: expected {key} {found.get(key)!r} as its pairs were begun, found {wanted[key]!r};"
            " choose a new folder or the same options"
        )


def are_of_lens(folder: Path) -> bool:
    """Whether the pairs of a folder are pictures of the occlusion renderer; False where it does not say."""
    try:
        found = parse_json((folder / OPTIONS_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("compositing") == Compositing.OCCLUSION.value
