"""PyTorch -> Core ML (mlprogram, iOS 17) by coremltools, on any system."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import RGB, VERSION, Size
from portraiture.export.coreml.compress import compress
from portraiture.export.coreml.settle import settle
from portraiture.export.coreml.unwatched import unwatched
from portraiture.export.formats import Precision
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs
from portraiture.export.plan import Kind
from portraiture.export.quiet import quiet, uncollected


def write(
    network: Exported,
    size: Size,
    precision: Precision,
    path: Path,
    conversions: Path | None = None,
    samples: Iterable[dict[str, np.ndarray]] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, str]:
    """Convert to an ``.mlpackage``: rgb as an 8-bit RGB image scaled in the graph, maps as float32 arrays.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of weights and arithmetic.
        path: package folder to write.
        conversions: not needed; coremltools converts each precision from the network.
        samples: not needed; Core ML is not written in static int8.
        kinds: of each layer of a plan.

    Returns:
        The module of the network by the name of each value that the program computes; the file does not name it.
    """
    contract = network.contract
    with quiet(), uncollected():
        with unwatched():
            converted, modules = _converted(network, size, precision is not Precision.FP32)
            model = compress(converted, precision, network, kinds)
        model._mil_program.validate()
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


@lru_cache(maxsize=1)
def _traced(network: Exported, size: Size) -> Any:
    """What coremltools reads; the last one is kept for the network's other precisions."""
    inputs = tuple(example_inputs(network.contract.name, "NCHW", size).values())
    with torch.no_grad():
        return torch.jit.trace(TupleOut(network), inputs, check_trace=False)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _converted(network: Exported, size: Size, half: bool) -> tuple[Any, dict[str, str]]:
    """A converted model and the modules of its values; the last one is kept, for the precisions made of fp16.

    Args:
        network: layout NCHW.
        size: fixed input size.
        half: fp16 arithmetic and weights, else float32.
    """
    import coremltools as ct

    contract, kinds = network.contract, []
    for spec in contract.inputs:
        shape = spec.shape(size, "NCHW")
        if spec is RGB:
            kinds.append(ct.ImageType(name="rgb", shape=shape, scale=1 / 255, color_layout=ct.colorlayout.RGB))
        else:
            kinds.append(ct.TensorType(name=spec.name, shape=shape))
    model = ct.convert(
        _traced(network, size),
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
        inputs=kinds,
        outputs=[ct.TensorType(name=spec.name, dtype=np.float32) for spec in contract.outputs],
        skip_model_load=True,
    )
    return model, _modules(model)


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
