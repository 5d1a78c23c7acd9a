"""PyTorch -> ONNX by the tracing exporter (the dynamo one took 217 s for 3,600 nodes), run by onnxruntime."""

import collections
from pathlib import Path

import torch

from portraiture.export.contract import VERSION, Size
from portraiture.export.describe import CONTRACT_KEY, contract_json
from portraiture.export.formats import Precision, Target
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs
from portraiture.export.onnx.compress import compress
from portraiture.export.quiet import quiet

OPSET = 17


def trace_onnx(network: Exported, inputs: dict[str, torch.Tensor], path: Path, opset: int) -> None:
    """Trace a network into an ONNX file with the contract's names, in the layout that the network was built for."""
    with quiet(), torch.no_grad():
        torch.onnx.export(
            TupleOut(network).eval(),  # the exporter gives the network back in its wrapper's mode
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[s.name for s in network.contract.outputs],
            opset_version=opset,
            dynamo=False,
        )


def write_onnx(network: Exported, size: Size, precision: Precision, path: Path) -> None:
    """Convert to an ``.onnx`` with the contract's names.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of the weights; the arithmetic is float32.
        path: file to write.
    """
    import onnx

    contract = network.contract
    trace_onnx(network, example_inputs(contract.name, "NCHW", size), path, OPSET)
    model = onnx.load(str(path))
    compress(model, precision)
    onnx.checker.check_model(model)
    model.doc_string = contract.meaning
    model.producer_version = VERSION
    entry = model.metadata_props.add()
    entry.key, entry.value = CONTRACT_KEY, contract_json([(contract.name, size)], Target.ONNX)
    onnx.save(model, str(path))


def onnx_op_counts(path: Path) -> dict[str, int]:
    """Nodes of a file by operation, constants left out."""
    import onnx

    counts = collections.Counter(n.op_type for n in onnx.load(str(path)).graph.node if n.op_type != "Constant")
    return dict(sorted(counts.items()))
