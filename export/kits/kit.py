"""The kits that an export can put beside its models."""

from enum import Enum
from pathlib import Path

from portraiture.export.formats import Target
from portraiture.export.kits.web_kit import write_kit

FOLDER = "kits"


class Kit(Enum):
    """Sources for an app's developer, by platform."""

    WEB = "web"


NEEDS = {Kit.WEB: Target.TFLITE}
"""The format whose files a kit runs."""

WRITERS = {Kit.WEB: write_kit}


def write_kits(root: Path, kits: tuple[Kit, ...]) -> None:
    """Write kits into a bundle, each a folder of its name below ``kits/``."""
    for kit in kits:
        folder = root / FOLDER / kit.value
        folder.mkdir(parents=True)
        WRITERS[kit](folder)
