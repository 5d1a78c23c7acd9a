"""PyTorch -> ONNX by the tracing exporter (the dynamo one took 217 s for 3,600 nodes), run by onnxruntime."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from portraiture.export.contract import VERSION, Size
from portraiture.export.describe import CONTRACT_KEY, contract_json
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import conversion
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs, is_own, with_fixed_shapes
from portraiture.export.onnx.compress import compress
from portraiture.export.plan import Kind
from portraiture.export.quiet import quiet

OPSET = 17
"""Chosen, not measured."""


def _share_constants(path: Path) -> None:
    """Make initializers of a file's constants, equal ones once: the scan's kernel would be kept for each line."""
    import onnx

    model = onnx.load(str(path))
    graph, names, renamed = model.graph, {}, {}
    for node in [n for n in graph.node if n.op_type == "Constant" and n.attribute[0].name == "value"]:
        tensor = node.attribute[0].t
        key = (tensor.data_type, tuple(tensor.dims), tensor.SerializeToString())
        if key not in names:
            names[key] = node.output[0]
            shared = graph.initializer.add()
            shared.CopyFrom(tensor)
            shared.name = node.output[0]
        renamed[node.output[0]] = names[key]
        graph.node.remove(node)
    for node in graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = renamed.get(name, name)
    onnx.save(model, str(path))


def trace_onnx(network: Exported, inputs: dict[str, torch.Tensor], path: Path, opset: int) -> None:
    """Trace a network into an ONNX file with the contract's names, in the layout that the network was built for.

    Args:
        network: in evaluation mode.
        inputs: examples by name, in the contract's order and the network's layout; they fix the shapes.
        path: file to write.
        opset: version of ONNX's operations.
    """
    with quiet(), torch.no_grad():
        torch.onnx.export(
            # the exporter gives the network back in its wrapper's mode
            with_fixed_shapes(network, tuple(inputs.values())) if is_own(network) else TupleOut(network).eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[s.name for s in network.contract.outputs],
            opset_version=opset,
            dynamo=False,
        )


def write(
    network: Exported,
    size: Size,
    precision: Precision,
    path: Path,
    conversions: Path | None = None,
    samples: Iterable[dict[str, np.ndarray]] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, str]:
    """Convert to an ``.onnx`` with the contract's names, the contract in it.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of the weights; the arithmetic is float32.
        path: file to write.
        conversions: folder of traces by model and size, which all precisions are made of; what is not there is made.
        samples: not needed; ONNX is not written in static int8.
        kinds: of each layer of a plan.

    Returns:
        Nothing: the doctor refuses no operation of an ONNX file, so that none needs the module it comes from.
    """
    import onnx

    contract = network.contract
    full = conversion(conversions, contract.name, size) if conversions else path
    if conversions is None or not full.is_file():
        trace_onnx(network, example_inputs(contract.name, "NCHW", size), full, OPSET)
        _share_constants(full)
    model = onnx.load(str(full))
    compress(model, precision, network, kinds)
    onnx.checker.check_model(model)
    model.doc_string = contract.meaning
    model.producer_version = VERSION
    onnx.save(model, str(path))
    describe(path, [(contract.name, size)])
    return {}


def describe(path: Path, models: Sequence[tuple[str, Size]]) -> None:
    """Put the contract of models into a file, in place.

    Args:
        path: an ``.onnx`` file.
        models: name and size of each model in it.
    """
    import onnx

    model = onnx.load(str(path))
    others = [entry for entry in model.metadata_props if entry.key != CONTRACT_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key=CONTRACT_KEY, value=contract_json(models, Target.ONNX))
    onnx.save(model, str(path))


def read_contract(path: Path, _: Sequence[tuple[str, Size]]) -> str:
    """The contract's JSON in an ``.onnx`` file; empty where it has none."""
    import onnx

    model = onnx.load(str(path))
    return next((entry.value for entry in model.metadata_props if entry.key == CONTRACT_KEY), "")
