"""Core ML packages: ``predict`` on macOS, the project's MIL interpreter elsewhere."""

import sys
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import RGB, Kind, Size, model_contract
from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.runner import Feeds, check_feeds, from_layout, to_layout
from portraiture.reference.errors import InputError


class Engine(Enum):
    """What executes a package here."""

    MACOS = "coreml"
    MIL = "mil"


def engine_here() -> Engine:
    """Core ML itself on macOS, otherwise the MIL interpreter."""
    return Engine.MACOS if sys.platform == "darwin" else Engine.MIL


def engine_note(precision: Precision) -> str:
    """What a Core ML figure found here does not show; empty on macOS."""
    if engine_here() is Engine.MACOS:
        return ""
    arithmetic = "fp32" if precision is Precision.FP32 else "fp16 emulated"
    return f"MIL interpreter, {arithmetic}, not Apple's Core ML"


def not_run_here() -> str:
    """Why Apple's Core ML cannot run on this machine; empty on macOS."""
    if engine_here() is Engine.MACOS:
        return ""
    return "Apple's Core ML (compiler, ANE, fp16 rounding) runs on macOS only"


class CoremlRunner:
    """Runs an ``.mlpackage``.

    Off macOS the MIL interpreter runs a package of any precision but fp32 as it declares: float32 arithmetic, each
    fp16 tensor rounded to binary16.

    Args:
        path: the package folder.
        name: of the model.
        size: height and width in pixels.
        precision: of the package.
        function: name of the function in a package of several.

    Raises:
        InputError: there is no package, it is damaged, or its inputs are not the contract's.
    """

    def __init__(self, path: Path, name: str, size: Size, precision: Precision, function: str = "") -> None:
        self.contract = model_contract(name)
        self.size = size
        if not path.is_dir():
            raise InputError(f"{path}: expected an .mlpackage folder, found none; export the bundle again")
        self._run = (
            self._open_macos(path, function)
            if engine_here() is Engine.MACOS
            else self._open_mil(path, precision, function)
        )

    def _open_macos(self, path: Path, function: str) -> Any:
        import coremltools as ct
        from PIL import Image

        model = ct.models.MLModel(str(path), function_name=function or None)

        def run(feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return dict(model.predict({**feeds, "rgb": Image.fromarray(feeds["rgb"])}))

        return run

    def _open_mil(self, path: Path, precision: Precision, function: str) -> Any:
        from portraiture.export.mil.interpreter import MilProgram
        from portraiture.export.mil.interpreter import Precision as MilPrecision

        declared = MilPrecision.FLOAT32 if precision is Precision.FP32 else MilPrecision.DECLARED
        program = MilProgram.load(path, declared, function or "main")
        expected = {s.name for s in self.contract.inputs}
        if set(program.inputs) != expected:
            raise InputError(
                f"{path}: expected inputs {sorted(expected)}, found {sorted(program.inputs)}; export the bundle again"
            )
        return program.run

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, float32; rgb enters as the 8-bit image it is."""
        check_feeds(self.contract, feeds)
        inputs = {}
        for spec in self.contract.inputs:
            value = to_layout(spec, feeds[spec.name], self.size, "NCHW")
            if spec is RGB:
                value = np.rint(value[0].transpose(1, 2, 0) * 255).astype(np.uint8)
            inputs[spec.name] = value
        outputs = self._run(inputs)
        missing = [s.name for s in self.contract.outputs if s.name not in outputs]
        if missing:
            raise InputError(
                f"Core ML model {self.contract.name}: expected output {missing[0]}, found {', '.join(outputs)};"
                " export the bundle again"
            )
        return {
            s.name: from_layout(s, np.asarray(outputs[s.name]), "NCHW")
            for s in self.contract.outputs
            if s.kind is not Kind.SCALAR
        }


def open_model(path: Path, file: ModelFile) -> CoremlRunner:
    """The runner of a model in an ``.mlpackage``."""
    return CoremlRunner(path, file.name, file.size, file.precision, file.entry)
