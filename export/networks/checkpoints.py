"""Weight files behind the exported models."""

import filecmp
from dataclasses import dataclass
from pathlib import Path

from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION


@dataclass(frozen=True)
class Checkpoints:
    """Weight files; the defaults are the ones shipped with the package."""

    perception: Path = SHIPPED_PERCEPTION
    filter: Path = SHIPPED_FILTER

    def are_shipped(self) -> bool:
        """Whether both files hold the weights that are shipped, wherever they lie."""
        pairs = ((self.perception, SHIPPED_PERCEPTION), (self.filter, SHIPPED_FILTER))
        return all(a.is_file() and filecmp.cmp(a, b, shallow=False) for a, b in pairs)
