"""The kits that an export can put beside its models."""

from enum import Enum
from pathlib import Path

from portraiture.export.formats import Target
from portraiture.export.kits import kotlin_kit, swift_kit, web_kit

FOLDER = "kits"


class Kit(Enum):
    """Sources for an app's developer, by platform."""

    WEB = "web"
    KOTLIN = "kotlin"
    SWIFT = "swift"


NEEDS = {Kit.WEB: (Target.TFLITE,), Kit.KOTLIN: (Target.TFLITE, Target.ONNX), Kit.SWIFT: (Target.COREML, Target.COREAI)}
"""The formats whose files a kit runs; one of them is enough."""

WRITERS = {Kit.WEB: web_kit.write_kit, Kit.KOTLIN: kotlin_kit.write_kit, Kit.SWIFT: swift_kit.write_kit}


def write_kits(root: Path, kits: tuple[Kit, ...]) -> None:
    """Write kits into a bundle, each a folder of its name below ``kits/``."""
    for kit in kits:
        folder = root / FOLDER / kit.value
        folder.mkdir(parents=True)
        WRITERS[kit](folder)
