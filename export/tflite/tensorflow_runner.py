"""TFLite files by TensorFlow's own interpreter, where the optional extra is installed."""

import importlib.util
from pathlib import Path

from portraiture.export.model_file import ModelFile
from portraiture.export.quiet import quiet
from portraiture.export.runner import Runner
from portraiture.export.tflite.runner import TfliteRunner
from portraiture.reference.errors import InputError


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed; it is not imported, which takes many seconds."""
    return importlib.util.find_spec("tensorflow") is not None


def require_tensorflow() -> None:
    """Raise unless TensorFlow is installed.

    Raises:
        InputError: it is not.
    """
    if not has_tensorflow():
        raise InputError("expected the tensorflow extra; pip install 'portraiture[tensorflow]'")


def open_tensorflow(root: Path, file: ModelFile) -> Runner:
    """The runner of a bundle's TFLite file by ``tf.lite.Interpreter``.

    Raises:
        InputError: TensorFlow is not installed, or the file is not the contract's.
    """
    require_tensorflow()
    with quiet():  # it announces its processor, its delegate and its plans
        import tensorflow as tf
    return TfliteRunner(root / file.path, file.name, file.size, signature=file.entry, interpreter=tf.lite.Interpreter)
