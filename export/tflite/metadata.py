"""The contract inside a ``.tflite``: TensorFlow Lite Metadata, as Android tools read it, and the same entry as JSON.

The tables are those of TensorFlow Lite's ``metadata_schema.fbs``, file identifier M001; slots are numbered as there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.contract import MASK, VERSION, Kind, Size, TensorSpec, model_contract
from portraiture.export.describe import CONTRACT_KEY, contract_json
from portraiture.export.formats import Target
from portraiture.export.tflite.model import named_buffers, pack_model, read_model
from portraiture.export.tflite.segmenter import (
    LABELS_FILE,
    graph_outputs,
    order_outputs,
    require_segmenter,
    segments,
    with_labels,
)
from portraiture.reference.errors import InputError

NAME = "TFLITE_METADATA"

_RGB_SPACE, _GRAY_SPACE = 1, 2

_IMAGE_PROPERTIES, _NORMALIZATION = 2, 1

_TENSOR_AXIS_LABELS = 2

_MIN_PARSER = "1.0.0"


class _Writer:
    """A flatbuffer, written from its leaves to its root."""

    def __init__(self) -> None:
        import flatbuffers

        self.builder = flatbuffers.Builder(4096)

    def table(self, *slots: tuple[int, Any, str]) -> int:
        """A table of (slot, value, kind); kind ``offset`` or ``byte``."""
        b = self.builder
        b.StartObject(1 + max(slot for slot, _, _ in slots))
        for slot, value, kind in slots:
            if kind == "offset":
                b.PrependUOffsetTRelativeSlot(slot, value, 0)
            else:
                b.PrependUint8Slot(slot, value, 0)
        return int(b.EndObject())

    def text(self, value: str) -> int:
        return int(self.builder.CreateString(value))

    def tables(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def floats(self, values: Sequence[float]) -> int:
        return int(self.builder.CreateNumpyVector(np.asarray(values, np.float32)))


def _labels(w: _Writer) -> int:
    """The file that names a tensor's channels."""
    return w.table((0, w.text(LABELS_FILE), "offset"), (2, _TENSOR_AXIS_LABELS, "byte"))


def _segmenter(w: _Writer) -> int:
    """MediaPipe's options of a segmenter: activation NONE (the default), as the mask is a probability already."""
    own = _Writer()
    own.builder.Finish(own.table((1, own.text(_MIN_PARSER), "offset")), b"V001")
    data = int(w.builder.CreateByteVector(bytes(own.builder.Output())))
    return w.table((0, w.text("SEGMENTER_METADATA"), "offset"), (1, data, "offset"))


def _tensor(w: _Writer, spec: TensorSpec, is_input: bool, labelled: bool = False) -> int:
    slots = [
        (0, w.text(spec.name), "offset"),
        (1, w.text(spec.meaning), "offset"),
        (5, w.table((0, w.floats([spec.high]), "offset"), (1, w.floats([spec.low]), "offset")), "offset"),
    ]
    if spec.kind is not Kind.SCALAR:
        image = w.table((0, _RGB_SPACE if spec.kind is Kind.IMAGE else _GRAY_SPACE, "byte"))
        slots.append((3, w.table((0, _IMAGE_PROPERTIES, "byte"), (1, image, "offset")), "offset"))
    if labelled:
        slots.append((6, w.tables([_labels(w)]), "offset"))
    if is_input and spec.kind is Kind.IMAGE:  # (8-bit value - 0) / 255
        options = w.table((0, w.floats([0.0]), "offset"), (1, w.floats([255.0]), "offset"))
        slots.append((4, w.tables([w.table((0, _NORMALIZATION, "byte"), (1, options, "offset"))]), "offset"))
    return w.table(*slots)


def metadata(models: Sequence[tuple[str, Size]]) -> bytes:
    """The metadata buffer of a file whose subgraphs are these models, in order."""
    w = _Writer()
    subgraphs = []
    for name, size in models:
        contract = model_contract(name)
        inputs = w.tables([_tensor(w, s, True) for s in contract.inputs])
        labelled = segments(contract)
        outputs = w.tables([_tensor(w, s, False, labelled and s is MASK) for s in graph_outputs(contract)])
        title, meaning = w.text(f"{name}_{size}"), w.text(contract.meaning)
        parts = list(enumerate((title, meaning, inputs, outputs)))
        if labelled:
            parts.append((9, w.tables([_segmenter(w)])))
        subgraphs.append(w.table(*((k, v, "offset") for k, v in parts)))
    facts: list[Callable[[], int]] = [
        lambda: w.text("portraiture " + " ".join(name for name, _ in models)),
        lambda: w.text("; ".join(model_contract(name).meaning for name, _ in models)),
        lambda: w.text(VERSION),
        lambda: w.tables(subgraphs),
        lambda: w.text("portraiture"),
        lambda: w.text("Apache-2.0"),
    ]
    slots = [(slot, part(), "offset") for slot, part in enumerate(facts)]
    root = w.table(*slots, (7, w.text(_MIN_PARSER), "offset"))
    w.builder.Finish(root, b"M001")
    return bytes(w.builder.Output())


def write_metadata(path: Path, models: Sequence[tuple[str, Size]]) -> None:
    """Put the contract of models into a file, in place.

    Args:
        path: a ``.tflite`` file.
        models: name and size of each subgraph, in order.
    """
    from ai_edge_litert import schema_py_generated as schema

    model, contracts = read_model(path), [model_contract(name) for name, _ in models]
    order_outputs(model, contracts)
    model.description = f"portraiture {VERSION}: {', '.join(f'{name}_{size}' for name, size in models)}".encode()
    model.metadata = [m for m in model.metadata or [] if m.name.decode() not in (NAME, CONTRACT_KEY)]
    for name, data in ((NAME, metadata(models)), (CONTRACT_KEY, contract_json(models, Target.TFLITE).encode())):
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(data, np.uint8)
        entry.name, entry.buffer = name.encode(), len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
    packed = pack_model(model)
    path.write_bytes(with_labels(packed) if any(segments(c) for c in contracts) else packed)


def read_metadata(path: Path, models: Sequence[tuple[str, Size]]) -> str:
    """The contract's JSON in a file; empty where it has none.

    Args:
        path: a ``.tflite`` file.
        models: name and size of each subgraph, in order.

    Raises:
        InputError: TensorFlow Lite Metadata beside it is not what the contract gives, or MediaPipe would go wrong.
    """
    require_segmenter(path, [model_contract(name) for name, _ in models])
    found = named_buffers(path)
    if found.get(NAME) != metadata(models):
        raise InputError(f"{path}: {NAME}: expected what the contract gives, found other or none: altered;"
                         " export the bundle again")  # fmt: skip
    return found.get(CONTRACT_KEY, b"").decode()
