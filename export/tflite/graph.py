"""The graph of a TFLite file."""

from pathlib import Path
from typing import Any

from portraiture.export.graph import Graph, RawNode, Tensor, graph_of
from portraiture.export.model_file import ModelFile
from portraiture.export.tflite.model import operations_of, read_model


def graph(path: Path, file: ModelFile) -> Graph:
    """The graph of a model in a ``.tflite`` file.

    Args:
        path: of the file.
        file: which model of it.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = read_model(path)
    subgraph = model.subgraphs[subgraph_of(model, file.entry)]
    types = {v: k.lower() for k, v in vars(schema.TensorType).items() if isinstance(v, int)}
    listed = [Tensor(str(i), _shape(t), types[t.type]) for i, t in enumerate(subgraph.tensors)]
    names = [t.name.decode() for t in subgraph.tensors]
    raw = [
        RawNode(
            kind,
            module_of(names[int(operation.outputs[0])]),
            tuple(str(int(t)) for t in operation.inputs if t >= 0),
            tuple(str(int(t)) for t in operation.outputs),
            _numbers(operation.builtinOptions),
        )
        for kind, operation, its_graph in operations_of(model)
        if its_graph is subgraph
    ]
    tensors = {t.name: Tensor(names[k], t.shape, t.dtype) for k, t in enumerate(listed)}
    inputs, outputs = ([str(int(i)) for i in part] for part in (subgraph.inputs, subgraph.outputs))
    return graph_of(raw, tensors, inputs, outputs)


def subgraph_of(model: Any, entry: str) -> int:
    """Index of the subgraph that a signature runs; 0 without a signature's name."""
    found = [d.subgraphIndex for d in model.signatureDefs or [] if d.signatureKey.decode() == entry]
    return int(found[0]) if found else 0


def module_of(name: str) -> str:
    """The module that the converter names a tensor after; the name itself where it names none.

    The converter joins the names of fused operations by semicolons; the deepest module counts.

    >>> module_of("a.Exported/net.Mobile_network;a.Exported/net.Mobile_network/torch.nn.modules.conv.Conv2d_stem;2")
    'network.stem'
    """
    deepest = max(name.split(";"), key=lambda part: part.count("/"))
    labels = [part.rsplit(".", 1)[-1] for part in deepest.split("/")[1:]]
    return ".".join(label.partition("_")[2] for label in labels if "_" in label) or name


def _shape(tensor: Any) -> tuple[int | None, ...]:
    sizes = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return tuple(None if size < 0 else int(size) for size in ([] if sizes is None else sizes))


def _numbers(options: Any) -> dict[str, tuple[int, ...]]:
    fields = vars(options) if options is not None else {}
    return {name: (int(value),) for name, value in fields.items() if isinstance(value, int)}
