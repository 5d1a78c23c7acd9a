"""The weights of a Core ML package by layer, compressed ones as the numbers that they stand for."""

import re
from pathlib import Path

import numpy as np
import torch

from portraiture.export.mil.compiler import compile_graph
from portraiture.export.mil.package import read_package
from portraiture.export.model_file import ModelFile, Weights, unique_names

_UNNAMED = re.compile(r"const_\d+|op_\d+")
"""Constants that the converter made, such as a convolution with its normalisation folded in."""


def weights(path: Path, file: ModelFile) -> Weights:
    """The floating-point constants that a package's operations compute with, float64.

    A constant has its layer's name; one that the converter made is named by its operation.

    Args:
        path: of the package.
        file: which model of it.

    Raises:
        InputError: the package is damaged, or has an operation that our interpreter lacks.
    """
    package = read_package(path, file.entry or "main")
    constants = compile_graph(package, torch.float32, as_declared=False).constants
    found: Weights = []
    for operation in package.block.operations:
        if operation.type == "const" or operation.type.startswith("constexpr"):
            continue
        for parameter, argument in operation.inputs.items():
            for name in (str(b.name) for b in argument.arguments if b.WhichOneof("binding") == "name"):
                value = constants.get(name)
                if value is None or not value.is_floating_point() or value.numel() < 2:
                    continue
                own = f"{operation.outputs[0].name} {operation.type} {parameter}"
                plain = name.removesuffix("_to_fp16")
                found.append((own if _UNNAMED.match(plain) else plain, value.numpy().astype(np.float64)))
    return unique_names(found)
