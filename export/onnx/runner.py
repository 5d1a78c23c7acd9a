"""ONNX files by onnxruntime."""

from pathlib import Path

import numpy as np

from portraiture.export.contract import Size, model_contract
from portraiture.export.model_file import ModelFile
from portraiture.export.runner import Feeds, check_feeds, file_threads, from_layout, to_layout
from portraiture.reference.errors import InputError


class OnnxRunner:
    """Runs an ``.onnx`` file on the CPU.

    Args:
        path: the file.
        name: of the model.
        size: height and width in pixels.
        threads: number of threads within one operation.

    Raises:
        InputError: the file cannot be loaded, or its inputs are not the contract's.
    """

    def __init__(self, path: Path, name: str, size: Size, threads: int | None = None) -> None:
        import onnxruntime

        self.contract = model_contract(name)
        self.path, self.size = path, size
        if not path.is_file():
            raise InputError(f"{path}: expected an .onnx file, found none; export the bundle again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or file_threads()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors have no common base
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: expected an ONNX model ({reason}); export the bundle again") from error
        found = {i.name: tuple(i.shape) for i in self._session.get_inputs()}
        expected = {s.name: s.shape(size, "NCHW") for s in self.contract.inputs}
        if found != expected:
            raise InputError(f"{path}: expected inputs {expected}, found {found}; export the bundle again")

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, float32."""
        check_feeds(self.contract, feeds)
        inputs = {s.name: to_layout(s, feeds[s.name], self.size, "NCHW") for s in self.contract.inputs}
        try:
            outputs = self._session.run([s.name for s in self.contract.outputs], inputs)
        except Exception as error:  # a damaged file may load and fail at a node
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.path}: expected an ONNX model that runs ({reason}); export it again") from error
        return {s.name: from_layout(s, y, "NCHW") for s, y in zip(self.contract.outputs, outputs, strict=True)}


def open_model(path: Path, file: ModelFile) -> OnnxRunner:
    """The runner of a model's ``.onnx`` file."""
    return OnnxRunner(path, file.name, file.size)
