"""Opening a model: from a bundle's file or from weights."""

from pathlib import Path

import torch

from portraiture.export.contract import Size, Target
from portraiture.export.manifest import ModelFile
from portraiture.export.networks import Checkpoints, build
from portraiture.export.runtimes.base import Runner
from portraiture.export.runtimes.coreml_runner import CoremlRunner
from portraiture.export.runtimes.onnx_runner import OnnxRunner
from portraiture.export.runtimes.tflite_runner import TfliteRunner
from portraiture.export.runtimes.torch_runner import TorchRunner


def open_file(root: Path, file: ModelFile) -> Runner:
    """The runner of a bundle's file."""
    path = root / file.path
    if file.target is Target.TFLITE:
        return TfliteRunner(path, file.name, file.size, signature=file.entry)
    if file.target is Target.ONNX:
        return OnnxRunner(path, file.name, file.size)
    return CoremlRunner(path, file.name, file.size, file.precision, file.entry)


def open_torch(name: str, size: Size, checkpoints: Checkpoints, dtype: torch.dtype = torch.float32) -> Runner:
    """The runner of a PyTorch network."""
    return TorchRunner(build(name, checkpoints), size, dtype)
