"""PyTorch -> TFLite by litert-torch, in float32; ``tflite_quantize.py`` makes the other precisions of it.

The layout partitioner must be GREEDY: the default one wrote wrong files for several scan forms. Each file is run once
after it was written and compared with torch, so that a converter that lies is met here and not on a phone.
"""

import collections
import os
from pathlib import Path

import torch

from portraiture.export.contract import Size
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.export.quiet import quiet
from portraiture.export.tflite.model import operations_of, pack_model, read_model


def write_tflite(network: Exported, size: Size, path: Path) -> None:
    """Convert to a float32 ``.tflite`` with one signature named after the model.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        path: file to write.
    """
    os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    inputs = example_inputs(network.contract.name, "NHWC", size)
    assert network.layout == "NHWC"
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


def tflite_op_counts(path: Path) -> dict[str, int]:
    """Operations of a file by name, read from the flatbuffer."""
    return dict(sorted(collections.Counter(name for name, _, _ in operations_of(read_model(path))).items()))
