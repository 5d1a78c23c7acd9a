"""``.aimodel`` files by Apple's runtime: on Linux on the CPU, on macOS 27 by the system."""

import sys
from pathlib import Path

import numpy as np

from portraiture.export.contract import Size, model_contract
from portraiture.export.coreai.session import Session
from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.runner import Feeds, check_feeds, from_layout, to_layout
from portraiture.reference.errors import InputError


def engine_note(_: Precision) -> str:
    """What a Core AI figure found here does not show; empty on macOS."""
    return "" if sys.platform == "darwin" else "Apple's compiler and runtime, on this CPU"


def not_run_here() -> str:
    """Which devices of Core AI cannot run on this machine; empty on macOS."""
    return "" if sys.platform == "darwin" else "Core AI's GPU and Neural Engine are on Apple's devices only"


class CoreaiRunner:
    """Runs an ``.aimodel``.

    Args:
        path: the folder.
        name: of the model.
        size: height and width in pixels.

    Raises:
        InputError: it is damaged, its inputs are not the contract's, or Apple's packages are not installed.
    """

    def __init__(self, path: Path, name: str, size: Size) -> None:
        self.contract = model_contract(name)
        self.size = size
        self._session = Session(path)
        for what, found, specs in (
            ("inputs", self._session.inputs, self.contract.inputs),
            ("outputs", self._session.outputs, self.contract.outputs),
        ):
            expected = {s.name: s.shape(size, "NCHW") for s in specs}
            if found != expected:
                raise InputError(f"{path}: expected {what} {expected}, found {found}; export the bundle again")

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, float32."""
        check_feeds(self.contract, feeds)
        inputs = {s.name: to_layout(s, feeds[s.name], self.size, "NCHW") for s in self.contract.inputs}
        outputs = self._session.run(inputs)
        return {s.name: from_layout(s, outputs[s.name], "NCHW") for s in self.contract.outputs}


def open_model(path: Path, file: ModelFile) -> CoreaiRunner:
    """The runner of a model's ``.aimodel``."""
    return CoreaiRunner(path, file.name, file.size)
