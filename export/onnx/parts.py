"""What an ONNX file is made of: operations, constants, and every value that it computes."""

from pathlib import Path

from portraiture.export.model_file import ModelFile, Values, laid_out
from portraiture.export.runner import Feeds


def values(path: Path, file: ModelFile, feeds: Feeds) -> Values:
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
