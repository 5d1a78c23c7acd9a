"""Several ``.tflite`` files into one with a signature per model; equal constants are kept once.

Merging written files, rather than converting the networks together, gives every signature the very operations and
weights of its single file, at every precision.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portraiture.export.tflite.model import pack_model, read_single


def merge_tflite(signatures: Mapping[str, Path], path: Path) -> None:
    """Write one file.

    Args:
        signatures: name in the merged file -> a file of one signature and one subgraph.
        path: file to write.

    Raises:
        InputError: a file has several subgraphs or signatures.
    """
    merged: Any = None
    subgraphs: list[Any] = []
    definitions: list[Any] = []
    shared: dict[bytes, int] = {}
    operators: dict[tuple[int, int, bytes], int] = {}
    for name, source in signatures.items():
        model = read_single(source, "merge")
        codes, buffers = model.operatorCodes, model.buffers
        if merged is None:
            merged = model
            merged.operatorCodes, merged.buffers, merged.metadata = [], [buffers[0]], []
        (graph,), (definition,) = model.subgraphs, model.signatureDefs
        for operator in graph.operators:
            operator.opcodeIndex = _operator(codes[operator.opcodeIndex], merged.operatorCodes, operators)
        for tensor in graph.tensors:
            tensor.buffer = _buffer(buffers[tensor.buffer], merged.buffers, shared)
        definition.signatureKey, definition.subgraphIndex = name.encode(), len(subgraphs)
        graph.name = name.encode()
        subgraphs.append(graph)
        definitions.append(definition)
    merged.subgraphs, merged.signatureDefs = subgraphs, definitions
    path.write_bytes(pack_model(merged))


def _operator(code: Any, codes: list[Any], known: dict[tuple[int, int, bytes], int]) -> int:
    key = (max(code.builtinCode, code.deprecatedBuiltinCode), code.version, bytes(code.customCode or b""))
    if key not in known:
        known[key] = len(codes)
        codes.append(code)
    return known[key]


def _buffer(buffer: Any, buffers: list[Any], known: dict[bytes, int]) -> int:
    """Index of a constant's bytes; 0, the empty buffer, for a tensor that is computed."""
    if buffer.data is None or len(buffer.data) == 0:
        return 0
    data = bytes(memoryview(buffer.data))
    if data not in known:
        known[data] = len(buffers)
        buffers.append(buffer)
    return known[data]
