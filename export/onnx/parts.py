"""What an ONNX file is made of: operations, constants, and every value that it computes."""

from pathlib import Path

import numpy as np

from portraiture.export.model_file import ModelFile, Operation, Values, laid_out
from portraiture.export.runner import Feeds


def operations(path: Path) -> list[Operation]:
    """The nodes of a file, in order, constants left out."""
    import onnx

    nodes = onnx.load(str(path), load_external_data=False).graph.node
    return [Operation(n.op_type, n.output[0]) for n in nodes if n.op_type != "Constant"]


def constants(path: Path) -> list[np.ndarray]:
    """The floating-point constants of a file, flat, float32."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    tensors = [*graph.initializer, *(a.t for n in graph.node if n.op_type == "Constant" for a in n.attribute)]
    arrays = [numpy_helper.to_array(t).ravel() for t in tensors]
    return [a.astype(np.float32) for a in arrays if np.issubdtype(a.dtype, np.floating)]


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
    """Every value that a file computes, its graph not optimised.

    Args:
        path: of the file.
        file: which model of it.
        feeds: the contract's inputs.
    """
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    names = [name for node in model.graph.node for name in node.output if name]
    outputs = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(zip(names, session.run(names, laid_out(file, feeds)), strict=True))
