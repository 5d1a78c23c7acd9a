"""Weight files behind the exported models."""

from dataclasses import dataclass
from pathlib import Path

from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION


@dataclass(frozen=True)
class Checkpoints:
    """Weight files; the defaults are the ones shipped with the package."""

    perception: Path = SHIPPED_PERCEPTION
    filter: Path = SHIPPED_FILTER
