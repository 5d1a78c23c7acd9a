"""The outputs of a network must differ, or a converter that confuses two would go unseen."""

import torch

from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.reference.errors import GateError


def check_outputs(file: ModelFile, network: Exported) -> None:
    """No output is another one's copy: a converter that confuses two outputs would go unseen.

    Args:
        file: which model.
        network: built for layout NCHW.

    Raises:
        GateError: two outputs are equal on random input.
    """
    inputs = example_inputs(file.name, "NCHW", file.size)
    with torch.no_grad():
        outputs = list(network(*inputs.values()).items())
    for k, (name, value) in enumerate(outputs):
        for other, earlier in outputs[:k]:
            if value.shape == earlier.shape and torch.equal(value, earlier):
                raise GateError(f"doctor: {file.name}: expected outputs that differ, {other} and {name} are equal")
