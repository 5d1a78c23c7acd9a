"""The fused model's ``.tflite`` from those of its two networks, which then need no third conversion.

The filter's operations follow the perception's in one graph; where it takes mask and depth it takes the perception's
outputs, and both take the one photo. It computes the very operations of the two files.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.tflite.model import pack_model, read_single
from portraiture.reference.errors import InputError


def join_tflite(
    name: str, first: Path, second: Path, inputs: Sequence[str], outputs: Sequence[str], path: Path
) -> None:
    """Write one file of two, the second fed by the first.

    Inputs of the second that the first gives are taken from there; those that both have are one.

    Args:
        name: of the signature.
        first, second: files of one subgraph and one signature each, its inputs and outputs named as in the contract.
        inputs, outputs: names of the signature, in order; each is one of either file.
        path: file to write.

    Raises:
        InputError: a file has several subgraphs or signatures, or a name is in neither.
    """
    joined, other = (read_single(source, "join") for source in (first, second))
    (graph,), (added,) = joined.subgraphs, other.subgraphs
    (definition,), (second_definition,) = joined.signatureDefs, other.signatureDefs
    places = {_name(entry): entry.tensorIndex for entry in [*definition.inputs, *definition.outputs]}
    taken = {e.tensorIndex: places[_name(e)] for e in second_definition.inputs if _name(e) in places}
    index = {-1: -1}  # an input that an operation leaves out
    for k, tensor in enumerate(added.tensors):
        if k in taken:
            index[k] = taken[k]
            continue
        index[k] = len(graph.tensors)
        tensor.name = second_definition.signatureKey + b"/" + tensor.name  # names are unique in a file
        tensor.buffer = _appended(other.buffers[tensor.buffer], joined.buffers)
        graph.tensors.append(tensor)
    codes = len(joined.operatorCodes)
    joined.operatorCodes += other.operatorCodes
    for operator in added.operators:
        operator.opcodeIndex += codes
        operator.inputs, operator.outputs = (_moved(values, index) for values in (operator.inputs, operator.outputs))
        graph.operators.append(operator)
    entries = {_name(e): (e, places[_name(e)]) for e in [*definition.inputs, *definition.outputs]}
    for e in [*second_definition.inputs, *second_definition.outputs]:
        entries.setdefault(_name(e), (e, index[e.tensorIndex]))
    if missing := [n for n in (*inputs, *outputs) if n not in entries]:
        raise InputError(f"{second}: expected {missing[0]} in one of the two files, found it in neither; convert again")
    definition.inputs, definition.outputs = ([_entry(*entries[n]) for n in names] for names in (inputs, outputs))
    definition.signatureKey = graph.name = name.encode()
    graph.inputs, graph.outputs = (
        np.array([e.tensorIndex for e in side], np.int32) for side in (definition.inputs, definition.outputs)
    )
    path.write_bytes(pack_model(joined))


def _name(entry: Any) -> str:
    return str(entry.name.decode())


def _entry(entry: Any, place: int) -> Any:
    entry.tensorIndex = place
    return entry


def _moved(values: Any, index: Mapping[int, int]) -> np.ndarray:
    return np.array([index[int(v)] for v in ([] if values is None else values)], np.int32)


def _appended(buffer: Any, buffers: list[Any]) -> int:
    """Index of a constant's bytes; 0, the empty buffer, for a tensor that is computed."""
    if buffer.data is None or len(buffer.data) == 0:
        return 0
    buffers.append(buffer)
    return len(buffers) - 1
