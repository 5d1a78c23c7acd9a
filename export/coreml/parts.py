"""What a Core ML package is made of: operations, constants, and every value that it computes."""

from pathlib import Path

import numpy as np

from portraiture.export.contract import RGB
from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile, Values, laid_out
from portraiture.export.runner import Feeds


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    from portraiture.export.mil.interpreter import MilProgram
    from portraiture.export.mil.interpreter import Precision as MilPrecision

    precision = MilPrecision.FLOAT32 if file.precision is Precision.FP32 else MilPrecision.DECLARED
    inputs = laid_out(file, feeds)
    inputs[RGB.name] = np.rint(inputs[RGB.name][0].transpose(1, 2, 0) * 255).astype(np.uint8)
    values: Values = []
    program = MilProgram.load(path, precision, file.entry or "main")
    program.run(inputs, lambda _, name, tensor: values.append((name, tensor.numpy().copy())))
    return values
