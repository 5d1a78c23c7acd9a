"""PyTorch -> TFLite by litert-torch, in float32; ``quantize.py`` makes the other precisions of that file."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.export.formats import Precision
from portraiture.export.model_file import conversion
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.export.networks.wrappers import parts_of
from portraiture.export.plan import Kind
from portraiture.export.quiet import quiet, uncollected
from portraiture.export.tflite.join import join_tflite
from portraiture.export.tflite.metadata import write_metadata
from portraiture.export.tflite.model import pack_model, read_model
from portraiture.export.tflite.planned import quantize_planned
from portraiture.export.tflite.quantize import quantize
from portraiture.export.tflite.retrace import quick_traces


def convert(module: nn.Module, inputs: Sequence[Tensor], name: str, path: Path) -> None:
    """Convert a module to a float32 ``.tflite`` of one signature.

    The layout partitioner must be GREEDY: the default one wrote wrong files for several forms of a scan.

    Args:
        module: in evaluation mode.
        inputs: examples, in the order of ``forward``; they fix the shapes.
        name: of the signature; its inputs are called ``args_0``, ``args_1`` and so on.
        path: file to write.
    """
    os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    with quiet(), uncollected(), torch.no_grad():
        import litert_torch

        with quick_traces():
            litert_torch.signature(name, module, tuple(inputs)).convert().export(str(path))


def write_tflite(network: Exported, size: Size, folder: Path) -> Path:
    """Convert to a float32 ``.tflite`` with one signature named after the model, the contract not yet in it.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        folder: of conversions by model and size; one that is there is taken.

    Returns:
        The file in the folder.
    """
    assert network.layout == "NHWC"
    contract, path = network.contract, conversion(folder, network.name, size)
    if path.is_file():
        return path
    if parts := parts_of(network):
        first, second = (write_tflite(part, size, folder) for part in parts)
        inputs, outputs = ([spec.name for spec in side] for side in (contract.inputs, contract.outputs))
        join_tflite(contract.name, first, second, inputs, outputs, path)
        return path
    examples = example_inputs(contract.name, "NHWC", size)
    convert(network, list(examples.values()), contract.name, path)
    name_inputs(path, list(examples))
    return path


def write(
    network: Exported,
    size: Size,
    precision: Precision,
    path: Path,
    conversions: Path | None = None,
    samples: Iterable[dict[str, np.ndarray]] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, str]:
    """Write a ``.tflite`` in one precision, the contract in it.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        precision: one of TFLite's.
        path: file to write.
        conversions: folder of float32 conversions by model and size; what is not there is made. Without a folder they
            are made beside ``path`` and removed.
        samples: inputs by name, NHWC; only static int8 reads them.
        kinds: of each layer of a plan.

    Returns:
        Nothing: the names in the file tell the module of each value.
    """
    folder = conversions or path.with_suffix(".conversions")
    if conversions is None:
        folder.mkdir()
    full = write_tflite(network, size, folder)
    if precision is Precision.FP32:
        shutil.copyfile(full, path)
    elif precision is Precision.PLAN:
        assert kinds is not None
        quantize_planned(full, path, network, kinds)
    else:
        quantize(full, path, precision, samples)
    if conversions is None:
        shutil.rmtree(folder)
    write_metadata(path, [(network.contract.name, size)])
    return {}


def name_inputs(path: Path, names: list[str]) -> None:
    """Rename the signature's inputs (``args_0`` ...) to the contract's names, in place."""
    model = read_model(path)
    (signature,) = model.signatureDefs
    # the order of the function's arguments is in the generated names args_0, args_1, ...
    order = {f"args_{i}": name for i, name in enumerate(names)}
    for entry in signature.inputs:
        entry.name = order[entry.name.decode()].encode()
    path.write_bytes(pack_model(model))
