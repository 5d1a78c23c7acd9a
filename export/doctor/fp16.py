"""Weights and activations must stay within the range of fp16."""

from collections.abc import Iterable

import torch

from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.export.networks.layer_outputs import layer_outputs
from portraiture.reference.errors import GateError

FP16_LARGEST = 65504.0

FP16_MARGIN = 4.0
"""Activations stay this factor below the largest fp16 value: another photo may have larger ones."""


def check_fp16_range(file: ModelFile, network: Exported) -> None:
    """Weights and activations within fp16, on random input: what overflows there is infinity on a phone.

    Args:
        file: all but float32 ones are checked: Core ML computes them in fp16, and so do GPUs of TFLite.
        network: of that model, float32.

    Raises:
        GateError: naming the layer.
    """
    if file.precision is Precision.FP32:
        return
    named: Iterable[tuple[str, torch.Tensor]] = network.named_parameters()
    for name, value in named:
        if not float(value.detach().abs().max()) * FP16_MARGIN <= FP16_LARGEST:  # NaN compares false
            raise GateError(f"doctor: {file.name}: weight {name} is beyond fp16; export it with --precision fp32")
    inputs = list(example_inputs(file.name, network.layout, file.size).values())
    for name, kind, output in layer_outputs(network, inputs):
        largest = float(output.abs().max())
        if not largest * FP16_MARGIN <= FP16_LARGEST:
            raise GateError(
                f"doctor: {file.name}: {name} ({kind}) reaches {largest:.0f}, beyond fp16;"
                " normalise that layer or export with --precision fp32"
            )
