"""PyTorch -> Core ML (mlprogram, iOS 17) by coremltools, on any system."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import CONTRACT_KEY, RGB, VERSION, Precision, Size, Target, contract_json
from portraiture.export.coreml_compress import compress
from portraiture.export.mil.package import proto
from portraiture.export.networks import Exported, TupleOut, example_inputs
from portraiture.export.quiet import quiet

_INDEX = "Manifest.json"
_MODEL = "Data/com.apple.CoreML/model.mlmodel"
_DATE = "com.github.apple.coremltools.conversion_date"


def write_coreml(network: Exported, size: Size, precision: Precision, path: Path) -> dict[str, str]:
    """Convert to an ``.mlpackage``: rgb as an 8-bit RGB image scaled in the graph, maps as float32 arrays.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of weights and arithmetic.
        path: package folder to write.

    Returns:
        The module of the network by the name of each value that the program computes; the file does not hold it.
    """
    contract = network.contract
    inputs = example_inputs(contract.name, Target.COREML, size)
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
    return _modules(model)


def settle(path: Path, models: Sequence[tuple[str, Size]]) -> None:
    """Put the contract of its models into a package, and make two exports of it equal byte by byte; in place.

    coremltools writes maps in whatever order they have in memory, the day, and random identifiers in the index.
    """
    model = proto().Model_pb2.Model()
    model.ParseFromString((path / _MODEL).read_bytes())
    model.description.metadata.userDefined.pop(_DATE, None)
    model.description.metadata.userDefined[CONTRACT_KEY] = contract_json(models, Target.COREML)
    (path / _MODEL).write_bytes(model.SerializeToString(deterministic=True))
    index = json.loads((path / _INDEX).read_text())
    entries = index["itemInfoEntries"]
    names = {old: str(uuid.uuid5(uuid.NAMESPACE_URL, f"portraiture/{e['path']}")) for old, e in entries.items()}
    index["itemInfoEntries"] = {names[old]: entry for old, entry in entries.items()}
    index["rootModelIdentifier"] = names[index["rootModelIdentifier"]]
    (path / _INDEX).write_text(json.dumps(index, indent=4, sort_keys=True) + "\n")


def _modules(model: Any) -> dict[str, str]:
    """From a converted model: path in the module tree by the name of each output of an operation."""
    from coremltools.converters.mil.mil.scope import ScopeSource

    found = {}
    for op in model._mil_program.functions["main"].operations:
        scope = op.scopes.get(ScopeSource.TORCHSCRIPT_MODULE_NAME)
        if scope:
            # the first part is the wrapper, the last the operation itself
            found.update({output.name: ".".join(scope[1:-1]) for output in op.outputs})
    return found
