"""A TFLite file whose layers are stored as a plan says, by the AI Edge quantizer."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from portraiture.export.networks.exported import Exported
from portraiture.export.networks.layers import layers_in_file
from portraiture.export.plan import Kind
from portraiture.export.tflite.model import operations_of, read_model
from portraiture.export.tflite.quantize import CONVOLUTIONS, add_fp16, opened, pattern_of


def stored_bytes(weight: np.ndarray, kind: Kind) -> int:
    """What they take: of int8 a float32 scale and an int64 zero per channel beside them."""
    return 2 * weight.size if kind is Kind.FP16 else weight.size + 12 * weight.shape[0]


def quantize_planned(source: Path, path: Path, network: Exported, kinds: Mapping[str, Kind]) -> None:
    """Store the weights of each layer as its kind says, and all other convolutions' as fp16.

    int8 weights are expanded by an operation of their own, which TFLite's delegate does once, as it loads the file.

    Args:
        source: the float32 file.
        path: file to write.
        network: what it was made of.
        kinds: of each of its layers.
    """
    names = _names_by_layer(source, network, {layer for layer, kind in kinds.items() if kind is not Kind.FP16})
    with opened(source) as q:
        from ai_edge_quantizer import qtyping

        add_fp16(q)
        for kind, add in ((Kind.INT8, q.add_weight_only_config), (Kind.INT8_DYNAMIC, q.add_dynamic_config)):
            own = [name for layer, of_layer in names.items() if kinds[layer] is kind for name in of_layer]
            for op in CONVOLUTIONS if own else ():
                add(pattern_of(own), qtyping.TFLOperationName[op], num_bits=8)
        path.write_bytes(bytes(q.quantize().quantized_model))


def _names_by_layer(source: Path, network: Exported, wanted: Collection[str]) -> dict[str, list[str]]:
    """The names of the convolutions of each of these layers; a convolution has the name of its output."""
    model = read_model(source)
    convolutions = [(o, graph) for kind, o, graph in operations_of(model) if kind in CONVOLUTIONS]
    held = {}
    for operation, graph in convolutions:
        data = model.buffers[graph.tensors[operation.inputs[1]].buffer].data
        if data is not None:
            held[str(int(operation.inputs[1]))] = np.asarray(data, np.uint8).view(np.float32)
    layers = layers_in_file(network, held, wanted)
    names: dict[str, list[str]] = {layer: [] for layer in layers.values()}
    for operation, graph in convolutions:
        if layer := layers.get(str(int(operation.inputs[1]))):
            names[layer].append(graph.tensors[operation.outputs[0]].name.decode())
    return names
