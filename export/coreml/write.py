"""PyTorch -> Core ML (mlprogram, iOS 17) by coremltools, on any system."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import RGB, VERSION, Size
from portraiture.export.coreml.compress import compress
from portraiture.export.coreml.settle import settle
from portraiture.export.formats import Precision
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs
from portraiture.export.quiet import quiet


def write(
    network: Exported,
    size: Size,
    precision: Precision,
    path: Path,
    float32: Path | None = None,
    samples: Iterable[dict[str, np.ndarray]] = (),
) -> dict[str, str]:
    """Convert to an ``.mlpackage``: rgb as an 8-bit RGB image scaled in the graph, maps as float32 arrays.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of weights and arithmetic.
        path: package folder to write.
        float32: not needed; coremltools converts each precision from the network.
        samples: not needed; Core ML is not written in static int8.

    Returns:
        The module of the network by the name of each value that the program computes; the file does not name it.
    """
    contract = network.contract
    inputs = example_inputs(contract.name, "NCHW", size)
    with quiet():
        import coremltools as ct

        with torch.no_grad():
            traced = torch.jit.trace(TupleOut(network), tuple(inputs.values()), check_trace=False)  # type: ignore[no-untyped-call]
        kinds = []
        for spec in contract.inputs:
            shape = tuple(inputs[spec.name].shape)
            if spec is RGB:
                kinds.append(ct.ImageType(name="rgb", shape=shape, scale=1 / 255, color_layout=ct.colorlayout.RGB))
            else:
                kinds.append(ct.TensorType(name=spec.name, shape=shape))
        model = ct.convert(
            traced,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT32 if precision is Precision.FP32 else ct.precision.FLOAT16,
            inputs=kinds,
            outputs=[ct.TensorType(name=spec.name, dtype=np.float32) for spec in contract.outputs],
            skip_model_load=True,
        )
        modules = _modules(model)  # compressing forgets them
        model = compress(model, precision)
        model.short_description = contract.meaning
        model.version = VERSION
        model.license = "Apache-2.0"
        for spec in contract.inputs:
            model.input_description[spec.name] = spec.meaning
        for spec in contract.outputs:
            model.output_description[spec.name] = spec.meaning
        model.save(str(path))
    settle(path, [(contract.name, size)])
    return modules


def _modules(model: Any) -> dict[str, str]:
    """Path in the module tree by the name of each output of an operation of a converted model."""
    from coremltools.converters.mil.mil.scope import ScopeSource

    found = {}
    for op in model._mil_program.functions["main"].operations:
        scope = op.scopes.get(ScopeSource.TORCHSCRIPT_MODULE_NAME)
        if scope:
            # the first part is the wrapper, the last the operation itself
            found.update({output.name: ".".join(scope[1:-1]) for output in op.outputs})
    return found
