"""Reads and packs the flatbuffer of a TFLite file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.reference.errors import InputError


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


def named_buffers(path: Path) -> dict[str, bytes]:
    """What a file holds beside its graphs, by name; the graphs are not unpacked."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes())
    entries = (model.Metadata(k) for k in range(model.MetadataLength()))
    return {entry.Name().decode(): bytes(model.Buffers(entry.Buffer()).DataAsNumpy()) for entry in entries}


def read_single(path: Path, purpose: str) -> Any:
    """A file of one subgraph and one signature, as :func:`read_model` gives it.

    Args:
        path: of the file.
        purpose: what it is read for, in a word, for the message.

    Raises:
        InputError: it has several subgraphs or signatures.
    """
    model = read_model(path)
    if len(model.subgraphs) != 1 or len(model.signatureDefs or []) != 1:
        raise InputError(f"{path}: expected one subgraph and one signature, found more; {purpose} single files")
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
