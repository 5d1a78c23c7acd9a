"""Runs a saved Core ML program with torch; the package's docstring says what that proves and what not."""

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from portraiture.export.mil.binding import Environment
from portraiture.export.mil.compiler import Graph, compile_graph
from portraiture.export.mil.dtypes import DataType
from portraiture.export.mil.features import check_feeds, to_array, to_tensor
from portraiture.export.mil.package import Feature, Package, read_package

Observer = Callable[[str, str, Tensor], None]
"""Called after each operation with the operation's type, an output's name and that output's values."""


class Precision(Enum):
    """How floating-point arithmetic is done.

    FLOAT32, FLOAT64: all in that type, whatever the file declares (weights stored as fp16 keep their values).
    DECLARED: in float32, each tensor that the file declares fp16 rounded to binary16 after the operation that
    computes it. An estimate of fp16 hardware, not a model of it: a device may round within an operation too.
    """

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    DECLARED = "declared"


class MilProgram:
    """One function of an ``.mlpackage``; build it with :meth:`load`.

    Attributes:
        inputs, outputs: by name, in the file's order.
    """

    def __init__(self, package: Package, precision: Precision) -> None:
        self._package = package
        self._precision = precision
        self._compute = torch.float64 if precision is Precision.FLOAT64 else torch.float32
        self._graph: Graph = compile_graph(package, self._compute, precision is Precision.DECLARED)
        self.inputs: dict[str, Feature] = package.inputs
        self.outputs: dict[str, Feature] = package.outputs

    @classmethod
    def load(cls, path: str | Path, precision: Precision = Precision.FLOAT32, function: str = "main") -> "MilProgram":
        """Read and prepare a package.

        Args:
            path: the ``.mlpackage`` folder.
            precision: how floating-point arithmetic is done.
            function: name of the function to run.

        Raises:
            InputError: a file is missing or damaged, or the program holds an unknown operation.
        """
        return cls(read_package(Path(path), function), precision)

    def op_counts(self) -> dict[str, int]:
        """Operations by type, constants left out, most frequent first."""
        return dict(self._graph.op_counts)

    def run(self, feeds: Mapping[str, np.ndarray], observer: Observer | None = None) -> dict[str, np.ndarray]:
        """Run the program.

        Args:
            feeds: by input name. Arrays of the declared shape, any float type for a float input. 8-bit images
                HxWx3 uint8 in R, G, B order or HxW uint8; GRAYSCALE_FLOAT16 images HxW of any float type.
            observer: sees each operation's outputs, in order; used to find the first layer that diverges.

        Returns:
            Outputs by name: floats in float64 for ``Precision.FLOAT64``, else float32; 8-bit images as uint8.

        Raises:
            InputError: a feed is missing, unknown, of another shape or type, or not finite; or a step fails.
        """
        check_feeds(self.inputs, feeds)
        values: Environment = dict(self._graph.constants)
        with torch.inference_mode():
            for name, feature in self.inputs.items():
                values[name] = self._rounded(feature, to_tensor(feature, feeds[name], self._compute))
            for step in self._graph.steps:
                for output, tensor in zip(step.outputs, step.run(values), strict=True):
                    values[output.name] = tensor
                    if observer is not None:
                        observer(step.op_type, output.name, tensor)
                for name in step.dead:
                    del values[name]
            return {name: to_array(feature, values[name]) for name, feature in self.outputs.items()}

    def _rounded(self, feature: Feature, tensor: Tensor) -> Tensor:
        """An input declared fp16 is rounded to binary16 where the program runs as declared."""
        half = self._precision is Precision.DECLARED and feature.type.dtype is DataType.FLOAT16
        return tensor.half().to(tensor.dtype) if half else tensor
