"""PyTorch -> ONNX by the tracing exporter (the dynamo one took 217 s for 3,600 nodes), run by onnxruntime."""

import collections
from pathlib import Path

import torch

from portraiture.export.contract import RESIZE_RULE, VERSION, Size, Target
from portraiture.export.networks import Exported, TupleOut, example_inputs
from portraiture.export.quiet import quiet

OPSET = 17


def write_onnx(network: Exported, size: Size, path: Path) -> None:
    """Convert to a float32 ``.onnx`` with the contract's names.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        path: file to write.
    """
    import onnx

    contract = network.contract
    inputs = example_inputs(contract.name, Target.ONNX, size)
    with quiet(), torch.no_grad():
        torch.onnx.export(
            TupleOut(network),
            tuple(inputs.values()),
            str(path),
            input_names=[s.name for s in contract.inputs],
            output_names=[s.name for s in contract.outputs],
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    model.doc_string = contract.meaning
    model.producer_version = VERSION
    for key, value in {"portraiture.model": contract.name, "portraiture.resize": str(RESIZE_RULE)}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))


def onnx_op_counts(path: Path) -> dict[str, int]:
    """Nodes of a file by operation, constants left out."""
    import onnx

    counts = collections.Counter(n.op_type for n in onnx.load(str(path)).graph.node if n.op_type != "Constant")
    return dict(sorted(counts.items()))
