"""What MediaPipe's ImageSegmenter needs of a ``.tflite``: the mask as the last output, and a label for it.

Of two outputs it takes the last for the mask (seen in mediapipe 1.2.3), whatever their names say. Apps that call the
file by its signature's names notice nothing. Labels lie in a zip archive behind the graph, as TensorFlow Lite Metadata
has them.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraiture.export.contract import MASK, ModelContract, TensorSpec
from portraiture.export.tflite.model import read_model
from portraiture.reference.errors import InputError

LABELS_FILE = "labels.txt"

LABELS = b"person\n"
"""A mask's one channel."""


def segments(contract: ModelContract) -> bool:
    """Whether a model can stand for a segmenter: a photo alone gives a mask and at most one more map."""
    return len(contract.inputs) == 1 and MASK in contract.outputs and len(contract.outputs) <= 2


def graph_outputs(contract: ModelContract) -> tuple[TensorSpec, ...]:
    """Outputs in the order of the file's graph: the contract's, but a segmenter's mask is the last."""
    if not segments(contract):
        return contract.outputs
    return tuple(sorted(contract.outputs, key=lambda spec: spec is MASK))


def order_outputs(model: Any, contracts: Sequence[ModelContract]) -> None:
    """Bring the outputs of each graph into :func:`graph_outputs`' order; signatures name them as before.

    Args:
        model: an unpacked file (``schema.ModelT``), changed in place.
        contracts: of its graphs, in order.
    """
    for index, contract in enumerate(contracts):
        if not segments(contract):
            continue
        (signature,) = (d for d in model.signatureDefs if d.subgraphIndex == index)
        tensors = {entry.name.decode(): entry.tensorIndex for entry in signature.outputs}
        model.subgraphs[index].outputs = [tensors[spec.name] for spec in graph_outputs(contract)]


def with_labels(packed: bytes) -> bytes:
    """A file's bytes with an archive of the labels behind them."""
    whole = io.BytesIO(packed)
    with zipfile.ZipFile(whole, "a") as archive:
        entry = zipfile.ZipInfo(LABELS_FILE)  # dated 1980 by default: equal bytes at any time
        entry.create_system = 3  # and on any system
        archive.writestr(entry, LABELS)
    return whole.getvalue()


def require_segmenter(path: Path, contracts: Sequence[ModelContract]) -> None:
    """Refuse a file that MediaPipe would take the wrong map or label from.

    Args:
        path: a ``.tflite`` file.
        contracts: of its graphs, in order.

    Raises:
        InputError: outputs in another order, other files behind the graph, or none.
    """
    if not any(segments(c) for c in contracts):
        return
    try:
        model = read_model(path)
        written = [list(map(int, graph.outputs)) for graph in model.subgraphs]
        order_outputs(model, contracts)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, struct.error):
        return  # cut off, or of other signatures: what opens it says so
    found = _archive(path)
    if found != {LABELS_FILE: LABELS}:
        raise InputError(f"{path}: {LABELS_FILE} behind the graph: expected person, found"
                         f" {'another' if found else 'none'}: altered; export the bundle again")  # fmt: skip
    if written != [list(graph.outputs) for graph in model.subgraphs]:
        raise InputError(f"{path}: outputs of the graph: expected the mask as the last, found another order: altered;"
                         " export the bundle again")  # fmt: skip


def _archive(path: Path) -> dict[str, bytes]:
    """The first small files of the archive behind a graph, by name; an unreadable one has a file without a name."""
    try:
        if not zipfile.is_zipfile(path):
            return {}
        with zipfile.ZipFile(path) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist()[:2] if entry.file_size < 99}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return {"": b""}
