"""PyTorch -> TFLite by litert-torch, in float32; ``tflite_quantize.py`` makes the other precisions of it.

The layout partitioner must be GREEDY: the default one wrote wrong files for several scan forms. Each file is run once
after it was written and compared with torch, so that a converter that lies is met here and not on a phone.
"""

import collections
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import LAYOUT, Size, Target
from portraiture.export.networks import Exported, example_inputs
from portraiture.export.quiet import quiet


def write_tflite(network: Exported, size: Size, path: Path) -> None:
    """Convert to a float32 ``.tflite`` with one signature named after the model.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        path: file to write.
    """
    os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    inputs = example_inputs(network.contract.name, Target.TFLITE, size)
    assert network.layout == LAYOUT[Target.TFLITE]
    with quiet():
        import litert_torch

        with torch.no_grad():
            edge = litert_torch.signature(network.contract.name, network, tuple(inputs.values())).convert()
        edge.export(str(path))
    name_inputs(path, list(inputs))


def name_inputs(path: Path, names: list[str]) -> None:
    """Rename the signature's inputs (``args_0`` ...) to the contract's names, in place."""
    model = read_model(path)
    (signature,) = model.signatureDefs
    # the order of the function's arguments is in the generated names args_0, args_1, ...
    order = {f"args_{i}": name for i, name in enumerate(names)}
    for entry in signature.inputs:
        entry.name = order[entry.name.decode()].encode()
    path.write_bytes(pack_model(model))


def read_model(path: Path) -> Any:
    """A file as the flatbuffer schema's objects (``schema.ModelT``), constants that lie behind it read in."""
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:  # the quantizer writes constants after the flatbuffer
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack_model(model: Any) -> bytes:
    """The bytes of a file."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operations_of(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """The operations of an unpacked file in order: name, the operation, the graph that it is in."""
    from ai_edge_litert import schema_py_generated as schema

    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = [names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in model.operatorCodes]
    for graph in model.subgraphs:
        for operation in graph.operators or []:
            yield codes[operation.opcodeIndex], operation, graph


def tflite_op_counts(path: Path) -> dict[str, int]:
    """Operations of a file by name, read from the flatbuffer."""
    return dict(sorted(collections.Counter(name for name, _, _ in operations_of(read_model(path))).items()))
