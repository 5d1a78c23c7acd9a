"""TFLite files by ai-edge-litert (the LiteRT interpreter with XNNPACK), or by another interpreter of its interface."""

from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.quiet import quiet
from portraiture.export.runner import Feeds, check_feeds, file_threads, from_layout, to_layout
from portraiture.reference.errors import InputError


class TfliteRunner:
    """Runs one signature of a ``.tflite`` file, by default the one named after the model.

    Args:
        path, name, size: the file, its model and its size.
        threads: of the interpreter; default ``file_threads``.
        signature: its name, where it is not the model's.
        interpreter: its class; default LiteRT's.

    Raises:
        InputError: the file cannot be loaded, or its signature is not the contract's.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        size: Size,
        threads: int | None = None,
        signature: str = "",
        interpreter: Any = None,
    ) -> None:
        if interpreter is None:
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter
        self.contract = model_contract(name)
        self.path, self.size = path, size
        if not path.is_file():
            raise InputError(f"{path}: expected a .tflite file, found none; export the bundle again")
        try:
            with quiet():  # it announces its delegate
                self._interpreter = interpreter(str(path), num_threads=threads or file_threads())
            signatures = self._interpreter.get_signature_list()
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: expected a TFLite model ({reason}); export the bundle again") from error
        inputs = [s.name for s in self.contract.inputs]
        key = signature or name
        if key not in signatures or sorted(signatures[key]["inputs"]) != sorted(inputs):
            found = "; ".join(f"{name}({', '.join(s['inputs'])})" for name, s in signatures.items()) or "none"
            raise InputError(
                f"{path}: expected signature {key}({', '.join(inputs)}), found {found}; export the bundle again"
            )
        missing = sorted({s.name for s in self.contract.outputs} - set(signatures[key]["outputs"]))
        if missing:
            raise InputError(f"{path}: expected output {missing[0]}, found {', '.join(signatures[key]['outputs'])};"
                             " export the bundle again")  # fmt: skip
        self._signature = self._interpreter.get_signature_runner(key)
        for spec in self.contract.inputs:
            shape = tuple(int(n) for n in self._signature.get_input_details()[spec.name]["shape"])
            if shape != spec.shape(size, "NHWC"):
                raise InputError(
                    f"{path}: expected {spec.name} {spec.shape(size, 'NHWC')}, found {shape}; export the bundle again"
                )

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, float32.

        Raises:
            InputError: the interpreter cannot run the file.
        """
        check_feeds(self.contract, feeds)
        inputs = {s.name: to_layout(s, feeds[s.name], self.size, "NHWC") for s in self.contract.inputs}
        try:
            outputs = self._signature(**inputs)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.path}: expected a model that runs ({reason}); export the bundle again") from error
        return {s.name: from_layout(s, outputs[s.name], "NHWC") for s in self.contract.outputs}


def open_model(path: Path, file: ModelFile) -> TfliteRunner:
    """The runner of a model in a ``.tflite`` file."""
    return TfliteRunner(path, file.name, file.size, signature=file.entry)
